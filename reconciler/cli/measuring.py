"""`--measure`: the snapshot with how those write that would move live, and what is said while that is measured.

Decides nothing, and makes no plan that counts: the first one only tells whom to ask.
"""

from collections.abc import Sequence
from typing import Annotated

import typer

from reconciler.cli.frame import note
from reconciler.engine.once import Tools, Wanted, think
from reconciler.engine.pacing import moving, paced
from reconciler.model.snapshot import Snapshot
from reconciler.wiring import KINDS

Measured = Annotated[bool, typer.Option("--measure", help="Let hosts measure how the VMs write that would move live.")]


def measured(wanted: Wanted, seen: Snapshot, tools: Tools, target: Sequence[str] = ()) -> Snapshot:
    """`seen`, and what hosts measured of those that a plan of it moves live; as it is where it moves none."""
    places = moving(think(wanted, seen, KINDS, target=target), seen)
    if not places:
        return seen
    many = f"{len(places)} VM{'s that move' if len(places) > 1 else ' that moves'} live"
    note(f"measuring for a second, of {many}, how much memory is written")
    found = paced(places, wanted, seen, KINDS, tools)
    unknown = [place.name for place in places if found.get(place) == seen.get(place)]
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        what = "the forecast takes the last move's, else the default"
        note(f"note: not measured: {', '.join(unknown[:3])}{more}; {what}", "yellow")
    return found
