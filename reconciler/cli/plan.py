"""`reconciler plan`: the difference between specs and hosts, and what apply would do about it."""

import os
from pathlib import Path as File
from typing import Annotated

import typer

from reconciler.cli.as_text import show_plan
from reconciler.cli.exit_codes import Exit, of_plan
from reconciler.cli.frame import (
    Deadline,
    Format,
    Output,
    Path,
    Saved,
    Targets,
    emit,
    framed,
    note,
    read_saved,
    read_specs,
)
from reconciler.engine import planfile
from reconciler.engine.once import Wanted, see, think
from reconciler.model.plan import Plan
from reconciler.model.snapshot import Snapshot
from reconciler.wiring import KINDS, real_tools

Detailed = Annotated[bool, typer.Option("--detailed-exitcode", help="Exit 2 when there is something to do.")]
Out = Annotated[File | None, typer.Option("--out", help="Save the plan, for `apply FILE`.")]


def plan(
    path: Path = ".",
    out: Out = None,
    target: Targets = None,
    snapshot: Saved = None,
    detailed_exitcode: Detailed = False,
    output: Output = Format.TEXT,
    deadline: Deadline = 15.0,
) -> None:
    """Show what apply would do; changes nothing.

    Examples:

      reconciler plan specs/

      reconciler plan specs/ --out plan.json && reconciler apply plan.json

      reconciler plan specs/ --target vm/web --detailed-exitcode
    """
    with framed(output):
        wanted, source, specs = read_specs(path)
        seen = read_saved(snapshot) if snapshot else _live(wanted, deadline)
        made = think(wanted, seen, KINDS, source, target or ())
        if out:
            _save(out, planfile.write(made, specs.files(), specs.attached))
        code = of_plan(made, detailed_exitcode)
        _show(made, wanted, output, out, code)
        raise typer.Exit(int(code))


def _save(path: File, text: str) -> None:
    """For its owner only: a plan carries domain XML."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _live(wanted: Wanted, deadline: float) -> Snapshot:
    with real_tools(deadline=deadline) as tools:
        return see(wanted, KINDS, tools)


def _show(made: Plan, wanted: Wanted, output: Format, out: File | None, code: Exit) -> None:
    if output is Format.JSON:
        emit(planfile.as_data(made), code)
        return
    show_plan(made, len(wanted.fleet.hosts))
    if out:
        note(f"Saved to {out}; `reconciler apply {out}` does exactly this, or refuses.")
