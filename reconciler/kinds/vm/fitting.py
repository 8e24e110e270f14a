"""Before a running guest is sent: has its destination still the room that the plan counted on?

The plan keeps its own moves from taking the same room; this is about what came there beside it.
"""

from reconciler.errors import Refused
from reconciler.kinds.vm.actions import MoveLive
from reconciler.kinds.vm.wire import read_domain
from reconciler.model.fleet import HostCard
from reconciler.model.units import show_size
from reconciler.ports import Hands


def fits(action: MoveLive, there: HostCard, hands: Hands) -> None:
    """Raises Refused where it would take more than VMs may take there together with those that are not off now."""
    if action.room is None:
        return
    states = [read_domain(reading, {}) for reading in hands.hypervisor.inventory(there).domains]
    taken = sum(state.memory for state in states if state.power != "stopped" and state.uuid != action.uuid)
    if taken + action.memory > action.room:
        what = f"{action.place.name} needs {show_size(action.memory)} there, VMs take {show_size(taken)} by now"
        raise Refused(there.name, f"{what}, and {show_size(action.room)} is all they may take", "plan again")
