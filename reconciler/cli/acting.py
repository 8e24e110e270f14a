"""What every command that changes hosts does around it: take the locks, show progress.

Says who has a lock and waits as long as asked; what is to be done is the command's.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from reconciler.cli.frame import note
from reconciler.cli.progress import Shown
from reconciler.engine.once import Tools, Wanted
from reconciler.errors import StalePlan
from reconciler.loop.acting import Acting, Again
from reconciler.model.outcome import Report
from reconciler.model.plan import Plan
from reconciler.model.snapshot import Snapshot
from reconciler.model.units import parse_duration
from reconciler.wiring import KINDS

Wait = Annotated[
    str, typer.Option("--lock-timeout", metavar="TIME", help="Wait this long for another run, as 10m; 0s: do not.")
]


def act(made: Plan, seen: Snapshot, wanted: Wanted, tools: Tools, wait: str, again: Again) -> tuple[Plan, Report]:
    """Carry the plan out under the locks of this machine and of the hosts; gives what was done, and its report.

    Where another run left a host after it was seen, `again` gives the plan to carry out instead, or raises StalePlan.
    Raises Locked with the holder after `wait`, a duration.
    """
    with Acting(wanted, KINDS, tools, note) as acting:
        made, seen = acting.take(made, seen, parse_duration(wait), again)
        with Shown(made) as shown:
            return made, acting.act(made, seen, replace(tools, tell=shown.tell))


def same(made: Plan, again: Plan) -> None:
    """Raises StalePlan when a plan that a person confirmed is no longer the one that would be made."""
    old, new = _lines(made), _lines(again)
    differences = [f"no longer: {x}" for x in old if x not in new] + [f"new: {x}" for x in new if x not in old]
    if differences:
        raise StalePlan(differences)


def _lines(plan: Plan) -> Sequence[str]:
    return [f"{action.place}: {action.explain()}" for action in plan.actions]
