"""What policy forbids is taken out of the plan and becomes a refusal that says so.

Pure: limits, the disruption cap and mode of the fleet; nothing about order or hosts.
"""

from collections.abc import Sequence

from reconciler.engine.prune import prune
from reconciler.model.action import Action, Refusal
from reconciler.model.desired import View
from reconciler.model.disruption import Disruption


def guard(actions: Sequence[Action], view: View) -> tuple[tuple[Action, ...], tuple[Refusal, ...]]:
    """The permitted actions, and a refusal for each forbidden one; what needed a forbidden one goes with it."""
    cap = Disruption(view.fleet.limits.disruption)
    forbidden: dict[str, Refusal] = {}
    for action in actions:
        if action.disruption.exceeds(cap) and action.disruption is not Disruption.DELETE:
            why = f"{action.explain()} is of class {action.disruption}, above the allowed {cap}"
            forbidden[action.id] = _refusal(action, view, why, "raise Fleet.limits.disruption")
    deletes = [action for action in actions if action.disruption is Disruption.DELETE]
    for action in deletes if len(deletes) > view.fleet.limits.deletes_per_pass else ():
        why = f"{action.explain()}: {len(deletes)} deletions, {view.fleet.limits.deletes_per_pass} allowed per pass"
        forbidden[action.id] = _refusal(action, view, why, "raise Fleet.limits.deletesPerPass")
    permitted = prune([action for action in actions if action.id not in forbidden])
    return permitted, tuple(forbidden.values())


def _refusal(action: Action, view: View, why: str, fix: str) -> Refusal:
    item = view.at(action.place) or next((i for i in view.desired if i.place.ref == action.place.ref), None)
    return Refusal(action.place, why, fix, item.origin.file if item else "", item.origin.line if item else 0)
