"""A plan by object, as reviewers read it: each object's steps, its worst disruption, its changed fields.

Arranges what the plan says; decides nothing, and knows no output format.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.model.action import Action
from reconciler.model.change import Change
from reconciler.model.disruption import Disruption
from reconciler.model.plan import Plan
from reconciler.model.ref import Ref
from reconciler.model.units import show_duration, show_size

GIGABIT = 10**9 / 8
MEANING: Mapping[Disruption, str] = {
    Disruption.NONE: "no VM notices",
    Disruption.LIVE: "a running VM is changed while it runs",
    Disruption.NEXT_BOOT: "takes effect when the VM boots next",
    Disruption.RESTART: "a VM is shut down or started again",
    Disruption.MOVE_LIVE: "a VM changes its host while it runs",
    Disruption.MOVE_COLD: "a VM is shut down, moved, and started",
    Disruption.RECREATE: "a VM is made anew",
    Disruption.DELETE: "something is deleted",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One action with its number in the plan's order, from 1."""

    number: int
    action: Action

    @property
    def said(self) -> str:
        """What, its class, and what is copied: `move live a -> b  [move-live, about 256 MiB]`; a look has no class."""
        action = self.action
        if action.looks:
            return action.explain()
        size = f", about {show_size(action.expected_bytes)}" if action.expected_bytes else ""
        return f"{action.explain()} [{action.disruption}{size}]"


@dataclass(frozen=True, slots=True)
class Group:
    """All that is done to one object, on whichever host, and how it differs from what is declared."""

    ref: Ref
    steps: tuple[Step, ...]
    changes: tuple[Change, ...] = ()

    @property
    def worst(self) -> Step:
        """The step that disturbs most; among equals the first that is no mere look."""
        return max(self.steps, key=lambda step: (_rank(step.action.disruption), not step.action.looks, -step.number))

    @property
    def disruption(self) -> Disruption:
        return self.worst.action.disruption

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(sorted({step.action.place.host for step in self.steps}))

    @property
    def expected_bytes(self) -> int:
        return sum(step.action.expected_bytes for step in self.steps)


def _rank(disruption: Disruption) -> int:
    return list(Disruption).index(disruption)


def groups(plan: Plan) -> tuple[Group, ...]:
    """Every object with something to do: what disturbs most comes first, then the plan's order."""
    steps: dict[Ref, list[Step]] = {}
    for number, action in enumerate(plan.actions, 1):
        steps.setdefault(action.place.ref, []).append(Step(number, action))
    changes: dict[Ref, list[Change]] = {}
    for difference in plan.differences:
        changes.setdefault(difference.place.ref, []).extend(difference.changes)
    made = [Group(ref, tuple(each), tuple(changes.get(ref, ()))) for ref, each in steps.items()]
    return tuple(sorted(made, key=lambda group: (-_rank(group.disruption), group.steps[0].number)))


def counts(actions: Sequence[Action]) -> dict[Disruption, int]:
    """How many actions there are of each class, the most disturbing first."""
    found = Counter(action.disruption for action in actions)
    return {disruption: found[disruption] for disruption in reversed(Disruption) if found[disruption]}


def transfer(plan: Plan) -> str:
    """What will be copied, and how long that takes at least on a network that is said; empty: nothing.

    Where there is a timetable, that says how long.
    """
    size = plan.expected_bytes
    if plan.forecast.moves:
        return f"about {show_size(size)}" if size else ""
    return f"about {show_size(size)}; at 1 Gbit/s {show_duration(size / GIGABIT)} or more" if size else ""


def shown(value: object) -> str:
    """A field's value for people."""
    if value is None:
        return "absent"
    return str(value).lower() if isinstance(value, bool) else str(value)
