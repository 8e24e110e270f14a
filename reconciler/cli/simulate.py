"""`reconciler simulate`: a saved snapshot carried out on paper; asks no host and needs no other file."""

from pathlib import Path as File
from typing import Annotated

import typer

from reconciler.adapters.spec_source import SavedSpecs
from reconciler.cli.as_text import show_plan, table
from reconciler.cli.exit_codes import Exit
from reconciler.cli.frame import Format, Output, emit, framed, say
from reconciler.cli.plan import WhatIf
from reconciler.engine.codec import dump, read_snapshot
from reconciler.engine.once import want
from reconciler.engine.planfile import as_data
from reconciler.engine.simulate import HostLoad, Simulated
from reconciler.engine.simulate import simulate as simulated
from reconciler.engine.what_if import supposed
from reconciler.engine.yaml_read import load_plain
from reconciler.errors import PlanError
from reconciler.model.plan import Source
from reconciler.model.units import show_size
from reconciler.wiring import KINDS

Saved = Annotated[File, typer.Argument(metavar="SNAPSHOT", help="A file that `reconciler snapshot` wrote.")]


def simulate(saved: Saved, what_if: WhatIf = "", output: Output = Format.TEXT) -> None:
    """Carry a saved snapshot's plan out on paper: each host before and after; asks no host and changes nothing.

    The file holds the specs too, so that it says all there is to a report about a plan.

    Examples:

      reconciler snapshot specs/ --out fleet.json && reconciler simulate fleet.json

      reconciler simulate fleet.json --what-if drain=lq-d25
    """
    with framed(output):
        data = load_plain(saved.read_text(encoding="utf-8"))
        seen = read_snapshot(data, KINDS)
        if "specs" not in data:
            raise PlanError(
                f"{saved} holds no specs", "make it again with `reconciler snapshot`, or use plan --snapshot"
            )
        wanted = want(SavedSpecs([(file, text) for file, text in data["specs"]], data["attached"]), KINDS)
        wanted = supposed(wanted, what_if) if what_if else wanted
        found = simulated(wanted, seen, KINDS, Source(str(saved)))
        if output is Format.JSON:
            emit({"plan": as_data(found.plan), "before": _data(found.before), "after": _data(found.after)}, Exit.OK)
            return
        show_plan(found.plan, len(wanted.fleet.hosts))
        _show(found)


def _data(loads: tuple[HostLoad, ...]) -> list[object]:
    return [dump(load) for load in loads]


def _show(found: Simulated) -> None:
    say()
    rows = [["HOST", "ROOM", "TAKEN BEFORE", "VMS", "TAKEN AFTER", "VMS"]]
    after = {load.host: load for load in found.after}
    for load in found.before:
        then, room = after[load.host], show_size(load.room) if load.room else "unknown"
        counts = str(len(load.vms)), str(len(then.vms))
        rows.append([load.host, room, show_size(load.taken), counts[0], show_size(then.taken), counts[1]])
    table(rows)
