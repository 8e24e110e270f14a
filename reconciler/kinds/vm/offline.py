"""Offline and cold moves on real hosts: a definition goes from host to host, each step asked of every host before.

Crash-safe without memory: the new definition is marked until the old one is gone. It starts nothing and copies no file.
"""

from collections.abc import Sequence

from reconciler.errors import NeedsHuman, Refused
from reconciler.kinds.vm.move_mark import noted, with_notes
from reconciler.kinds.vm.offline_actions import DropArrival, FinishArrival, ForgetStop, MoveOffline, ShutToMove
from reconciler.kinds.vm.wire import MARK, read_domain
from reconciler.model.fleet import HostCard
from reconciler.model.outcome import Done
from reconciler.ports import Hands
from reconciler.readings import DomainReading

MISSING = 'for file; do [ -e "$file" ] || printf "%s\\n" "$file"; done'


def prepare(action: ShutToMove, hands: Hands) -> bool:
    """All that can be known before it is shut down, then the mark; False where a killed pass has shut it down."""
    source, there = hands.hosts[action.place.host], hands.hosts[action.destination]
    seen = _everywhere(action.uuid, hands)
    here = seen.pop(source.name, None)
    _nowhere_else(action.place.name, seen)
    if here is None:
        raise Refused(source.name, f"has no domain {action.uuid} any more", "plan again")
    if here.state == "shutoff" and read_domain(here, {}).resume:
        return False
    if here.state != "running" or here.migrating:
        said = "being migrated" if here.migrating else here.state
        raise Refused(source.name, f"{action.place.name} is {said}, not running; it was not shut down", "plan again")
    _nothing_kept(action.place.name, source, here)
    _files_there(there, action.files, hands)
    note(source, here, hands, resume="yes")
    hands.at("cold.marked")
    return True


def move_offline(action: MoveOffline, hands: Hands) -> Done:
    """The move, from wherever a killed pass left it; raises Refused where nothing was changed."""
    source, there, name = hands.hosts[action.origin], hands.hosts[action.place.host], action.place.name
    seen = _everywhere(action.uuid, hands)
    here, arrived = seen.pop(source.name, None), seen.pop(there.name, None)
    _nowhere_else(name, seen)
    if arrived and not (_comes_from(arrived, source) and arrived.state == "shutoff"):
        if here is None and not read_domain(arrived, {}).coming:
            return Done("is there already", changed=False)
        raise NeedsHuman(f"{name} is {arrived.state} on {there.name} already; nothing was moved", "plan again")
    if here is None and arrived is None:
        raise Refused(source.name, f"has no domain {action.uuid} any more", "plan again")
    if here is not None:
        _off(name, source, here)
        _nothing_kept(name, source, here)
        _files_there(there, action.files, hands)
        for pool in action.pools:
            hands.hypervisor.refresh_pool(there, pool)
        xml = hands.hypervisor.domain_xml(source, action.uuid)
        boots = "yes" if action.autostart else ""
        hands.hypervisor.define_domain(there, with_notes(xml, coming=source.name, boots=boots))
        hands.at("offline.defined")
        _leave(action, source, there, xml, hands)
    return _settle(name, action.uuid, there, hands)


def finish(action: FinishArrival, hands: Hands) -> Done:
    """Raises NeedsHuman when any other host has it after all."""
    there, name = hands.hosts[action.place.host], action.place.name
    seen = _everywhere(action.uuid, hands)
    arrived = seen.pop(there.name, None)
    _nowhere_else(name, seen)
    if arrived is None:
        raise Refused(there.name, f"has no domain {action.uuid} any more", "plan again")
    return _settle(name, action.uuid, there, hands)


def drop(action: DropArrival, hands: Hands) -> Done:
    """Only what is marked, off, and defined at its origin too is undefined."""
    there, name = hands.hosts[action.place.host], action.place.name
    arrived = hands.hypervisor.domain(there, action.uuid)
    if arrived is None:
        return Done("is gone already", changed=False)
    here = hands.hypervisor.domain(hands.hosts[action.origin], action.uuid)
    if here is None or arrived.state != "shutoff" or not _comes_from(arrived, hands.hosts[action.origin]):
        said = f"{arrived.state} on {there.name} and {here.state if here else 'absent'} on {action.origin}"
        raise NeedsHuman(f"{name} is {said} by now; nothing was undefined", "plan again")
    hands.hypervisor.undefine_domain(there, action.uuid)
    return Done(f"undefined; {name} is {here.state} on {action.origin}")


