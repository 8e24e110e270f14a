"""What every command that changes hosts does around it: take the locks, look again where another run was meanwhile.

Says who has a lock and waits as long as asked; what is to be done is the command's.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Annotated

import typer

from reconciler.cli.frame import note
from reconciler.cli.progress import Shown
from reconciler.engine.once import Tools, Wanted, do, touched
from reconciler.errors import Locked, StalePlan
from reconciler.model.outcome import Report
from reconciler.model.plan import Plan
from reconciler.model.snapshot import Snapshot
from reconciler.model.units import parse_duration
from reconciler.wiring import KINDS

Again = Callable[[], tuple[Plan, Snapshot]]
_POLL = 2.0


Wait = Annotated[
    str, typer.Option("--lock-timeout", metavar="TIME", help="Wait this long for another run, as 10m; 0s: do not.")
]


def act(made: Plan, seen: Snapshot, wanted: Wanted, tools: Tools, wait: str, again: Again) -> tuple[Plan, Report]:
    """Carry the plan out under the locks of this machine and of the hosts; gives what was done, and its report.

    Where another run left a host after it was seen, `again` gives the plan to carry out instead, or raises StalePlan.
    Raises Locked with the holder after `wait`, a duration.
    """
    with ExitStack() as locks:
        changed = _take(locks, made, wanted, tools, parse_duration(wait))
        if changed:
            note(f"Another run was on {', '.join(changed)} meanwhile; looking again.")
            before = touched(made, wanted)
            made, seen = again()
            more = [card.name for card in touched(made, wanted) if card not in before]
            if more:
                raise StalePlan([f"after another run it would change {', '.join(more)} too"])
        with Shown(made) as shown:
            return made, do(made, wanted, seen, KINDS, replace(tools, tell=shown.tell))


def same(made: Plan, again: Plan) -> None:
    """Raises StalePlan when a plan that a person confirmed is no longer the one that would be made."""
    old, new = _lines(made), _lines(again)
    differences = [f"no longer: {x}" for x in old if x not in new] + [f"new: {x}" for x in new if x not in old]
    if differences:
        raise StalePlan(differences)


def _lines(plan: Plan) -> Sequence[str]:
    return [f"{action.place}: {action.explain()}" for action in plan.actions]


def _take(locks: ExitStack, made: Plan, wanted: Wanted, tools: Tools, wait: float) -> Sequence[str]:
    from reconciler.adapters.lock import held

    end, told = tools.clock.now() + wait, False
    while True:
        with ExitStack() as tried:
            try:
                tried.enter_context(held(wanted.fleet.name, tools.journal.run))
                changed = tried.enter_context(tools.locks.held(touched(made, wanted)))
                locks.push(tried.pop_all())
                return changed
            except Locked as error:
                if tools.clock.now() >= end:
                    raise
                if not told:
                    note(f"Waiting: {error.message}.")
                told = True
        tools.clock.sleep(min(_POLL, max(0.1, end - tools.clock.now())))
