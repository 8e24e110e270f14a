"""The record of one pass: commit, trigger, plan, outcomes and how every object stood; what `history` shows.

It explains afterwards. Only standings and the last applied commit are ever read back by a later pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.commit import Commit
from reconciler.model.outcome import Outcome
from reconciler.model.standing import Standing


@dataclass(frozen=True, slots=True)
class Passed:
    """`trigger` is what started it (schedule, signal, trigger, once, apply), `by` who; times are seconds, UTC.

    `mode` is the fleet's; `verdict` is the report's, or `not-trusted`, `locked`, `spec-error`, `error`, `in-sync`,
    `proposed`, `suspended`; `error` is its text. `plan` is the plan as `-o json` shows it, `left` what still differs.
    """

    run: str
    fleet: str
    trigger: str = ""
    by: str = ""
    controller: str = ""
    commit: Commit = field(default_factory=Commit)
    mode: str = "apply"
    began: float = 0.0
    ended: float = 0.0
    verdict: str = "ok"
    exit: int = 0
    error: str = ""
    applied: bool = False
    plan: Mapping[str, Any] = field(default_factory=dict)
    outcomes: tuple[Outcome, ...] = ()
    left: tuple[str, ...] = ()
    standings: tuple[Standing, ...] = ()
    leases_open: int = 0
