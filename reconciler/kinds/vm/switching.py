"""What stands against a declared way of copying memory: post-copy and parallel connections. Pure.

Only where the move's policy allows it; a plain copy needs nothing of this.
"""

from collections.abc import Iterator

from reconciler.kinds.vm.state import Room, VmDesired
from reconciler.model.crossing import Blocker

_RECOVERS = (("libvirt", (12, 8)), ("QEMU", (11, 1)))
"""The oldest versions on which a post-copy that broke was seen to be recovered, in 32 tries of 34: decision 0024."""


def switching(want: VmDesired, here: Room | None, there: Room, copies: bool, managed: bool) -> Iterator[Blocker]:
    """What is against a live move that may switch to post-copy.

    `copies`: do disks go along? `managed`: does the reconciler drive it over two connections of its own?
    """
    if not want.moves.post_copy:
        return
    if copies:
        fix = "leave out migration.postCopy, or put the disks into a shared pool"
        yield _live("its disks are copied, and a post-copy that broke could then not be recovered", fix)
    if managed:
        fix = "leave out migration.postCopy, or access.mode: none"
        yield _live("post-copy is driven by the hosts, which do not log in on each other (access mode none)", fix)
    if there.userfault == "0":
        fix = f"`sysctl -w vm.unprivileged_userfaultfd=1` on {want.host} and in its sysctl.d, or postCopy: false"
        yield _live(f"post-copy is allowed, and QEMU may not use userfaultfd on {want.host}", fix)
    older = [*_older("its source", here), *_older(want.host, there)]
    if older:
        need = " and ".join(f"{name} {major}.{minor}" for name, (major, minor) in _RECOVERS)
        why = f"post-copy is allowed, and one that broke is recovered from {need} on only: {', '.join(older)}"
        yield _live(why, "upgrade both hosts, or leave out migration.postCopy")


def _older(host: str, room: Room | None) -> Iterator[str]:
    """What is too old on a host; what it did not tell counts as too old."""
    for name, least in _RECOVERS:
        have = version(room, name)
        if have < least:
            yield f"{name} {'.'.join(map(str, have)) or 'unknown'} on {host}"


def version(room: Room | None, name: str) -> tuple[int, ...]:
    """A host's version of libvirt or QEMU, empty where it is unknown."""
    said = room.versions.get(name, "") if room else ""
    return tuple(int(part) for part in said.split(".") if part.isdigit())


def _live(reason: str, fix: str) -> Blocker:
    return Blocker(reason, fix, "live")
