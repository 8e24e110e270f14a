"""How many leases a pass opened and closed, what it swept of earlier ones, and what it could not take back.

Read from the ids and ends of its actions, so that records made before this was counted tell it too; asks no host.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.model.outcome import Outcome
from reconciler.model.passed import Passed

CLOSES = {"grant": "revoke", "open-port": "close-port"}
"""What takes back what, by the verbs of the lease's actions."""
_ID = re.compile(rf"lease/(?P<name>.+)@[^@:]+:(?P<verb>{'|'.join((*CLOSES, *CLOSES.values()))})(?::\d+)?")


@dataclass(frozen=True, slots=True)
class Leases:
    """`opened` and `closed` are leases, one for each move; `swept` are pieces (a key line, a private key, a rule).

    `pending` are closings that failed: access may be open until the host itself ends it.
    """

    opened: int = 0
    closed: int = 0
    swept: int = 0
    pending: int = 0


def leases_of(outcomes: Sequence[Outcome]) -> Leases:
    """An opening that failed counts as opened, for it may have let somebody in before it did."""
    begun: dict[str, list[str]] = {}
    ended = {outcome.action for outcome in outcomes if outcome.status in ("done", "nothing-to-do")}
    swept = pending = 0
    for outcome in outcomes:
        found = _ID.fullmatch(outcome.action)
        name, verb = (found["name"], found["verb"]) if found else ("", "")
        if verb in CLOSES and outcome.status != "skipped":
            begun.setdefault(name, []).append(outcome.action.replace(f":{verb}", f":{CLOSES[verb]}", 1))
        elif verb in CLOSES.values() and outcome.status == "done":
            # A piece that was seen on a host is named by what it is (key-, secret-, port-), a lease by a bare id.
            swept += "-" in name
        pending += outcome.status == "failed" and outcome.facts.get("pending") == "revocation"
    return Leases(len(begun), sum(ended.issuperset(closings) for closings in begun.values()), swept, pending)


def lease_line(passed: Passed) -> str:
    """For people; nothing where there was no lease."""
    count = leases_of(passed.outcomes)
    words = [f"{count.opened} opened, {count.closed} closed"] if count.opened else []
    words += [f"{_many(count.swept, 'piece')} of earlier leases swept"] if count.swept else []
    words += [f"{_many(count.pending, 'revocation')} pending"] if count.pending else []
    if passed.leases_open and not passed.outcomes:
        words += [f"{_many(passed.leases_open, 'piece')} seen open"]
    return "; ".join(words)


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
