"""What a host alone has of a VM, and a definition does not carry: in the way of a cold or offline move. Pure."""

from collections.abc import Iterator

from reconciler.kinds.vm.copying import COPY, local
from reconciler.kinds.vm.state import DomainState, VmDesired
from reconciler.model.crossing import Blocker


def left_behind(want: VmDesired, seen: DomainState, origin: str) -> Iterator[Blocker]:
    """A live move takes UEFI variables and a TPM along; libvirt's saved images and snapshots go with neither."""
    if seen.nvram and not any(seen.nvram.startswith(target + "/") for _, target in want.shared):
        fix = "move it live, or have them in a pool with shared: true"
        yield Blocker(f"its UEFI variables ({seen.nvram}) are on {origin} only", fix, "cold")
    for disk in seen.disks:
        if want.moves.storage == COPY and local(disk.path, want):
            fix = "move it live, or put the disk into a pool with shared: true"
            yield Blocker(f"disk {disk.target} ({disk.path}) is copied by a live move only", fix, "cold")
    for what in seen.local:
        yield Blocker(f"{what} is on {origin} only", "move it live", "cold")
    for what in seen.keeps:
        yield Blocker(f"libvirt keeps {what} of it on {origin}", _fix(what, want.name))


def _fix(what: str, name: str) -> str:
    if what == "a managed save image":
        return f"start it there, or `virsh managedsave-remove {name}`"
    return f"`virsh {what.removesuffix('s')}-delete {name}` each of them"
