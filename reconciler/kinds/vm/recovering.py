"""A post-copy that broke is taken up again, and a move that ended without us is cleared up, on real hosts.

It never destroys or starts a half; the definition on the source goes only when libvirt there says that it left.
"""

from dataclasses import replace

from reconciler.errors import HostError, NeedsHuman, Refused
from reconciler.kinds.vm.actions import FinishMove, RecoverMove
from reconciler.kinds.vm.climbing import Climbing
from reconciler.kinds.vm.halves import failed
from reconciler.kinds.vm.moving import asked, finished, request, settle, tell
from reconciler.model.fleet import HostCard
from reconciler.model.outcome import Done
from reconciler.ports import Hands
from reconciler.readings import DomainReading, JobNumbers

_POLL = 2.0
_PATIENCE = 600.0
_STILL = "still running"
"""QEMU goes on by itself where only the daemons lost each other; libvirt then says so, and resumes nothing."""


def recover(action: RecoverMove, hands: Hands) -> Done:
    """Raises Refused where it did not succeed and both halves are as they were, NeedsHuman where that is not so."""
    source, there = hands.hosts[action.origin], hands.hosts[action.place.host]
    if _ended(action, source, there, hands):
        return _settled(action, source, there, hands)
    hands.at("recover.ready")
    climbing = Climbing(action.policy, hands.clock, lambda job, rung, said: tell(job, hands, rung, said))
    again = replace(request(action, there), resume=True)
    try:
        numbers = hands.hypervisor.migrate(source, again, climbing.look, there)
    except HostError as error:
        hands.at("recover.failed")
        return _not_resumed(action, source, there, error, hands)
    hands.at("recover.migrated")
    settle(action, source, there, hands)
    return finished(action.uuid, there, numbers, hands)


def conclude(action: FinishMove, hands: Hands) -> Done:
    """Both hosts are asked once more; only `left here, runs there` is a reason to undefine."""
    source, there = hands.hosts[action.origin], hands.hosts[action.place.host]
    here = hands.hypervisor.domain(source, action.uuid)
    other = hands.hypervisor.domain(there, action.uuid)
    if here is not None and (here.state, here.reason) != ("shutoff", "migrated"):
        raise NeedsHuman(f"{action.place.name} is {_word(here)} on {source.name} by now", "plan again")
    if other is None or other.state != "running":
        raise NeedsHuman(f"{action.place.name} is {_word(other)} on {there.name} by now", "plan again")
    settle(action, source, there, hands)
    return Done(f"runs on {there.name}, undefined on {source.name}", changed=here is not None)


def _ended(action: RecoverMove, source: HostCard, there: HostCard, hands: Hands) -> bool:
    """Did it end by itself meanwhile? Raises where it is neither that nor two halves."""
    here = _known(asked(source, action.uuid, hands), source)
    other = _known(asked(there, action.uuid, hands), there)
    gone = here is None or (here.state, here.reason) == ("shutoff", "migrated")
    if gone and other is not None and other.state == "running" and not failed(other):
        return True
    if here is None or other is None or here.state != "paused" or other.state not in ("running", "paused"):
        said = f"{_word(here)} on {source.name}, {_word(other)} on {there.name}"
        fix = "nothing was touched; `virsh domstate --reason` on both"
        raise NeedsHuman(f"{action.place.name} cannot be put together again: it is {said}", fix)
    return False


def _known(said: DomainReading | HostError | None, card: HostCard) -> DomainReading | None:
    if isinstance(said, HostError):
        raise NeedsHuman(f"a half is on {card.name}, which does not answer: {said.reason}", "bring it back, plan again")
    return said


def _word(reading: DomainReading | None) -> str:
    if reading is None:
        return "absent"
    return f"{reading.state} ({reading.reason})" if reading.reason else reading.state


def _settled(action: RecoverMove, source: HostCard, there: HostCard, hands: Hands) -> Done:
    settle(action, source, there, hands)
    return finished(action.uuid, there, JobNumbers(), hands)


def _not_resumed(action: RecoverMove, source: HostCard, there: HostCard, error: HostError, hands: Hands) -> Done:
    """QEMU may be at it still: then it is waited for. It may have ended: then it is settled."""
    goes_on = _STILL in error.reason or _flows(source, action.uuid, hands)
    end = hands.clock.now() + (max(action.policy.timeout, _PATIENCE) if goes_on else 0.0)
    while not _ended(action, source, there, hands):
        if hands.clock.now() >= end:
            fix = f"neither half was touched; is the link from {source.name} to {there.name} back? Then apply again"
            why = f"the post-copy of {action.place.name} was not taken up again: {error.reason}"
            raise Refused(source.name, why, fix) from None
        hands.tell("QEMU goes on by itself, waiting for its end", 0, 0, {})
        hands.clock.sleep(_POLL)
    return _settled(action, source, there, hands)


def _flows(source: HostCard, uuid: str, hands: Hands) -> bool:
    """Is memory under way, whatever libvirt said of the attempt? Two looks tell."""

    def sent() -> int:
        job = hands.hypervisor.running_job(source, uuid)
        return job.processed if job else 0

    try:
        before = sent()
        hands.clock.sleep(_POLL)
        return 0 < before < sent()
    except HostError:
        return False
