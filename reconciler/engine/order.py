"""Actions in the order they may run: places become needs, and needs an order that is the same for the same input.

Pure. How many run at once is apply's business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

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
    ready = list(sorter.get_ready())
    ordered: list[Action] = []
    while ready:
        here = [identity for identity in ready if ordered and linked[identity].place == ordered[-1].place]
        identity = min(here or ready, key=position.__getitem__)
        ready.remove(identity)
        ordered.append(linked[identity])
        sorter.done(identity)
        ready += sorter.get_ready()
    return tuple(ordered)


def _linked(action: Action, at: Mapping[Place, Sequence[str]]) -> Action:
    """The action with `requires` turned into needs: all that happens at those places comes first and ends well."""
    wanted = [other for place in dict.fromkeys(action.requires) for other in at.get(place, ()) if other != action.id]
    return replace(action, needs=tuple(dict.fromkeys((*action.needs, *wanted))))
