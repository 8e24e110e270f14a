"""When somebody is told about a pass, and what: failed, drifted, needs a human, and when all is well again. Pure.

The same news is told once: a pass that ends as the one before it is silence, whoever made that one.
"""

from collections.abc import Callable, Mapping
from typing import Any

from reconciler.model.passed import Passed

WELL = ("ok", "in-sync", "proposed", "suspended", "locked")
_MOST = 10
_WORDS = {
    "needs-human": "needs a human",
    "revocation-pending": "could not take access back",
    "not-trusted": "does not trust the newest commit",
    "spec-error": "has mistakes in its specs",
    "lock-lost": "lost its lock",
}


class Notices:
    """A listener of passes; `send` gets each message."""

    def __init__(self, send: Callable[[Mapping[str, Any]], None]) -> None:
        self._send = send
        self._told: dict[str, tuple[Any, ...]] = {}

    def remind(self, before: Passed) -> None:
        """What the pass before the next one said, which another process may have made and told."""
        if before.verdict != "locked":
            self._told[before.fleet] = _news(before)

    def __call__(self, passed: Passed) -> None:
        """Tells what is new."""
        if passed.verdict == "locked":
            return
        news = _news(passed)
        if news == self._told.get(passed.fleet, ()):
            return
        self._told[passed.fleet] = news
        self._send(message(passed, recovered=not news))


def _news(passed: Passed) -> tuple[Any, ...]:
    """What somebody should know; empty when all is well."""
    off = tuple((str(standing.place), standing.fight) for standing in passed.standings if standing.word == "drifted")
    human = tuple(o.action for o in passed.outcomes if o.human)
    wrong = passed.verdict if passed.verdict not in WELL else ""
    return (wrong, off, human) if wrong or off or human else ()


def message(passed: Passed, recovered: bool = False) -> Mapping[str, Any]:
    """Plain JSON; `text` is what Slack, Mattermost and others show."""
    drifted = [standing for standing in passed.standings if standing.word == "drifted"]
    failed = [outcome for outcome in passed.outcomes if outcome.status == "failed"]
    event = "recovered" if recovered else passed.verdict if passed.verdict not in WELL else "drifted"
    lines = [f"Fleet {passed.fleet} {_headline(event, len(drifted))} (pass {passed.run})"]
    lines += [passed.error] if passed.error else []
    lines += [f"{o.action}: {o.text}" + (f" ({o.fix})" if o.fix else "") for o in failed]
    lines += [f"{s.place} drifted: {', '.join(s.fields)}" + (", again and again" if s.fight else "") for s in drifted]
    if len(lines) > _MOST:
        lines = [*lines[:_MOST], f"and {len(lines) - _MOST} more: reconciler history show {passed.run}"]
    return {
        "text": "\n".join(lines),
        "event": event,
        "fleet": passed.fleet,
        "run": passed.run,
        "verdict": passed.verdict,
        "commit": passed.commit.sha,
        "author": passed.commit.author,
        "error": passed.error,
        "failed": [outcome.action for outcome in failed],
        "drifted": [str(standing.place) for standing in drifted],
        "fights": [str(standing.place) for standing in drifted if standing.fight],
        "ended": passed.ended,
    }


def _headline(event: str, drifted: int) -> str:
    if event == "recovered":
        return "is well again"
    if event == "drifted":
        return f"has {drifted} drifted object{'s' if drifted != 1 else ''}"
    return _WORDS.get(event, f"failed: {event}")
