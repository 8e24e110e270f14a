"""`reconciler apply`: make it so, from specs or from a saved plan."""

import signal
import sys
from functools import partial
from pathlib import Path as File
from typing import Annotated, Any

import typer

from reconciler.adapters.spec_source import SavedSpecs
from reconciler.cli.acting import Wait, act, same
from reconciler.cli.as_text import show_plan, show_report
from reconciler.cli.exit_codes import Exit, of_plan, of_report
from reconciler.cli.frame import ApplyFormat, Deadline, Targets, emit, framed, note, read_specs
from reconciler.cli.garbage import lasting
from reconciler.cli.run import Database
from reconciler.cli.watching import MetricsFile, keep
from reconciler.engine import codec, planfile
from reconciler.engine.hold import notes
from reconciler.engine.once import Tools, Wanted, fresh, see, think, want
from reconciler.errors import PlanError
from reconciler.loop.acting import Again
from reconciler.model.outcome import Report
from reconciler.model.plan import Plan, Source
from reconciler.model.snapshot import Snapshot
from reconciler.wiring import KINDS, real_tools

Path = Annotated[str, typer.Argument(help="Specs (folder, file, -) or a plan saved by `plan --out`.")]
_Did = tuple[Plan, Wanted, Snapshot]
_Begun = tuple[Plan, Wanted, Snapshot, Again]
Output = Annotated[ApplyFormat, typer.Option("--output", "-o", help="How to show what was done.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def apply(
    path: Path = ".",
    yes: Yes = False,
    target: Targets = None,
    output: Output = ApplyFormat.TEXT,
    deadline: Deadline = 15.0,
    lock_timeout: Wait = "0s",
    metrics_file: MetricsFile = None,
    database: Database = "",
) -> None:
    """Bring the hosts to what the specs say, after showing the plan and asking.

    Examples:

      reconciler apply specs/

      reconciler apply specs/ --yes -o json

      reconciler apply plan.json --yes --lock-timeout 10m

      reconciler apply specs/ --yes -o html > run.html
    """
    from reconciler.adapters.journal import FileJournal

    with framed(output), real_tools(journal=FileJournal(), deadline=deadline) as tools:
        if _is_plan(path):
            if target:
                raise PlanError("a saved plan is applied whole", "make a plan with that --target, and apply it")
            made, wanted, seen, again = _from_file(path, tools)
        else:
            made, wanted, seen, again = _from_specs(path, tools, target or (), yes)
        if output is ApplyFormat.TEXT:
            show_plan(made, len(wanted.fleet.hosts))
            for line in notes(made, wanted, made.made):
                note(f"note: {line}")
        end = partial(_end, output, database)
        if not made.actions:
            report = Report(tools.journal.run, refusals=made.refusals)
            keep(metrics_file, made, report, made.made, tools.clock.now())
            end(report, (made, wanted, seen), of_plan(made, False))
        _confirm(yes, output)
        lasting()
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        made, report = act(made, seen, wanted, tools, lock_timeout, again)
        keep(metrics_file, made, report, made.made, tools.clock.now())
        end(report, (made, wanted, seen), of_report(report))


def _is_plan(path: str) -> bool:
    file = File(path)
    return path != "-" and file.is_file() and planfile.is_plan(file.read_text(encoding="utf-8", errors="replace"))


def _from_specs(path: str, tools: Tools, target: Any, yes: bool) -> _Begun:
    wanted, source, _ = read_specs(path)
    seen = see(wanted, KINDS, tools)
    made = think(wanted, seen, KINDS, source, target)

    def again() -> tuple[Plan, Snapshot]:
        seen = see(wanted, KINDS, tools)
        other = think(wanted, seen, KINDS, source, target)
        if not yes:
            same(made, other)
        return other, seen

    return made, wanted, seen, again


def _from_file(path: str, tools: Tools) -> _Begun:
    made, texts, attached = planfile.read(File(path).read_text(encoding="utf-8"), KINDS)
    wanted = want(SavedSpecs(texts, attached), KINDS)
    current = Source()
    if File(made.source.path).exists() and made.source.path not in ("", "-"):
        _, current, _ = read_specs(made.source.path)
    else:
        note(f"The specs are not at {made.source.path or '-'} here; the plan's own copy of them is used.")

    def again() -> tuple[Plan, Snapshot]:
        seen = see(wanted, KINDS, tools)
        fresh(made, current, wanted, seen)
        return made, seen

    return made, wanted, again()[1], again


def _confirm(yes: bool, output: ApplyFormat) -> None:
    if yes:
        return
    if output is not ApplyFormat.TEXT or not sys.stdin.isatty():
        raise PlanError(
            "nobody is here to confirm; nothing was done", "add --yes, or apply a reviewed plan file with --yes"
        )
    if not typer.confirm("Do this?", default=False, err=True):
        raise PlanError("not confirmed; nothing was done")


def _end(output: ApplyFormat, database: str, report: Report, did: _Did, code: Exit) -> None:
    made = did[0]
    if output is ApplyFormat.JSON:
        data = planfile.as_data(made)
        emit({"plan": data, "report": {**codec.dump(report), "verdict": report.verdict}}, code)
    elif output is ApplyFormat.HTML:
        sys.stdout.write(_page(report, did, database))
        note(f"{report.verdict.capitalize()}. Run {report.run}.")
    elif made.actions:
        show_report(report)
    raise typer.Exit(int(code))


def _page(report: Report, did: _Did, database: str) -> str:
    from reconciler.adapters.journal import events_of
    from reconciler.cli.as_html.moments import moments
    from reconciler.cli.as_html.page import Pass, page
    from reconciler.cli.past_moves import last_moves

    steps = list(moments(report.run, events_of(report.run)))
    return page(*did, Pass(report, steps, last_moves(did[0].fleet, database)))
