"""Everybody who hears of a pass: logs, metrics, notifications; put together from a command's options.

Decides nothing about the pass; what cannot be told is noted and never stops it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from reconciler.adapters.journal import FileJournal
from reconciler.cli.frame import note
from reconciler.model.outcome import Outcome, Progress, Report
from reconciler.model.passed import Passed
from reconciler.model.plan import Plan

MetricsFile = Annotated[
    Path | None, typer.Option("--metrics-file", metavar="FILE", help="Keep Prometheus metrics in this text file.")
]
Listen = Annotated[
    str, typer.Option("--listen", metavar="[ADDRESS:]PORT", help="Serve /metrics; a port alone: to this machine only.")
]
Notify = Annotated[
    Path | None, typer.Option("--notify", metavar="FILE", help="Post news to the webhook whose URL is in this file.")
]


@dataclass(frozen=True, slots=True)
class Watch:
    """`listeners` hear each pass, `reminded` first the one before; `steps` gives what hears the actions of one run."""

    listeners: Sequence[Callable[[Passed], None]]
    steps: Callable[[FileJournal], Callable[[Progress | Outcome], None]]
    reminded: Sequence[Callable[[Passed], None]] = ()


@contextmanager
def watching(listen: str = "", notify: Path | None = None, metrics_file: Path | None = None) -> Iterator[Watch]:
    """The listeners, until the context ends; raises PlanError, ValueError, OSError for options that cannot work."""
    from reconciler.adapters import logs, webhook
    from reconciler.loop.metrics import Metrics, serve
    from reconciler.loop.metrics import MetricsFile as Kept
    from reconciler.loop.notices import Notices

    url = webhook.read_url(notify) if notify else ""
    log = logs.configure((url,))
    metrics = Metrics()
    heard: list[Callable[[Passed], None]] = [logs.passes(log), Kept(metrics_file, metrics) if metrics_file else metrics]
    reminded: list[Callable[[Passed], None]] = []
    with ExitStack() as stack:
        if listen:
            stack.callback(serve(metrics, listen))
        if url:
            hook, redaction = webhook.Webhook(url), logs.Redaction((url,))
            stack.callback(hook.close)
            notices = Notices(lambda message: hook.post(redaction.clean(message)))
            heard.append(notices)
            reminded.append(notices.remind)
        yield Watch(heard, lambda journal: logs.steps(log, journal), reminded)


def keep(path: Path | None, made: Plan, report: Report, began: float, ended: float) -> None:
    """One run of `apply` in the metrics file."""
    if path is None:
        return
    from reconciler.loop.metrics import MetricsFile as Kept

    pending = sum(outcome.facts.get("pending") == "revocation" for outcome in report.outcomes)
    facts: dict[str, Any] = {"outcomes": report.outcomes, "left": report.left, "leases_open": pending}
    passed = Passed(report.run, made.fleet, "apply", began=began, ended=ended, verdict=report.verdict, **facts)
    try:
        Kept(path)(passed)
    except OSError as error:
        note(f"warning: the metrics file was not written: {error}", "yellow")
