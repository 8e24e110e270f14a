"""Why a running VM cannot move to a host, all reasons at once, each with its fix. Pure, from the snapshot.

What only a live host can tell (a login, an open port, the storage token) is asked again right before the move.
"""

from collections.abc import Iterator

from reconciler.kinds.vm.carried import left_behind
from reconciler.kinds.vm.copying import COPY, copied, local, obstacles, space
from reconciler.kinds.vm.state import Disk, DomainState, Room, VmDesired
from reconciler.kinds.vm.switching import switching, version
from reconciler.model.crossing import Blocker
from reconciler.model.desired import View
from reconciler.model.fleet import MovePolicy
from reconciler.model.ref import Place, Ref
from reconciler.model.units import show_size

_NETWORK_FS = ("network", "volume")
_DROPS_CACHES = (4, 0)
SAFE_CACHES = ("none", "directsync")


def blockers(want: VmDesired, seen: DomainState, origin: str, view: View) -> tuple[Blocker, ...]:
    """Everything that stands between the VM and its declared host; empty when nothing does."""
    room: Room | None = view.snapshot.get(Place("room", want.host, want.host))
    if room is None:
        return (Blocker(f"{want.host} is unknown", "see why it did not answer"),)
    alone = unfit(want, seen, origin, view)
    return (*alone, *_memory(want, seen, room, view), *_identity(want, seen, origin, view))


def unfit(want: VmDesired, seen: DomainState, origin: str, view: View) -> tuple[Blocker, ...]:
    """What makes that host no place for the VM, whoever else is there: the same for all VMs and hosts of one sort."""
    room: Room | None = view.snapshot.get(Place("room", want.host, want.host))
    if room is None:
        return (Blocker(f"{want.host} is unknown", "see why it did not answer"),)
    found = [*_machine(seen, room, want.host), *_devices(seen, room, want.host), *left_behind(want, seen, origin)]
    here: Room | None = view.snapshot.get(Place("room", origin, origin))
    copies, managed = bool(copied(want, seen, origin, view)), view.fleet.access.mode == "none"
    found += switching(want, here, room, copies, managed)
    for disk in seen.disks:
        found += _storage(disk, want, seen, origin, view)
        found += _cache(disk, want, here)
    found += space(want, seen, origin, view)
    if not seen.persistent:
        found.append(Blocker("the domain is transient on its host", f"virsh define it on {origin} first"))
    return tuple(found)


def _machine(seen: DomainState, room: Room, host: str) -> Iterator[Blocker]:
    if room.arch and seen.arch and seen.arch != room.arch:
        yield Blocker(f"it is {seen.arch} and {host} is {room.arch}", "place it on a host of its architecture")
    if room.machines and seen.machine and seen.machine not in room.machines:
        yield Blocker(f"{host} has no machine type {seen.machine}", f"install the same or a newer QEMU on {host}")
    if room.virts and seen.virt and seen.virt not in room.virts:
        fix = f"is virtualization switched off in the firmware of {host}, or has it no /dev/{seen.virt}?"
        yield Blocker(f"it is a {seen.virt} domain, and {host} offers {', '.join(room.virts)}", fix)


def _identity(want: VmDesired, seen: DomainState, origin: str, view: View) -> Iterator[Blocker]:
    """Law 3: no other domain has its UUID or its disks, nor its MACs where it goes."""
    files = {d.path for d in seen.disks if d.path.startswith("/") and not d.readonly and not d.shareable}
    macs = {nic.mac for nic in seen.nics if nic.mac}
    mine = [*(("disk", path) for path in files), *(("MAC", mac) for mac in macs), ("UUID", seen.uuid)]
    for place, other in view.snapshot.claiming("vm", claims, mine):
        if place == Place("vm", origin, want.name):
            continue
        if other.uuid == seen.uuid and place.name != want.name:
            yield Blocker(f"its UUID {seen.uuid} is {place}'s too", "find out which of the two it belongs to")
        theirs = files & {d.path for d in other.disks if not d.readonly and not d.shareable}
        for path in sorted(path for path in theirs if place.host == origin or _shared(path, want)):
            yield Blocker(f"{path} is a disk of {place} too", "give each VM a disk of its own")
        for mac in sorted(macs & {nic.mac for nic in other.nics} if place.host == want.host else ()):
            yield Blocker(f"its MAC {mac} is {place}'s too", "give one of the two another MAC")


def claims(state: DomainState) -> Iterator[tuple[str, str]]:
    """What no two domains may have: writable disks, MACs, the UUID."""
    yield "UUID", state.uuid
    yield from (("disk", disk.path) for disk in state.disks if not disk.readonly and not disk.shareable)
    yield from (("MAC", nic.mac) for nic in state.nics)


