"""Progress of an apply: bars on a terminal, plain lines now and then anywhere else. Shows only."""

import threading
import time
from typing import Any

from reconciler.cli.as_text import outcome_line
from reconciler.cli.frame import clean, console, note
from reconciler.model.outcome import Outcome, Progress
from reconciler.model.plan import Plan
from reconciler.model.units import show_duration, show_size

_EVERY = 1.0


class Shown:
    """Hears the events of a walk from many threads; use as a context manager."""

    def __init__(self, plan: Plan) -> None:
        self._names = {action.id: f"{action.place}: {action.explain()}" for action in plan.actions}
        self._lock = threading.Lock()
        self._last: dict[str, tuple[float, str]] = {}
        self._tasks: dict[str, Any] = {}
        self._bars: Any = self._make() if console(True).is_terminal else None

    def __enter__(self) -> "Shown":
        if self._bars:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars:
            self._bars.stop()

    def tell(self, event: Progress | Outcome) -> None:
        """One event."""
        with self._lock:
            if isinstance(event, Outcome):
                self._end(event)
            elif not event.action:
                note(event.phase, "bold yellow")
            elif self._bars:
                self._bar(event)
            else:
                self._line(event)

    def _make(self) -> Any:
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bars

        return Bars(
            TextColumn("{task.description}"),
            BarColumn(20),
            TextColumn("{task.fields[said]}"),
            console=console(True),
            transient=True,
        )

    def _end(self, outcome: Outcome) -> None:
        if outcome.action in self._tasks:
            self._bars.remove_task(self._tasks.pop(outcome.action))
        style = {"failed": "red", "skipped": "yellow"}.get(outcome.status, "")
        note(outcome_line(outcome, self._names.get(outcome.action, outcome.action)), style)

    def _bar(self, event: Progress) -> None:
        if event.action not in self._tasks:
            self._tasks[event.action] = self._bars.add_task(clean(self._names[event.action])[:70], total=None, said="")
        self._bars.update(
            self._tasks[event.action], completed=event.done, total=event.total or None, said=clean(said(event))
        )

    def _line(self, event: Progress) -> None:
        at, phase = self._last.get(event.action, (0.0, ""))
        if time.monotonic() - at >= _EVERY or event.phase != phase:
            self._last[event.action] = (time.monotonic(), event.phase)
            note(f"    ...  {self._names[event.action]}: {said(event)}")


def said(event: Progress) -> str:
    """Phase, bytes, rate, dirty rate, iteration, time left: whatever is known."""
    words = [event.phase]
    if event.total:
        words.append(f"{100 * event.done // event.total} %")
        words.append(f"{show_size(event.done)} of {show_size(event.total)}")
    facts = event.facts
    words += [f"{show_size(facts['rate'])}/s"] if facts.get("rate") else []
    words += [f"dirtied {show_size(facts['dirty_rate'])}/s"] if facts.get("dirty_rate") else []
    words += [f"{show_duration(facts['seconds_left'])} left"] if facts.get("seconds_left") else []
    words += [str(facts["said"])] if facts.get("said") else []
    return ", ".join(words)
