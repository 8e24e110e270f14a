"""What policy forbids is taken out of the plan and becomes a refusal that says so.

Pure: limits, the disruption cap and mode of the fleet; nothing about order or hosts.
"""

from collections.abc import Sequence

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
    for action in deletes[view.fleet.limits.deletes_per_pass :]:
        why = f"{action.explain()}: {len(deletes)} deletions, {view.fleet.limits.deletes_per_pass} allowed per pass"
        forbidden[action.id] = _refusal(action, view, why, "raise Fleet.limits.deletesPerPass")
    lost = _with_dependants(actions, set(forbidden))
    return tuple(action for action in actions if action.id not in lost), tuple(forbidden.values())


def _refusal(action: Action, view: View, why: str, fix: str) -> Refusal:
    item = view.at(action.place)
    return Refusal(action.place, why, fix, item.origin.file if item else "", item.origin.line if item else 0)


def _with_dependants(actions: Sequence[Action], lost: set[str]) -> set[str]:
    """Everything that needs, or only serves, what is lost (a lease's revocation goes with its move)."""
    growing = True
    while growing:
        more = {a.id for a in actions if a.id not in lost and any(n in lost for n in (*a.needs, *a.after))}
        more |= {n for a in actions if a.id in lost for n in a.needs if _only_serves(n, actions, lost)}
        growing = bool(more - lost)
        lost |= more
    return lost


def _only_serves(identity: str, actions: Sequence[Action], lost: set[str]) -> bool:
    action = next((a for a in actions if a.id == identity), None)
    if action is None or action.place.kind != "lease":
        return False
    return all(a.id in lost for a in actions if identity in a.needs)
