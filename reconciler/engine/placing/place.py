"""place: everything wanted gets its host, from specs, snapshot and planner; what cannot be placed says why. Pure.

Makes no action: the difference between where a thing is and where it is wanted now is its kind's to plan.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.engine.placing.answer import answer
from reconciler.engine.placing.asking import question
from reconciler.engine.placing.homeward import Homeward, homeward
from reconciler.kind import Kind, no_tenancy
from reconciler.model.desired import View
from reconciler.model.placing import Verdict
from reconciler.model.ref import Ref
from reconciler.placement.problem import Problem
from reconciler.placement.solution import Solution

NOTHING = Solution((), (), (), (), 0, 0, 0, 0, 0)


def place(view: View, kinds: Sequence[Kind], targets: Sequence[str], blocked: Mapping[Ref, Verdict]) -> View:
    """The view with each object of the kind that takes room on its host, and what was decided in `placing`.

    `targets` are references (`vm/web`, `vm/web@host`): with any, nothing else is moved. `blocked` would be refused if
    they were moved, and why: they stay, and the others are placed around them.
    """
    kind = next((kind for kind in kinds if kind.tenancy is not no_tenancy), None)
    if kind is None:
        return view
    named = frozenset(target.partition("/")[2].partition("@")[0] for target in targets)
    still = frozenset(ref.name for ref in blocked)
    asked = question(kind.tenancy(view), view.fleet, named, still, view.now)
    any_asked = asked.asked or asked.problem.survive
    found = homeward(asked, view.fleet, _solved) if any_asked else Homeward(asked, NOTHING)
    placing = answer(found.asked, found.solution, view.fleet, kind.name)
    told = replace(placing.forecast, away=found.away)
    placing = replace(placing, refused={**placing.refused, **blocked}, forecast=told)
    seats = ((item, placing.seats.get(item.place.ref)) for item in view.desired)
    items = tuple(kind.settle(item, seat) if seat else item for item, seat in seats)
    return replace(view, desired=items, placing=placing)


def _solved(problem: Problem) -> Solution:
    """The import is paid for only where something is asked."""
    from reconciler.placement.solve import solve

    return solve(problem)
