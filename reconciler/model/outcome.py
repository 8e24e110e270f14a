"""What happened: progress while an action runs, its outcome, and the report of a pass.

Describes; decides nothing but the pass's verdict.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from reconciler.model.action import Refusal

Status = Literal["done", "nothing-to-do", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Progress:
    """A moment in a running action; `done` and `total` are bytes (0: not known), `facts` are numbers to show."""

    action: str
    phase: str
    done: int = 0
    total: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """What an action's run gives back: whether anything had to change, a line for people, numbers worth keeping."""

    text: str = ""
    changed: bool = True
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One action's end; `seconds` is wall time."""

    action: str
    status: Status
    text: str = ""
    fix: str = ""
    seconds: float = 0.0
    human: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """What the pass amounts to: outcomes in the order they ended, refusals, and what still differs afterwards."""

    run: str
    outcomes: tuple[Outcome, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.status in ("failed", "skipped"))

    @property
    def verdict(self) -> Literal["ok", "failed", "needs-human", "revocation-pending", "lock-lost"]:
        """Worst first: a lost lock, for then another run knows better; an unknown truth; access left open; the rest."""
        if any(o.facts.get("lost") for o in self.failed):
            return "lock-lost"
        if any(o.human for o in self.outcomes) or any(r.human for r in self.refusals):
            return "needs-human"
        if any(o.facts.get("pending") == "revocation" for o in self.failed):
            return "revocation-pending"
        return "failed" if self.failed or self.refusals or self.left else "ok"
