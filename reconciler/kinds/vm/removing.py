"""A VM that is declared nowhere any more goes from a real host: asked everywhere, shut down by itself, undefined.

Deletes no file and cuts no power; without our mark that allows it, nothing is done.
"""

from reconciler.errors import NeedsHuman, Refused
from reconciler.kinds.vm.move_mark import noted
from reconciler.kinds.vm.prune_actions import AllowPrune, DeleteDomain
from reconciler.kinds.vm.stopping import present, stop
from reconciler.kinds.vm.wire import MARK, read_domain
from reconciler.model.outcome import Done
from reconciler.ports import Hands
from reconciler.readings import DomainReading


def allow(action: AllowPrune, hands: Hands) -> Done:
    """Into the mark, beside what else is in it."""
    card = hands.hosts[action.place.host]
    here = present(card, action.uuid, hands)
    text = noted(here.config, prune="allowed" if action.allowed else "")
    hands.hypervisor.set_metadata(card, action.uuid, MARK, text)
    return Done("marked")


def remove(action: DeleteDomain, hands: Hands) -> Done:
    """Done where it is gone already; raises NeedsHuman where another host has it, Refused where anything changed."""
    card, name = hands.hosts[action.place.host], action.place.name
    if hands.silent:
        raise NeedsHuman(f"{', '.join(sorted(hands.silent))} did not answer; {name} was not deleted", "plan again")
    for other in hands.others(card.name):
        there = hands.hypervisor.domain(other, action.uuid)
        if there is not None:
            raise NeedsHuman(f"{name} is also {there.state} on {other.name}; it was not deleted", "plan again")
    here = hands.hypervisor.domain(card, action.uuid)
    if here is None:
        return Done("is gone already", changed=False)
    _allowed(action, here)
    ended = stop(card, action.uuid, action.wait, hands)
    hands.at("delete.stopped")
    again = present(card, action.uuid, hands)
    _allowed(action, again)
    if again.state != "shutoff":
        raise Refused(card.name, f"{name} was started meanwhile; it was not deleted", "plan again")
    hands.hypervisor.undefine_domain(card, action.uuid)
    kept = ", ".join(action.disks) or "nothing"
    return Done(f"{ended.text}, undefined; what stays: {kept}", facts={"kept": list(action.disks)})


def _allowed(action: DeleteDomain, here: DomainReading) -> None:
    """The mark as it is now, not as it was when the plan was made."""
    state, host = read_domain(here, {}), action.place.host
    if not state.prune or state.fleet != action.fleet:
        raise Refused(host, f"{action.place.name} may not be deleted any more: its mark changed", "plan again")
    if state.migrating or here.keeps or not here.persistent:
        raise Refused(host, f"{action.place.name} is moving, or libvirt keeps something of it", "plan again")
