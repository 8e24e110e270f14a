"""`reconciler snapshot`: what the hosts say now, as a file that `plan --snapshot` reads."""

import json
from pathlib import Path as File
from typing import Annotated

import typer

from reconciler.cli.exit_codes import Exit
from reconciler.cli.frame import Deadline, Format, Path, framed, note, read_specs, save
from reconciler.cli.measuring import Measured, measured
from reconciler.engine.codec import dump_snapshot
from reconciler.engine.once import see
from reconciler.wiring import KINDS, real_tools


def snapshot(
    path: Path = ".",
    out: Annotated[File | None, typer.Option("--out", help="Write to this file instead of standard output.")] = None,
    measure: Measured = False,
    deadline: Deadline = 15.0,
) -> None:
    """Ask every host and save the answers with the specs as JSON; changes nothing.

    Examples:

      reconciler snapshot specs/ --out fleet.json

      reconciler plan specs/ --snapshot fleet.json

      reconciler simulate fleet.json
    """
    with framed(Format.TEXT):
        wanted, _, specs = read_specs(path)
        with real_tools(deadline=deadline) as tools:
            seen = see(wanted, KINDS, tools)
            seen = measured(wanted, seen, tools) if measure else seen
        carried = {"specs": [list(pair) for pair in specs.files()], "attached": dict(specs.attached)}
        text = json.dumps({**dump_snapshot(seen), **carried}, indent=1) + "\n"
        if out:
            save(out, text)
        else:
            typer.echo(text, nl=False)
        for silence in seen.silences:
            note(f"warning: {silence.host}: {silence.reason}", "yellow")
        if seen.silences:
            raise typer.Exit(int(Exit.ERROR))
