"""A migration that somebody began is watched to its end; then both hosts say what became of it.

It never starts, aborts or repeats a migration: what is still under way when patience ends is left to itself.
"""

from dataclasses import dataclass
from typing import Literal

from reconciler.errors import HostError, NeedsHuman, Refused, Unreachable
from reconciler.kinds.vm.actions import FollowMove, MoveLive
from reconciler.kinds.vm.halves import failed
from reconciler.kinds.vm.ladder import grace
from reconciler.kinds.vm.moving import Underway, asked, finished, move, settle, tell
from reconciler.model.fleet import HostCard
from reconciler.model.outcome import Done
from reconciler.model.units import show_duration
from reconciler.ports import Hands
from reconciler.readings import DomainReading, JobNumbers

_POLL = 1.0
_SETTLING = 30.0
_LOOK = "look at both hosts' libvirtd log and `virsh domstate --reason`; nothing was touched"


@dataclass(frozen=True, slots=True)
class _Seen:
    """Both ends at one moment; None is absent."""

    here: DomainReading | None
    there: DomainReading | None

    @property
    def end(self) -> Literal["arrived", "stayed", "open", "twice"]:
        """Open is what two hosts pass through while they hand over, and what a person must look at if it stays so."""
        here, there = _power(self.here), _power(self.there)
        if here == there == "running":
            return "twice"
        if failed(self.here) or failed(self.there):
            return "open"
        if there == "running" and here in ("absent", "shutoff"):
            return "arrived"
        return "stayed" if here == "running" and there in ("absent", "shutoff") else "open"


def moved(action: MoveLive, hands: Hands) -> Done:
    """The move; where the connection to its source was lost and the migration goes on, it is followed to its end."""
    try:
        return move(action, hands)
    except Underway:
        rest = FollowMove(
            place=action.place,
            uuid=action.uuid,
            origin=action.origin,
            towards=action.place.host,
            autostart=action.autostart,
            patience=action.policy.timeout + grace(action.policy),
        )
        return follow(rest, hands)


def follow(action: FollowMove, hands: Hands) -> Done:
    """What became of it; raises Refused where it failed or still runs, NeedsHuman where the truth is unknown."""
    source = hands.hosts[action.origin]
    last = _watched(action, source, hands)
    there = _other_end(action, source, hands)
    seen = _ended(action, source, there, hands)
    name = action.place.name
    match seen.end:
        case "arrived":
            hands.at("follow.ended")
            settle(action, source, there, hands)
            return finished(action.uuid, there, last, hands)
        case "stayed":
            fix = f"it still runs on {source.name}; `journalctl -u libvirtd` there says why; the next pass plans anew"
            raise Refused(source.name, f"the migration of {name} ended without success", fix)
        case "twice":
            raise NeedsHuman(f"ALARM: {name} runs on {source.name} AND {there.name}", "stop the wrong one by hand")
        case _:
            said = f"{_power(seen.here)} on {source.name}, {_power(seen.there)} on {there.name}"
            raise NeedsHuman(f"{name} is {said} after its migration ended", _LOOK)


def _watched(action: FollowMove, source: HostCard, hands: Hands) -> JobNumbers:
    """The job's last numbers, once the source says that there is none."""
    last, began, heard = JobNumbers(), hands.clock.now(), hands.clock.now()
    while True:
        try:
            job = hands.hypervisor.running_job(source, action.uuid)
            heard = hands.clock.now()
        except Unreachable as error:
            if hands.clock.now() - heard > _SETTLING:
                why = f"{source.name}, which it leaves, does not answer: {error.reason}"
                raise NeedsHuman(
                    f"{action.place.name} is being migrated and {why}", "bring it back, plan again"
                ) from None
            hands.clock.sleep(2 * _POLL)
            continue
        if job is None:
            return last
        last = job
        tell(job, hands)
        if hands.clock.now() - began > action.patience:
            fix = f"apply again to follow it on; `virsh domjobinfo {action.place.name}` there shows it"
            after = show_duration(action.patience)
            raise Refused(source.name, f"the migration of {action.place.name} is still running after {after}", fix)
        hands.clock.sleep(_POLL)


def _other_end(action: FollowMove, source: HostCard, hands: Hands) -> HostCard:
    """Where it was seen to go; else whichever host has it now, and without any the one where it is declared."""
    if action.towards:
        return hands.hosts[action.towards]
    for card in hands.others(source.name):
        if hands.hypervisor.domain(card, action.uuid) is not None:
            return card
    return next((c for c in hands.others(source.name) if c.name == action.place.host), source)


def _ended(action: FollowMove, source: HostCard, there: HostCard, hands: Hands) -> _Seen:
    """Both hosts asked until they agree; half a minute is more than libvirt takes to hand over or to give up."""
    end = hands.clock.now() + _SETTLING
    while True:
        seen = _Seen(_answer(action, source, hands), _answer(action, there, hands) if there is not source else None)
        if seen.end != "open" or hands.clock.now() >= end:
            return seen
        hands.tell("waiting for both hosts to agree", 0, 0, {})
        hands.clock.sleep(_POLL)


def _answer(action: FollowMove, card: HostCard, hands: Hands) -> DomainReading | None:
    said = asked(card, action.uuid, hands)
    if isinstance(said, HostError):
        raise NeedsHuman(
            f"the migration of {action.place.name} has ended, and what is true is unknown: {said}",
            f"bring {card.name} back and plan again",
        )
    return said


def _power(reading: DomainReading | None) -> str:
    return "absent" if reading is None else reading.state
