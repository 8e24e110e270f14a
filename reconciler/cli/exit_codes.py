"""Exit codes and their names, as in the documentation; `-o json` prints both."""

from enum import IntEnum

from reconciler.model.outcome import Report
from reconciler.model.plan import Plan


class Exit(IntEnum):
    """The name in JSON is the member's in lower case with dashes."""

    OK = 0
    ERROR = 1
    CHANGES_PENDING = 2
    LOCKED = 3
    STALE_PLAN = 4
    COMMIT_NOT_TRUSTED = 5
    NEEDS_HUMAN = 6
    REVOCATION_PENDING = 7

    @property
    def word(self) -> str:
        return self.name.lower().replace("_", "-")

    @property
    def data(self) -> dict[str, object]:
        return {"code": int(self), "name": self.word}


def of_plan(plan: Plan, detailed: bool) -> Exit:
    """A contradiction first, then refusals, then pending changes if asked for."""
    if any(refusal.human for refusal in plan.refusals):
        return Exit.NEEDS_HUMAN
    if plan.refusals:
        return Exit.ERROR
    return Exit.CHANGES_PENDING if detailed and plan.actions else Exit.OK


def of_report(report: Report) -> Exit:
    """The pass's verdict as a code."""
    match report.verdict:
        case "ok":
            return Exit.OK
        case "needs-human":
            return Exit.NEEDS_HUMAN
        case "lock-lost":
            return Exit.LOCKED
        case "revocation-pending":
            return Exit.REVOCATION_PENDING
        case _:
            return Exit.ERROR
