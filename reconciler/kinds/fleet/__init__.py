"""Kind Fleet: policy only; it is on no host, so there is nothing to read, compare or run."""

from reconciler.kind import Kind, no_facts
from reconciler.kinds.fleet.adopt import adopt
from reconciler.kinds.fleet.resolve import resolve
from reconciler.kinds.fleet.spec import FleetSpec
from reconciler.model.action import Action
from reconciler.model.outcome import Done
from reconciler.ports import Hands


def _run(action: Action, hands: Hands) -> Done:
    raise TypeError(f"a fleet has no actions: {action.id}")


KIND = Kind(
    name="fleet",
    yaml="Fleet",
    spec=FleetSpec,
    states=(),
    actions=(),
    resolve=resolve,
    facts=no_facts,
    read=lambda sight: (),
    compare=lambda view: (),
    plan=lambda difference, view: (),
    run=_run,
    uses_inventory=False,
    adopt=adopt,
)
