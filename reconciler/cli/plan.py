"""`reconciler plan`: the difference between specs and hosts, and what apply would do about it."""

import sys
from collections.abc import Sequence
from pathlib import Path as File
from typing import Annotated

import typer

from reconciler.cli.as_markdown import LEAST, MOST, Whole, checked_link, comment, of_errors
from reconciler.cli.as_text import show_plan
from reconciler.cli.exit_codes import of_plan
from reconciler.cli.frame import (
    Deadline,
    Path,
    PlanFormat,
    Saved,
    Targets,
    emit,
    fleet_name,
    framed,
    note,
    read_saved,
    read_specs,
    save,
)
from reconciler.cli.measuring import Measured, measured
from reconciler.cli.run import Database
from reconciler.engine import planfile
from reconciler.engine.hold import notes
from reconciler.engine.once import Wanted, see, think
from reconciler.engine.what_if import supposed
from reconciler.errors import PlanError
from reconciler.model.plan import Plan
from reconciler.model.snapshot import Snapshot
from reconciler.wiring import KINDS, real_tools

Detailed = Annotated[bool, typer.Option("--detailed-exitcode", help="Exit 2 when there is something to do.")]
Out = Annotated[File | None, typer.Option("--out", help="Save the plan, for `apply FILE`.")]
Output = Annotated[PlanFormat, typer.Option("--output", "-o", help="How to show the plan.")]
WhatIf = Annotated[
    str, typer.Option("--what-if", metavar="drain=HOST,...", help="As if these hosts were in maintenance.")
]
Most = Annotated[int, typer.Option("--max-bytes", min=LEAST, max=10**6, help="Markdown: at most this long.")]
Link = Annotated[str, typer.Option("--link", metavar="URL", help="Markdown: where the whole plan can be read.")]


def plan(
    path: Path = ".",
    out: Out = None,
    target: Targets = None,
    snapshot: Saved = None,
    detailed_exitcode: Detailed = False,
    what_if: WhatIf = "",
    measure: Measured = False,
    output: Output = PlanFormat.TEXT,
    max_bytes: Most = MOST,
    link: Link = "",
    database: Database = "",
    deadline: Deadline = 15.0,
) -> None:
    """Show what apply would do; changes nothing.

    Examples:

      reconciler plan specs/

      reconciler plan specs/ --out plan.json && reconciler apply plan.json

      reconciler plan specs/ --target vm/web --detailed-exitcode

      reconciler plan specs/ --what-if drain=lq-d25,lq-d26

      reconciler plan specs/ --measure

      reconciler plan specs/ -o markdown > comment.md

      reconciler plan specs/ -o html > plan.html
    """
    whole = Whole("", f"reconciler plan {path}")

    def failed(lines: list[str]) -> None:
        if output is PlanFormat.MARKDOWN:
            sys.stdout.write(of_errors(fleet_name(path), lines, whole, max_bytes))
        elif output is PlanFormat.HTML:
            from reconciler.cli.as_html.page import page_of_errors

            sys.stdout.write(page_of_errors(fleet_name(path), lines))

    with framed(output, failed):
        whole = Whole(checked_link(link), whole.command)
        wanted, source, specs = read_specs(path)
        wanted = _supposed(wanted, what_if, out)
        seen = _saved(snapshot, measure) if snapshot else _live(wanted, deadline, target or (), measure)
        made = think(wanted, seen, KINDS, source, target or ())
        if out:
            save(out, planfile.write(made, specs.files(), specs.attached))
        code = of_plan(made, detailed_exitcode)
        later = notes(made, wanted, made.made)
        if output is PlanFormat.MARKDOWN:
            sys.stdout.write(comment(made, len(wanted.fleet.hosts), whole, max_bytes, later))
        elif output is PlanFormat.HTML:
            sys.stdout.write(_page((made, wanted, seen), later, database))
        elif output is PlanFormat.JSON:
            emit({**planfile.as_data(made), "notes": list(later)}, code)
        else:
            show_plan(made, len(wanted.fleet.hosts))
        if what_if:
            note(f"note: this is what if {what_if}; nothing of it is declared, and `apply` does none of it")
        for line in later if output is not PlanFormat.JSON else ():
            note(f"note: {line}")
        if out and output is not PlanFormat.JSON:
            note(f"Saved to {out}; `reconciler apply {out}` does exactly this, or refuses.")
        raise typer.Exit(int(code))


def _supposed(wanted: Wanted, what: str, out: File | None) -> Wanted:
    """The specs as asked; a supposition is never saved as a plan that could be applied."""
    if what and out:
        raise PlanError("--what-if makes no plan that can be applied", "leave --out away, or edit the specs")
    return supposed(wanted, what) if what else wanted


def _saved(file: File, measure: bool) -> Snapshot:
    if measure:
        raise PlanError("--measure asks hosts, and --snapshot asks none", "leave one of them away")
    return read_saved(file)


def _live(wanted: Wanted, deadline: float, target: Sequence[str], measure: bool) -> Snapshot:
    with real_tools(deadline=deadline) as tools:
        seen = see(wanted, KINDS, tools)
        return measured(wanted, seen, tools, target) if measure else seen


def _page(one: tuple[Plan, Wanted, Snapshot], notes: Sequence[str], database: str) -> str:
    from reconciler.cli.as_html.page import Pass, page
    from reconciler.cli.past_moves import last_moves

    return page(*one, Pass(moves=last_moves(one[0].fleet, database), notes=notes))
