"""Placing's order put on the kinds' actions: arrivals need departures, and who goes round goes in two legs. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from reconciler.kind import Kind
from reconciler.model.action import Action, Refusal
from reconciler.model.change import Difference
from reconciler.model.desired import View
from reconciler.model.placing import Placing, Seat
from reconciler.model.ref import Place, Ref

_ROUND = "only to make room"
Steps = Sequence[Action | Refusal]
Differ = Callable[[View, Sequence[Kind]], Sequence[Difference]]


def legs(kind: Kind, difference: Difference, view: View, differ: Differ) -> Steps:
    """The kind's own steps; for what goes through a third host, those that bring it there and those from there on."""
    ref = difference.place.ref
    third = view.placing.via.get(ref)
    if third is None:
        return kind.plan(difference, view)
    there = tuple(kind.settle(i, Seat(third, why=_ROUND)) if i.place.ref == ref else i for i in view.desired)
    first = _planned(kind, ref, replace(view, desired=there), differ)
    if any(isinstance(step, Refusal) for step in first):
        return first
    after = view.snapshot
    for step in first:
        after = step.effect(after) if isinstance(step, Action) else after
    needs = tuple(step.id for step in first if isinstance(step, Action) and not step.looks)
    second = _planned(kind, ref, replace(view, snapshot=after), differ)
    return [*first, *(replace(s, needs=(*s.needs, *needs)) if isinstance(s, Action) else s for s in second)]


def _planned(kind: Kind, ref: Ref, view: View, differ: Differ) -> list[Action | Refusal]:
    return [s for d in differ(view, (kind,)) if d.place.ref == ref for s in kind.plan(d, view)]


def linked(actions: Sequence[Action], placing: Placing) -> Sequence[Action]:
    """Each arrival with the departures it needs; where one of these is not planned, it does not happen either."""
    waits: dict[tuple[Ref, str], list[str]] = {}
    ends = {(a.place.ref, a.place.host): a.id for a in actions if a.between}
    for wait in placing.waits:
        gone = ends.get((wait.other, wait.away), f"{Place(wait.other.kind, wait.away, wait.other.name)}:arrives")
        waits.setdefault((wait.ref, wait.host), []).append(gone)
    if not waits:
        return actions
    moving = {(a.place.ref, a.between[-1]) for a in actions if a.between}
    return [_waiting(action, waits, moving) for action in actions]


def _waiting(action: Action, waits: dict[tuple[Ref, str], list[str]], moving: set[tuple[Ref, str]]) -> Action:
    """What goes to a host waits before it leaves the other; what comes to be on a host, before its first step there."""
    ref = action.place.ref
    key = (ref, action.between[-1] if action.between else action.place.host)
    if key not in waits or (not action.between and key in moving):
        return action
    return replace(action, needs=tuple(dict.fromkeys((*action.needs, *waits[key]))))