def _shared(path: str, want: VmDesired) -> str:
    """The shared pool a path is in, if any; a pool that is not shared may be mounted within it."""
    if local(path, want):
        return ""
    return next((name for name, target in want.shared if path.startswith(target + "/")), "")


def _devices(seen: DomainState, room: Room, host: str) -> Iterator[Blocker]:
    for device in seen.immovable:
        live_only = "live" if device.startswith("shared memory") else ""
        yield Blocker(f"its {device} cannot leave the host", "detach it, or keep the VM where it is", live_only)
    for nic in seen.nics:
        if nic.network and nic.network not in room.networks:
            yield Blocker(
                f"{host} has no active libvirt network {nic.network!r}", f"virsh net-start {nic.network} there"
            )
        if nic.bridge and not nic.network and nic.bridge not in room.bridges:
            yield Blocker(f"{host} has no bridge {nic.bridge!r}", "make the bridge there, or move the NIC to a network")


def _memory(want: VmDesired, seen: DomainState, room: Room, view: View) -> Iterator[Blocker]:
    if Ref("vm", want.name) in view.placing.roomy:
        return
    taken = sum(s.memory for p, s in view.snapshot.of("vm") if p.host == want.host and s.power != "stopped")
    taken += _coming(want, view)
    reserve = view.fleet.hosts[want.host].reserve
    free = room.memory - taken - reserve
    if room.memory and seen.memory > free and runs_after(want, seen):
        numbers = f"{show_size(seen.memory)} wanted, {show_size(max(0, free))} free of {show_size(room.memory)}"
        yield Blocker(f"not enough memory on {want.host}: {numbers}", "free memory there or choose another host")


def _coming(want: VmDesired, view: View) -> int:
    """Memory of the VMs that the specs bring to this host before this one, in order of name, to run there."""
    return sum(
        state.memory
        for place, state in view.snapshot.of("vm")
        if place.name < want.name and place.host != want.host
        if (item := view.at(Place("vm", want.host, place.name))) is not None and runs_after(item.value, state)
    )


def runs_after(want: VmDesired, state: DomainState) -> bool:
    """Shall it run where it goes? Where nobody says, as it did before."""
    return want.power == "running" or (want.power is None and (state.power == "running" or state.resume))


def _storage(disk: Disk, want: VmDesired, seen: DomainState, origin: str, view: View) -> Iterator[Blocker]:
    """Its pool must be declared shared and be on both hosts; that they see the same files is proven before the move.

    Where copying is declared, what is in no such pool must be fit to be copied.
    """
    if not disk.path or disk.kind in _NETWORK_FS:
        return
    if disk.kind == "block":
        fix = "block devices are not proven yet; use a shared pool"
        yield Blocker(f"disk {disk.target} is the block device {disk.path}", fix)
        return
    pool = _shared(disk.path, want)
    if not pool and want.moves.storage == COPY:
        yield from obstacles(disk, want, seen, origin, view)
        return
    if not pool:
        fix = "put the disk into a StoragePool with shared: true, or declare migration.storage: copy"
        yield Blocker(f"disk {disk.target} ({disk.path}) is in no pool declared shared", fix)
    for host in (origin, want.host):
        if pool and view.at(Place("pool", host, pool)) is None:
            yield Blocker(f"disk {disk.target} is in pool {pool}, which is not declared on {host}", "add it to `hosts`")


def untunnelled(moves: MovePolicy) -> str:
    """Why a tunnel cannot carry a move of this kind; empty when it can."""
    if moves.connections:
        return "parallel connections need channels of their own"
    return "post-copy needs a channel of its own" if moves.post_copy else ""


def cached(disk: Disk) -> bool:
    """Does libvirt's own safety rule look at this disk's cache mode?"""
    return disk.kind == "file" and bool(disk.path) and not disk.readonly and not disk.shareable


def _cache(disk: Disk, want: VmDesired, here: Room | None) -> Iterator[Blocker]:
    """libvirt's rule: these cache modes, unless QEMU can drop caches at the end of a migration, as since 4.0."""
    qemu = version(here, "QEMU")
    old = bool(qemu) and qemu < _DROPS_CACHES
    if old and cached(disk) and disk.cache not in SAFE_CACHES and not want.moves.unsafe:
        mode, fix = disk.cache or "default", "set cache='none' on the disk, or install QEMU 4.0 or newer"
        yield Blocker(f"disk {disk.target} has cache mode {mode}, which libvirt refuses with this QEMU", fix, "live")
