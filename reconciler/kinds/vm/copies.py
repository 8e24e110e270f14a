"""Copies of disks on real hosts: noted on the domain before they are made, proven after, and cleared when it failed.

Deletes only volumes named in that note, on hosts where the VM is not, that nobody uses and that are no file of its own.
"""

from collections.abc import Sequence

from reconciler.errors import HostError, NeedsHuman, Refused
from reconciler.kinds.vm.actions import MoveLive
from reconciler.kinds.vm.copy_actions import ClearCopy, DeleteOldCopy
from reconciler.kinds.vm.copy_wire import COPIES, write_copies
from reconciler.kinds.vm.state import CopyDisk, DomainState, VolumeAt
from reconciler.kinds.vm.wire import parse, read_domain
from reconciler.model.fleet import HostCard
from reconciler.model.outcome import Done
from reconciler.model.units import show_size
from reconciler.ports import Hands
from reconciler.readings import PoolReading


def begin(action: MoveLive, hands: Hands) -> None:
    """Look once more at both hosts' pools, then note on the domain what will be made; raises Refused."""
    if not action.copies:
        return
    source, there = hands.hosts[action.origin], hands.hosts[action.place.host]
    for pool in sorted({disk.pool for disk in action.copies}):
        hands.hypervisor.refresh_pool(source, pool)
        _fit(there, pool, [disk for disk in action.copies if disk.pool == pool], hands)
    making = [VolumeAt(there.name, disk.pool, disk.volume) for disk in action.copies]
    hands.hypervisor.set_metadata(source, action.uuid, COPIES, write_copies(making, action.left))
    hands.at("copy.marked")


def _fit(there: HostCard, name: str, disks: Sequence[CopyDisk], hands: Hands) -> None:
    """Active, at the same path, without such files, with room for them."""
    hands.hypervisor.refresh_pool(there, name)
    pool = _pool(there, name, hands)
    folder = disks[0].path.rpartition("/")[0]
    if pool is None or not pool.active or _folder(pool) != folder:
        raise Refused(there.name, f"pool {name} is not up at {folder} by now", "plan again")
    for disk in disks:
        if any(volume.name == disk.volume for volume in pool.volumes):
            raise Refused(there.name, f"a file {disk.path} is there by now; nothing is overwritten", "plan again")
    need = sum(disk.size for disk in disks) + max(disk.min_free for disk in disks)
    if need > pool.available:
        numbers = f"{show_size(need)} needed with minFree, {show_size(pool.available)} free"
        raise Refused(there.name, f"no space in pool {name}: {numbers}", "free or add space there")


def _pool(card: HostCard, name: str, hands: Hands) -> PoolReading | None:
    return next((pool for pool in hands.hypervisor.inventory(card).pools if pool.name == name), None)


def _folder(pool: PoolReading) -> str:
    return (parse(pool.xml).findtext("target/path") or "").rstrip("/")


def settle(uuid: str, source: HostCard, there: HostCard, hands: Hands) -> None:
    """It arrived with what was noted: both hosts' pools are read anew, the note says only what lies elsewhere."""
    state = _state(there, uuid, hands)
    if state is None or not state.copying:
        return
    for pool in sorted({volume.pool for volume in state.copying}):
        hands.hypervisor.refresh_pool(there, pool)
        hands.hypervisor.refresh_pool(source, pool)
    _note(there, uuid, (), [volume for volume in state.left if volume.host != there.name], hands)


def failed(action: MoveLive, refused: Refused, hands: Hands) -> Refused:
    """The move did not happen: its half-made copies go at once, or with the next pass; gives the error to raise."""
    if not action.copies:
        return refused
    source = hands.hosts[action.origin]
    try:
        said = _clear(source, action.uuid, hands)
    except HostError as error:
        said = f"what was copied so far is cleared by the next pass: {error}"
    return Refused(source.name, refused.reason, f"{refused.fix}; {said}")


def clear(action: ClearCopy, hands: Hands) -> Done:
    """What an ended copy left; raises NeedsHuman where the VM is not on this host alone."""
    return Done(_clear(hands.hosts[action.place.host], action.uuid, hands))


def _clear(home: HostCard, uuid: str, hands: Hands) -> str:
    state = _alone(home, uuid, hands)
    arrived = [volume for volume in state.copying if volume.host == home.name]
    for pool in sorted({volume.pool for volume in arrived}):
        hands.hypervisor.refresh_pool(home, pool)
    gone = _delete([volume for volume in state.copying if volume not in arrived], home, hands)
    hands.at("copy.cleared")
    _note(home, uuid, (), [volume for volume in state.left if volume.host != home.name], hands)
    return f"half-made copies are gone: {', '.join(gone)}" if gone else "no half-made copy is left"


