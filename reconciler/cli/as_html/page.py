"""The page: scene, changes and moments put into the template. One file, no script, nothing fetched from anywhere.

All text goes through one gate (`_text`): escaped by Jinja, control and direction characters shown instead of sent.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reconciler.cli.as_html.drawing import NARROW, WIDE, draw
from reconciler.cli.as_html.letters import fit
from reconciler.cli.as_html.moments import Moment
from reconciler.cli.as_html.scene import scene
from reconciler.cli.as_text import summary
from reconciler.cli.as_timetable import lines, totals, waiting
from reconciler.cli.changes import MEANING, counts, shown, transfer
from reconciler.cli.frame import clean
from reconciler.engine.hold import until
from reconciler.engine.once import Wanted
from reconciler.model.outcome import Report
from reconciler.model.plan import Plan
from reconciler.model.snapshot import Snapshot
from reconciler.model.units import show_duration, show_size

_VERDICTS = {
    "ok": "done, and everything is as declared",
    "failed": "not everything is as declared",
    "needs-human": "only a person can settle what is left",
    "revocation-pending": "an access could not be taken back yet; it ends by itself",
    "lock-lost": "another run took over",
}


@dataclass(frozen=True, slots=True)
class Pass:
    """What became of a plan: the report, each step of this run in time, the last moves of this fleet, and notes."""

    report: Report | None = None
    steps: Sequence[Moment] = field(default=())
    moves: Sequence[Moment] = field(default=())
    notes: Sequence[str] = field(default=())


def page(plan: Plan, wanted: Wanted, seen: Snapshot, came: Pass) -> str:
    """The whole page as text."""
    found = scene(plan, wanted, seen)
    drawings = [draw(found, paper) for paper in (NARROW, WIDE)]
    report = came.report
    ended = {outcome.action: outcome for outcome in report.outcomes} if report else {}
    return _render(
        plan=plan,
        hosts=len(wanted.fleet.hosts),
        scene=found,
        drawings=drawings,
        counts=counts(plan.actions),
        summary=summary(plan),
        transfer=transfer(plan),
        made=_when(plan.made),
        report=report,
        verdict=_VERDICTS.get(report.verdict, "") if report else "",
        ended=ended,
        steps=came.steps,
        bars=_bars(came.steps),
        moves=came.moves,
        notes=came.notes,
        timetable=lines(plan.forecast),
        totals=totals(plan.forecast),
        later=waiting(plan.forecast),
    )


def page_of_errors(fleet: str, lines: Sequence[str]) -> str:
    """The page where there is no plan to show."""
    return _render(plan=None, fleet=fleet, errors=lines)


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _bars(steps: Sequence[Moment]) -> dict[str, tuple[float, float]]:
    """Each step's beginning and length in thousandths of the run; never too short to be seen."""
    if not steps:
        return {}
    first = min(step.began for step in steps)
    whole = max(step.began + step.seconds for step in steps) - first or 1.0
    return {s.action: (min(994.0, 1000 * (s.began - first) / whole), max(6.0, 1000 * s.seconds / whole)) for s in steps}


def _render(**values: Any) -> str:
    style = files("reconciler.cli.as_html").joinpath("templates/style.css").read_text(encoding="utf-8").strip()
    seal = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    text = _environment().get_template("page.html").render(style=Markup(style), seal=seal, **values)  # noqa: S704
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip()) + "\n"


def _text(value: object) -> object:
    """Every text of the page passes here; what the template itself wrote stays."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return clean(value).encode("utf-8", "backslashreplace").decode()


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("reconciler.cli.as_html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_text,
    )
    made.filters |= {"size": show_size, "duration": show_duration, "value": shown, "fit": fit}
    made.globals |= {"meaning": MEANING, "until": until}
    return made
