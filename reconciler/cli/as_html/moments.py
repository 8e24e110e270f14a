"""When things happened, as journals tell it: each step of a run with its beginning and end, and every move's numbers.

Reads what is given to it; opens nothing, and guesses nothing that a journal does not say.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reconciler.model.ref import Place
from reconciler.model.units import show_duration, show_size

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Moment:
    """One step of one run. `began` is seconds, UTC; `between` are the two hosts a VM went between, else empty."""

    run: str
    action: str
    explain: str
    began: float
    seconds: float
    status: str
    text: str
    between: tuple[str, ...] = ()
    facts: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """The object's, without kind and host."""
        try:
            return Place.parse(self.action.partition(":")[0]).name
        except ValueError:
            return self.action

    @property
    def when(self) -> str:
        return datetime.fromtimestamp(self.began, UTC).strftime("%Y-%m-%d %H:%M:%S")

    @property
    def took(self) -> str:
        return show_duration(self.seconds)

    @property
    def copied(self) -> str:
        """What went over the wire, memory and disks."""
        memory, disks = (_number(self.facts, name) for name in ("bytes", "disk_bytes"))
        return (show_size(memory) + (f", disks {show_size(disks)}" if disks else "")) if memory else "-"

    @property
    def rate(self) -> str:
        rate = _number(self.facts, "rate")
        return f"{show_size(rate)}/s" if rate else "-"

    @property
    def downtime(self) -> str:
        """How long the guest stood still, as libvirt measured it."""
        return f"{_number(self.facts, 'downtime_ms'):.0f} ms" if self.facts and "downtime_ms" in self.facts else "-"


def _number(facts: Mapping[str, Any] | None, name: str) -> float:
    value = (facts or {}).get(name)
    return float(value) if isinstance(value, int | float) else 0.0


def moments(run: str, events: Iterable[Event]) -> Iterator[Moment]:
    """The steps of one run that began and ended, in the order they ended."""
    begun: dict[str, Event] = {}
    for event in events:
        action = str(event.get("action", ""))
        if event.get("event") == "begin":
            begun[action] = event
        elif event.get("event") == "end" and action in begun:
            first = begun[action]
            yield Moment(
                run,
                action,
                str(first.get("explain", "")),
                float(first.get("time", 0)),
                max(0.0, float(event.get("time", 0)) - float(first.get("time", 0))),
                str(event.get("status", "")),
                str(event.get("text", "")),
                tuple(str(host) for host in first.get("between") or ()),
                event.get("facts") if isinstance(event.get("facts"), dict) else None,
            )


def moves(runs: Sequence[tuple[str, Sequence[Event]]], fleet: str, most: int = 20) -> list[Moment]:
    """The last VMs of this fleet that changed their host, or failed to, newest first."""
    found = [
        moment
        for run, events in runs
        if any(event.get("event") == "plan" and event.get("fleet") == fleet for event in events)
        for moment in moments(run, events)
        if len(moment.between) == 2
    ]
    return sorted(found, key=lambda moment: -moment.began)[:most]
