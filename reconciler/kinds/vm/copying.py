"""Disks that are not shared: which of them a move copies, how much that is, and why one cannot be copied. Pure.

What only live hosts can tell (a file that came meanwhile, space that went) is asked again right before the move.
"""

from collections.abc import Iterator

from reconciler.kinds.vm.state import CopyDisk, Disk, DomainState, LocalPool, Room, VmDesired, VolumeAt
from reconciler.model.crossing import Blocker, Caution
from reconciler.model.desired import View
from reconciler.model.ref import Place
from reconciler.model.units import show_size

COPY = "copy"


def local(path: str, want: VmDesired) -> LocalPool | None:
    """The declared pool, not declared shared, in whose folder a file lies: libvirt copies into such folders only."""
    folder, _, _ = path.rpartition("/")
    return next((pool for pool in want.local if pool.path == folder), None)


def copied(want: VmDesired, seen: DomainState, origin: str, view: View) -> tuple[CopyDisk, ...]:
    """Writable disks in such pools, where copying is declared; sizes are what libvirt reserves for each."""
    if want.moves.storage != COPY:
        return ()
    found = []
    for disk in seen.disks:
        pool = local(disk.path, want)
        if pool and disk.kind == "file" and not disk.readonly:
            name = disk.path.rpartition("/")[2]
            size = reserved(disk, origin, view)
            data = min(size, _written(disk, origin, view) or size)
            found.append(CopyDisk(disk.target, pool.name, name, disk.path, size, pool.min_free, data))
    return tuple(found)


def reserved(disk: Disk, origin: str, view: View) -> int:
    """The virtual size, as libvirt makes the new volume whole at once, with room for qcow2's tables; 0: not known."""
    room: Room | None = view.snapshot.get(Place("room", origin, origin))
    size = room.capacity(disk.path) if room else None
    tables = 2**20 + (size or 0) // 1024 if disk.format == "qcow2" else 0
    return size + tables if size else 0


def _written(disk: Disk, origin: str, view: View) -> int:
    """Bytes that its file takes: what was never written is not sent; 0: not known."""
    room: Room | None = view.snapshot.get(Place("room", origin, origin))
    return (room.allocation(disk.path) if room else None) or 0


def obstacles(disk: Disk, want: VmDesired, seen: DomainState, origin: str, view: View) -> Iterator[Blocker]:
    """What keeps one disk outside shared pools from being copied to the declared host."""
    pool, what = local(disk.path, want), f"disk {disk.target} ({disk.path})"
    if pool is None:
        yield Blocker(f"{what} is in no declared pool", "declare its folder as a StoragePool on both hosts")
        return
    missing = [host for host in (origin, want.host) if view.at(Place("pool", host, pool.name)) is None]
    for host in missing:
        yield Blocker(
            f"disk {disk.target} is in pool {pool.name}, which is not declared on {host}", "add it to `hosts`"
        )
    if missing:
        return
    up = [_up(pool, host, view) for host in (origin, want.host)]
    yield from (blocker for blocker in up if blocker)
    if any(up):
        return
    if disk.readonly:
        yield from _readonly(disk, want, view)
        return
    if disk.beneath:
        fix = f"`virsh blockpull {want.name} {disk.target} --wait` on {origin} makes it whole"
        yield Blocker(f"{what} is a layer over {disk.beneath}, which is not copied", fix)
    if not reserved(disk, origin, view):
        yield Blocker(f"the size of {disk.path} is unknown", f"`virsh pool-refresh {pool.name}` on {origin}")
    yield from _taken(disk, pool, want, seen, view)


def _up(pool: LocalPool, host: str, view: View) -> Blocker | None:
    room: Room | None = view.snapshot.get(Place("room", host, host))
    there = room.pool(pool.name) if room else None
    if there is None or not there.active:
        fix = "apply brings it up where it is declared active; then plan again"
        return Blocker(f"pool {pool.name} is not up on {host}, so nothing can be copied", fix)
    if there.path != pool.path:
        fix = "give it the same target on both hosts"
        return Blocker(f"pool {pool.name} is at {there.path} on {host}, not at {pool.path}", fix)
    return None


def _volumes(want: VmDesired, view: View) -> set[str]:
    """Paths of all volumes known on the declared host."""
    room: Room | None = view.snapshot.get(Place("room", want.host, want.host))
    return {path for pool in room.pools for path, _ in pool.volumes} if room else set()


def _readonly(disk: Disk, want: VmDesired, view: View) -> Iterator[Blocker]:
    if disk.path not in _volumes(want, view):
        fix = "put it there too, or eject it"
        yield Blocker(
            f"disk {disk.target} ({disk.path}) is read-only and not on {want.host}; only writable disks are copied", fix
        )


def _taken(disk: Disk, pool: LocalPool, want: VmDesired, seen: DomainState, view: View) -> Iterator[Blocker]:
    """A file of that path is never overwritten, be it an older copy of the same disk."""
    there = VolumeAt(want.host, pool.name, disk.path.rpartition("/")[2])
    if disk.path not in _volumes(want, view) or there in seen.copying:
        return
    delete = f"`virsh vol-delete --pool {pool.name} {there.name}` on {want.host}"
    if there in seen.left:
        yield Blocker(
            f"its old copy {disk.path}, left by a move, is still on {want.host}", f"{delete} if nobody needs it"
        )
    else:
        yield Blocker(
            f"a file {disk.path} is on {want.host} already", f"find out whose it is; {delete} if nobody needs it"
        )


def space(want: VmDesired, seen: DomainState, origin: str, view: View) -> Iterator[Blocker]:
    """Room in each pool of the declared host, beside what other VMs bring into it before this one in order of name."""
    room: Room | None = view.snapshot.get(Place("room", want.host, want.host))
    disks = copied(want, seen, origin, view)
    for name in sorted({disk.pool for disk in disks}):
        pool = room.pool(name) if room else None
        mine = [disk for disk in disks if disk.pool == name]
        need = sum(d.size for d in mine) + max(d.min_free for d in mine) + _coming(name, want, view)
        if pool and pool.active and need > pool.available:
            numbers = f"{show_size(need)} needed with minFree, {show_size(pool.available)} free"
            yield Blocker(f"no space in pool {name} on {want.host}: {numbers}", "free or add space there")


def _coming(pool: str, want: VmDesired, view: View) -> int:
    """Bytes of that pool that the disks of other VMs will take, which are planned before this one."""
    total = 0
    for item in view.of("vm"):
        seen = [(p, s) for p, s in view.snapshot.of("vm") if p.name == item.place.name]
        if item.value.host == want.host and item.place.name < want.name and len(seen) == 1:
            ((place, state),) = seen
            if place.host != want.host and state.power == "running":
                total += sum(d.size for d in copied(item.value, state, place.host, view) if d.pool == pool)
    return total


def told(want: VmDesired, seen: DomainState, origin: str, view: View) -> Iterator[Caution]:
    """What a move there would copy."""
    for disk in copied(want, seen, origin, view):
        where = f"into pool {disk.pool} of {want.host}; the old one stays on {origin}"
        if want.moves.old_copy == "delete":
            where = f"into pool {disk.pool} of {want.host}; the old one on {origin} is deleted then"
        yield Caution(f"disk {disk.target} would be copied, {show_size(disk.size)} {where}")