def forget(action: ForgetStop, hands: Hands) -> Done:
    card = hands.hosts[action.place.host]
    here = hands.hypervisor.domain(card, action.uuid)
    if here is None:
        raise Refused(card.name, f"has no domain {action.uuid} any more", "plan again")
    note(card, here, hands, resume="")
    return Done("the mark is gone")


def note(card: HostCard, reading: DomainReading, hands: Hands, **notes: str) -> None:
    """Write into our mark of a domain, running or not."""
    hands.hypervisor.set_metadata(card, reading.uuid, MARK, noted(reading.config, **notes))


def _everywhere(uuid: str, hands: Hands) -> dict[str, DomainReading]:
    """Every host that has it; one that does not answer is an error, because unknown means stop."""
    readings = {card.name: hands.hypervisor.domain(card, uuid) for card in hands.others("")}
    return {host: reading for host, reading in readings.items() if reading is not None}


def _nowhere_else(name: str, seen: dict[str, DomainReading]) -> None:
    if seen:
        said = ", ".join(f"{reading.state} on {host}" for host, reading in sorted(seen.items()))
        raise NeedsHuman(f"{name} is also {said}; nothing was moved", "find out which one is right")


def _comes_from(reading: DomainReading, source: HostCard) -> bool:
    return read_domain(reading, {}).coming == source.name


def _off(name: str, source: HostCard, here: DomainReading) -> None:
    if here.state != "shutoff":
        raise Refused(source.name, f"{name} is {here.state}, not off; it was not moved", "plan again")


def _nothing_kept(name: str, source: HostCard, here: DomainReading) -> None:
    if here.keeps or not here.persistent:
        said = f"libvirt keeps {', '.join(here.keeps)} of it" if here.keeps else "it is not stored on the host"
        raise Refused(source.name, f"{name} cannot go: {said}", "plan again; the plan says what to do")


def _files_there(there: HostCard, files: Sequence[str], hands: Hands) -> None:
    """Disks, kernels and loaders: without them it could not start where it goes."""
    reply = hands.shell.run(there, ["sh", "-c", MISSING, "sh", *files]) if files else None
    if reply and (reply.code != 0 or reply.out.strip()):
        missing = ", ".join(reply.out.split("\n")[:5]).strip(", ") or reply.err.strip()[:200]
        raise Refused(there.name, f"files of the VM are not there: {missing}", "bring them there; nothing was moved")


def _leave(action: MoveOffline, source: HostCard, there: HostCard, xml: str, hands: Hands) -> None:
    """Undefine at the source, which is asked again just before and after: somebody may start it there meanwhile."""
    name = action.place.name
    again = hands.hypervisor.domain(source, action.uuid)
    if again is not None and again.state == "shutoff":
        hands.hypervisor.undefine_domain(source, action.uuid)
        hands.at("offline.undefined")
        again = hands.hypervisor.domain(source, action.uuid)
        if again is None:
            return
        hands.hypervisor.define_domain(source, xml)
    elif again is None:
        raise NeedsHuman(f"{name} vanished from {source.name} while it was moved", f"{there.name} has it, marked")
    hands.hypervisor.undefine_domain(there, action.uuid)
    raise Refused(source.name, f"{name} was started there meanwhile; it stays there", "plan again")


def _settle(name: str, uuid: str, there: HostCard, hands: Hands) -> Done:
    """Autostart comes after the old definition is gone: no boot of a host can start it twice."""
    arrived = hands.hypervisor.domain(there, uuid)
    if arrived is None or not arrived.persistent:
        raise NeedsHuman(f"{name} is not stored on {there.name}", "virsh dumpxml it there and define it")
    hands.hypervisor.set_autostart(there, uuid, read_domain(arrived, {}).boots)
    hands.at("offline.settled")
    note(there, arrived, hands, coming="", boots="", moved=str(int(hands.clock.now())))
    return Done(f"defined on {there.name} only, {'off' if arrived.state == 'shutoff' else arrived.state}")