def delete_old(action: DeleteOldCopy, hands: Hands) -> Done:
    """The old copies, once the VM runs from its new ones."""
    home = hands.hosts[action.place.host]
    state = _alone(home, action.uuid, hands)
    if state.power != "running" or state.copying:
        raise Refused(home.name, f"{action.place.name} does not run from its copied disks yet", "plan again")
    wanted = [volume for volume in state.left if volume in action.volumes and volume.host != home.name]
    gone = _delete(wanted, home, hands)
    hands.at("copy.old-deleted")
    _note(home, action.uuid, (), [volume for volume in state.left if volume not in action.volumes], hands)
    return Done(f"deleted: {', '.join(gone)}" if gone else "they were gone already", changed=bool(gone))


def proven(copies: Sequence[CopyDisk], state: DomainState, card: HostCard, hands: Hands) -> None:
    """Each disk that came along is a volume of its pool here, and what the VM runs from."""
    paths = {disk.path for disk in state.disks}
    for disk in copies:
        hands.hypervisor.refresh_pool(card, disk.pool)
        hands.hypervisor.volume_xml(card, disk.path)
        if disk.path not in paths:
            raise Refused(card.name, f"disk {disk.target} is not {disk.path}", "see `virsh domblklist` there")


def said(action: MoveLive) -> str:
    """What a person should know of the copies that a move left."""
    old = [f"{volume} (`virsh vol-delete --pool {volume.pool} {volume.name}` there)" for volume in action.left]
    return f"; its old disks stay: {', '.join(old)}" if action.copies and action.policy.old_copy == "keep" else ""


def _alone(home: HostCard, uuid: str, hands: Hands) -> DomainState:
    """The domain here, and on no other host; asked for half a minute, as a failed migration's other half ends late."""
    end = hands.clock.now() + 30
    while True:
        others = [c.name for c in hands.others(home.name) if hands.hypervisor.domain(c, uuid) is not None]
        state = _state(home, uuid, hands)
        if state is None or state.migrating or state.power not in ("running", "stopped"):
            raise Refused(home.name, "its VM is not there at rest; no copy was deleted", "plan again")
        if not others:
            return state
        if hands.clock.now() >= end:
            where = " and ".join(others)
            raise NeedsHuman(f"it is on {where} too; no copy of its disks was deleted", "find out which one is right")
        hands.clock.sleep(2.0)


def _state(card: HostCard, uuid: str, hands: Hands) -> DomainState | None:
    reading = hands.hypervisor.domain(card, uuid)
    return read_domain(reading, {}) if reading else None


def _note(card: HostCard, uuid: str, making: Sequence[VolumeAt], left: Sequence[VolumeAt], hands: Hands) -> None:
    hands.hypervisor.set_metadata(card, uuid, COPIES, write_copies(making, left))


def _delete(volumes: Sequence[VolumeAt], home: HostCard, hands: Hands) -> list[str]:
    """Those that are there; raises Refused, before anything is deleted, where one cannot be."""
    found = [volume for volume in volumes if _deletable(volume, home, hands)]
    for volume in found:
        hands.hypervisor.delete_volume(hands.hosts[volume.host], volume.pool, volume.name)
    return [str(volume) for volume in found]


def _deletable(volume: VolumeAt, home: HostCard, hands: Hands) -> bool:
    card = hands.hosts.get(volume.host)
    if card is None or volume.host in hands.silent:
        raise Refused(home.name, f"{volume} cannot be deleted: {volume.host} does not answer", "bring it back")
    hands.hypervisor.refresh_pool(card, volume.pool)
    pool = _pool(card, volume.pool, hands)
    if pool is None or all(v.name != volume.name for v in pool.volumes):
        return False
    path = f"{_folder(pool)}/{volume.name}"
    for reading in hands.hypervisor.inventory(card).domains:
        if any(disk.path == path for disk in read_domain(reading, {}).disks):
            raise Refused(card.name, f"{path} is a disk of {reading.name}; it was not deleted", "look at both VMs")
    if _same(path, home, card, hands):
        fix = "declare the pool shared if it is; else delete it by hand"
        raise Refused(card.name, f"{path} may be the same file on {home.name} too; it was not deleted", fix)
    return True


def _same(path: str, one: HostCard, other: HostCard, hands: Hands) -> bool:
    """May it be one file, seen from two hosts? Not if its number or its time of birth differ, or one has none."""
    replies = [hands.shell.run(card, ["stat", "-c", "%i %W", "--", path]) for card in (one, other)]
    if any(reply.code != 0 for reply in replies):
        return False
    (number, born), (other_number, other_born) = (reply.out.split() for reply in replies)
    return number == other_number and (born == other_born or "0" in (born, other_born))
