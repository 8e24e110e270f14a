"""Records of passes: as plain data for the queue's rows, and read back with those of local `apply` runs.

Explains only; what a next pass takes over from the last is in `Memory`, and nothing else is.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reconciler.engine import codec
from reconciler.errors import PlanError
from reconciler.loop.ledger import Ledger, Row
from reconciler.model.commit import Commit
from reconciler.model.outcome import Outcome
from reconciler.model.passed import Passed
from reconciler.model.standing import Standing

_LOOKED_AT = 300


@dataclass(frozen=True, slots=True)
class Memory:
    """What a pass knows of those before: `good` is the last commit that was trusted and well; how objects stood."""

    good: Commit = field(default_factory=Commit)
    standings: tuple[Standing, ...] = ()


def recorded(passed: Passed, memory: Memory, events: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """One row's text: the pass, what the next one takes over, and of its journal what tells of moves between hosts."""
    told = moving(events)
    data = {"passed": codec.dump(passed), "memory": codec.dump(memory), "ended": passed.ended, "moves": told}
    plain: dict[str, Any] = json.loads(json.dumps(data, default=str))
    return plain


def remembered(record: Mapping[str, Any]) -> Memory:
    """What the last pass left; nothing where there was none, or one of another release that does not fit."""
    try:
        memory: Memory = codec.read(Memory, record.get("memory") or {})
        return memory
    except PlanError:
        return Memory()


def said_in(record: Mapping[str, Any]) -> Passed | None:
    """The pass that a record is of; None where there was none, or one of another release that does not fit."""
    try:
        passed: Passed | None = codec.read(Passed, record["passed"]) if "passed" in record else None
        return passed
    except PlanError:
        return None


def moving(events: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The events of a journal that tell of moves between two hosts, and whose fleet that is; none without a move."""
    moved = {event.get("action") for event in events if len(event.get("between") or ()) == 2}
    told = [event for event in events if event.get("event") in ("begin", "end") and event.get("action") in moved]
    return [_fleets(event) for event in events if event.get("event") == "plan"] + told if told else []


def moved_in(ledger: Ledger) -> Sequence[tuple[str, Sequence[Mapping[str, Any]]]]:
    """The runs of the newest passes in which VMs moved, with the events that say so; of every controller and fleet."""
    rows = ledger.rows(status=["SUCCESS"], limit=_LOOKED_AT, full=True)
    return [(str(row.record["passed"]["run"]), row.record["moves"]) for row in rows if row.record.get("moves")]


def _fleets(plan: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: plan[name] for name in ("time", "event", "fleet") if name in plan}


def passes(ledger: Ledger | None, runs: Path, fleet: str = "", limit: int = 50) -> Sequence[Passed]:
    """The newest first: of the loop, with what waits or runs now, and of local runs of `apply`."""
    rows = ledger.rows(fleet, limit=limit * 2, full=True) if ledger else ()
    found = {passed.run: passed for passed in filter(None, map(_of_row, rows))}
    for path in sorted(runs.glob("*.jsonl"), reverse=True)[: limit * 2]:
        passed = found.get(path.stem) or _of_journal(path)
        if passed and fleet in ("", passed.fleet):
            found[path.stem] = passed
    return sorted(found.values(), key=lambda passed: passed.began, reverse=True)[:limit]


def _of_row(row: Row) -> Passed | None:
    if row.status == "SUCCESS" and "passed" in row.record:
        return said_in(row.record)
    if row.status == "PENDING":
        return Passed(row.id, row.fleet, row.trigger, row.by, row.controller, began=row.created, verdict="running")
    return None


def _of_journal(path: Path) -> Passed | None:
    """A run of `apply`, or what is left of a pass that was killed; None where nothing was to be done."""
    events = list(_events(path))
    if not any(event["event"] == "plan" for event in events):
        return None
    passed = Passed(path.stem, "", "apply", began=events[0]["time"], ended=events[-1]["time"], verdict="unfinished")
    outcomes = []
    for event in events:
        match event["event"]:
            case "pass":
                passed = replace(passed, trigger=event.get("trigger", ""), by=event.get("by", ""))
            case "plan":
                commit = Commit(event.get("commit") or "")
                passed = replace(passed, fleet=event.get("fleet", ""), commit=commit, applied=True)
            case "end":
                words = {name: event[name] for name in ("status", "text", "seconds", "facts") if name in event}
                outcomes.append(codec.read(Outcome, {"action": event.get("action", ""), **words}))
            case "report":
                left = tuple(str(line) for line in event.get("left") or ())
                passed = replace(passed, verdict=str(event.get("verdict", "")), left=left)
    return replace(passed, outcomes=tuple(outcomes))


def _events(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue  # the last line of a run whose machine went down
        if isinstance(event, dict) and "event" in event and "time" in event:
            yield event
