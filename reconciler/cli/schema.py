"""`reconciler schema`: JSON Schema of the specs, for editors and checks."""

import json
from pathlib import Path as File
from typing import Annotated

import typer

from reconciler.cli.frame import Format, framed, note
from reconciler.engine.schema import all_schemas
from reconciler.wiring import KINDS

Kind = Annotated[str, typer.Argument(help="A document kind, such as VirtualMachine; empty for any.")]
Out = Annotated[File | None, typer.Option("--out", help="Write every schema into this folder.")]


def schema(kind: Kind = "reconciler", out: Out = None) -> None:
    """Print a JSON Schema (draft-07), or write all of them into a folder; `Controller` is the file of `run --config`.

    Examples:

      reconciler schema VirtualMachine

      reconciler schema --out schemas/
    """
    from reconciler.loop.settings import schema as controller

    with framed(Format.TEXT):
        schemas = {**all_schemas(KINDS), "Controller.json": controller()}
        if out is None:
            if f"{kind}.json" not in schemas:
                raise ValueError(f"no kind {kind!r}; one of {', '.join(n.removesuffix('.json') for n in schemas)}")
            typer.echo(json.dumps(schemas[f"{kind}.json"], indent=2))
            return
        out.mkdir(parents=True, exist_ok=True)
        for name, text in schemas.items():
            (out / name).write_text(json.dumps(text, indent=2) + "\n", encoding="utf-8")
        note(f"{len(schemas)} schemas written to {out}")
