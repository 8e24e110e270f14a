"""A guest that a migration left paused goes on: everything the plan believed is asked again on live hosts first.

It resumes, and does nothing else; where anything is otherwise, it leaves the guest as it is.
"""

from reconciler.errors import NeedsHuman, Refused
from reconciler.kinds.vm.actions import ResumeDomain
from reconciler.kinds.vm.state import LEFT
from reconciler.model.fleet import HostCard
from reconciler.model.outcome import Done
from reconciler.ports import Hands
from reconciler.readings import DomainReading


def resume(action: ResumeDomain, hands: Hands) -> Done:
    """Paused here by a migration that is over, on no other host, every host asked; else NeedsHuman or Refused."""
    card, name = hands.hosts[action.place.host], action.place.name
    here = hands.hypervisor.domain(card, action.uuid)
    if here is not None and here.state == "running":
        return Done("runs already", changed=False)
    if here is None or here.state != "paused" or here.reason not in LEFT:
        said = "gone" if here is None else f"{here.state} ({here.reason or 'no reason known'})"
        raise Refused(card.name, f"{name} is {said}, not left paused by a migration", "plan again")
    if here.migrating or hands.hypervisor.running_job(card, action.uuid):
        raise Refused(card.name, f"{name} is being migrated by now", "plan again; it is followed then")
    _nowhere_else(action, card, hands)
    hands.at("resume.asked")
    hands.hypervisor.resume_domain(card, action.uuid)
    after = hands.hypervisor.domain(card, action.uuid)
    if after is None or after.state != "running":
        said = "gone" if after is None else after.state
        raise NeedsHuman(f"{name} was resumed on {card.name} and is {said}", "see /var/log/libvirt/qemu there")
    return Done("goes on")


def _nowhere_else(action: ResumeDomain, card: HostCard, hands: Hands) -> None:
    if hands.silent:
        where = ", ".join(sorted(hands.silent))
        raise NeedsHuman(f"{action.place.name} is paused on {card.name}, and {where} did not answer", "bring it back")
    for other in hands.others(card.name):
        seen: DomainReading | None = hands.hypervisor.domain(other, action.uuid)
        if seen is not None:
            raise NeedsHuman(
                f"{action.place.name} is paused on {card.name} and {seen.state} on {other.name}; it was not resumed",
                "find out which one has the newer memory: the one that ran last",
            )
