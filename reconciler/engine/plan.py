"""Differences to actions and refusals: each kind plans its own, then each may weave around the others'.

Pure. Orders nothing and permits nothing; order and guard do.
"""

from collections.abc import Sequence

from reconciler.engine.diff import diff
from reconciler.engine.placing.linking import legs, linked
from reconciler.kind import Kind
from reconciler.model.action import Action, Refusal
from reconciler.model.change import Difference
from reconciler.model.desired import Desired, View
from reconciler.model.placing import Verdict
from reconciler.model.ref import Place, Ref


def plan(
    differences: Sequence[Difference], view: View, kinds: Sequence[Kind]
) -> tuple[tuple[Action, ...], tuple[Refusal, ...]]:
    """All actions, kinds in registry order, and all refusals, silent hosts first."""
    refusals: list[Refusal] = _silent(view)
    actions: Sequence[Action] = []
    for kind in kinds:
        steps = [step for d in differences if d.place.kind == kind.name for step in _steps(d, kind, view)]
        actions = [*actions, *(step for step in steps if isinstance(step, Action))]
        refusals += (step for step in steps if isinstance(step, Refusal))
    refusals += _unplaced(view, {refusal.place.ref for refusal in refusals})
    actions = linked(actions, view.placing)
    for kind in kinds:
        actions, more = kind.weave(actions, view)
        refusals += more
    return tuple(actions), tuple(refusals)


def _steps(difference: Difference, kind: Kind, view: View) -> Sequence[Action | Refusal]:
    """What the kind plans, unless placing has something against it that the kind has not."""
    steps = legs(kind, difference, view, diff)
    verdict = view.placing.refused.get(difference.place.ref)
    if verdict is None or difference.place.ref in view.placing.roomy:
        return steps
    if any(isinstance(step, Refusal) for step in steps):
        return [*steps, _refusal(view.required(difference.place), verdict)] if verdict.shared else steps
    refusal = _refusal(view.required(difference.place), verdict)
    if not view.snapshot.named(difference.place.kind, difference.place.name):
        return [refusal]
    return [*(step for step in steps if isinstance(step, Action) and not step.between), refusal]


def _refusal(item: Desired, verdict: Verdict) -> Refusal:
    return Refusal(item.place, verdict.reason, verdict.fix, item.origin.file, item.origin.line)


def _unplaced(view: View, told: set[Ref]) -> list[Refusal]:
    """What placing refuses, and no kind has spoken of."""
    items = {item.place.ref: item for item in view.desired if item.place.ref in view.placing.refused}
    return [_refusal(items[ref], verdict) for ref, verdict in view.placing.refused.items() if ref not in told]


def _silent(view: View) -> list[Refusal]:
    """One refusal per silent host, at the place of the Host document."""
    refusals = []
    for silence in view.snapshot.silences:
        card = view.fleet.hosts.get(silence.host)
        where = (card.file, card.line) if card else ("", 0)
        scope = "" if "host" in silence.kinds else f" ({', '.join(silence.kinds)} unknown)"
        refusals.append(Refusal(Place("host", silence.host, silence.host), silence.reason + scope, silence.fix, *where))
    return refusals
