"""The plan: ordered actions, refusals, and a print of every object it rests on.

A contract (law 5): `apply` does exactly this or refuses. How it is saved is engine/planfile's business.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.action import Action, Refusal
from reconciler.model.change import Difference
from reconciler.model.forecast import Forecast
from reconciler.model.ref import Place


@dataclass(frozen=True, slots=True)
class Source:
    """Where the specs came from; `digest` is over all their texts, `commit` empty outside git."""

    path: str = ""
    commit: str = ""
    dirty: bool = False
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What a scheduled pass leaves for later: the action's id and words, why, until when (seconds UTC, 0: unknown)."""

    place: Place
    action: str
    text: str
    why: str
    until: int = 0
    disruption: str = "none"


@dataclass(frozen=True, slots=True)
class Plan:
    """`touched` maps each place the plan rests on to its fields as seen, None if absent; `made` is seconds, UTC."""

    fleet: str
    made: int
    source: Source = Source()
    differences: tuple[Difference, ...] = ()
    actions: tuple[Action, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    touched: Mapping[Place, Any] = field(default_factory=dict)
    held: tuple[Held, ...] = ()
    forecast: Forecast = field(default_factory=Forecast)

    @property
    def empty(self) -> bool:
        return not self.actions and not self.refusals and not self.held

    @property
    def expected_bytes(self) -> int:
        return sum(action.expected_bytes for action in self.actions)
