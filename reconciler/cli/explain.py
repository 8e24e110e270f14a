"""`reconciler explain`: one object: where it is, what would be done and why, and all that keeps it from each host."""

from dataclasses import replace
from typing import Annotated

import typer

from reconciler.cli.as_reasons import show_explained, ways_data
from reconciler.cli.exit_codes import Exit
from reconciler.cli.frame import Deadline, Format, Output, Path, Saved, emit, framed, read_saved, read_specs
from reconciler.engine.explain import Explained, asked
from reconciler.engine.explain import explain as explained
from reconciler.engine.once import Wanted, see
from reconciler.engine.planfile import as_data
from reconciler.model.plan import Source
from reconciler.wiring import KINDS, real_tools

Name = Annotated[str, typer.Argument(metavar="REF", help="KIND/NAME or KIND/NAME@HOST, as in vm/web or host/host-a.")]


def explain(
    ref: Name, path: Path = ".", snapshot: Saved = None, output: Output = Format.TEXT, deadline: Deadline = 15.0
) -> None:
    """Show where an object is, what apply would do, and all that keeps a VM from each host; changes nothing.

    Examples:

      reconciler explain vm/web specs/

      reconciler explain pool/shared specs/ --snapshot fleet.json

      reconciler explain vm/web specs/ -o json
    """
    with framed(output):
        wanted, source, _ = read_specs(path)
        if snapshot:
            found = explained(ref, wanted, read_saved(snapshot), KINDS, source)
        else:
            found = _live(ref, wanted, source, deadline)
        if output is Format.JSON:
            places = {"declared": [str(i.place) for i in found.declared], "seen": [str(p) for p in found.seen]}
            emit(
                {"ref": ref, **places, "why": found.why, "plan": as_data(found.plan), "ways": ways_data(found.ways)},
                Exit.OK,
            )
        else:
            show_explained(found, compared=not snapshot)


def _live(ref: str, wanted: Wanted, source: Source, deadline: float) -> Explained:
    with real_tools(deadline=deadline) as tools:
        seen = see(wanted, KINDS, tools)
        found = explained(ref, wanted, seen, KINDS, source)
        return replace(found, ways=tuple(asked(found.ways, wanted, seen, KINDS, tools)))
