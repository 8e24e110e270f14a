"""Actions in the order they may run: places become needs, and needs an order that is the same for the same input.

Pure. How many run at once is apply's business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from heapq import heappop, heappush

from reconciler.errors import PlanError
from reconciler.model.action import Action
from reconciler.model.ref import Place


def order(actions: Sequence[Action]) -> tuple[Action, ...]:
    """Topological, one place after another where possible; raises PlanError naming the actions of a cycle."""
    at: dict[Place, list[str]] = {}
    for action in actions:
        at.setdefault(action.place, []).append(action.id)
    linked = {action.id: _linked(action, at) for action in actions}
    if len(linked) != len(actions):
        raise PlanError("two actions of the plan have one name; this is a bug, please report it with a snapshot")
    position = {identity: number for number, identity in enumerate(linked)}
    sorter: TopologicalSorter[str] = TopologicalSorter(
        {i: [n for n in (*a.needs, *a.after) if n in linked] for i, a in linked.items()}
    )
    try:
        sorter.prepare()
    except CycleError as error:
        raise PlanError(f"the plan waits for itself: {' -> '.join(error.args[1])}") from None
    ready = _Ready(list(linked.values()))
    ordered: list[Action] = []
    while sorter.is_active():
        for identity in sorter.get_ready():
            ready.add(position[identity])
        ordered.append(ready.next(ordered[-1].place if ordered else None))
        sorter.done(ordered[-1].id)
    return tuple(ordered)


class _Ready:
    """What may run, by number: the first at the place where something was done last, else the first of all."""

    def __init__(self, actions: Sequence[Action]) -> None:
        self._actions = actions
        self._all: list[int] = []
        self._at: dict[Place, list[int]] = {}
        self._gone: set[int] = set()

    def add(self, number: int) -> None:
        heappush(self._all, number)
        heappush(self._at.setdefault(self._actions[number].place, []), number)

    def next(self, place: Place | None) -> Action:
        here = self._at.get(place, []) if place else []
        number = self._first(here)
        number = self._first(self._all) if number < 0 else number
        self._gone.add(number)
        return self._actions[number]

    def _first(self, numbers: list[int]) -> int:
        """-1 where none is left; those that went by the other way are passed over."""
        while numbers:
            number = heappop(numbers)
            if number not in self._gone:
                return number
        return -1


def _linked(action: Action, at: Mapping[Place, Sequence[str]]) -> Action:
    """The action with `requires` turned into needs: all that happens at those places comes first and ends well."""
    wanted = [other for place in dict.fromkeys(action.requires) for other in at.get(place, ()) if other != action.id]
    return replace(action, needs=tuple(dict.fromkeys((*action.needs, *wanted))))
