"""Differences to actions and refusals: each kind plans its own, then each may weave around the others'.

Pure. Orders nothing and permits nothing; order and guard do.
"""

from collections.abc import Sequence

from reconciler.kind import Kind
from reconciler.model.action import Action, Refusal
from reconciler.model.change import Difference
from reconciler.model.desired import View
from reconciler.model.ref import Place


def plan(
    differences: Sequence[Difference], view: View, kinds: Sequence[Kind]
) -> tuple[tuple[Action, ...], tuple[Refusal, ...]]:
    """All actions, kinds in registry order, and all refusals, silent hosts first."""
    refusals: list[Refusal] = _silent(view)
    actions: Sequence[Action] = []
    for kind in kinds:
        steps = [step for d in differences if d.place.kind == kind.name for step in kind.plan(d, view)]
        actions = [*actions, *(step for step in steps if isinstance(step, Action))]
        refusals += (step for step in steps if isinstance(step, Refusal))
    for kind in kinds:
        actions, more = kind.weave(actions, view)
        refusals += more
    return tuple(actions), tuple(refusals)


def _silent(view: View) -> list[Refusal]:
    """One refusal per silent host, at the place of the Host document."""
    refusals = []
    for silence in view.snapshot.silences:
        card = view.fleet.hosts.get(silence.host)
        where = (card.file, card.line) if card else ("", 0)
        scope = "" if "host" in silence.kinds else f" ({', '.join(silence.kinds)} unknown)"
        refusals.append(Refusal(Place("host", silence.host, silence.host), silence.reason + scope, silence.fix, *where))
    return refusals
