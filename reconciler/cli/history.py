"""`reconciler history`: what passes were made, why, by whose commit, and what came of them."""

from typing import Annotated

import typer

from reconciler.cli.as_history import as_data, show_pass, show_table
from reconciler.cli.exit_codes import Exit
from reconciler.cli.frame import Format, Output, emit, framed, note
from reconciler.cli.run import Database
from reconciler.errors import PlanError
from reconciler.model.passed import Passed

Word = Annotated[str, typer.Argument(metavar="[list|show]", help="list, or show one.")]
Which = Annotated[str, typer.Argument(metavar="[N|RUN]", help="The pass: its number in the list, or its run.")]
Fleet = Annotated[str, typer.Option("--fleet", help="Only this fleet.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="So many of the newest.")]


def history(
    word: Word = "list",
    which: Which = "1",
    fleet: Fleet = "",
    limit: Limit = 20,
    database: Database = "",
    output: Output = Format.TEXT,
) -> None:
    """Show the passes of the loop and of `apply` on this machine, newest first; or one with all that is known.

    Examples:

      reconciler history --fleet vpd

      reconciler history show 3

      reconciler history show 20261123T150349Z-5366a8 -o json
    """
    from reconciler.adapters.journal import state_folder
    from reconciler.loop.history import passes
    from reconciler.loop.ledger import Ledger, database_in

    with framed(output):
        try:
            ledger = Ledger(database_in(database))
        except FileNotFoundError:
            ledger = None
        found = passes(ledger, state_folder() / "runs", fleet, max(limit, 1000 if word == "show" else 0))
        if ledger:
            ledger.close()
        if word == "show":
            found = [_chosen(list(found), which)]
        if output is Format.JSON:
            emit({"passes": [as_data(passed) for passed in found]}, Exit.OK)
        elif word == "show":
            show_pass(found[0])
        elif found:
            show_table(list(found))
        else:
            note("No pass was made yet.")


def _chosen(found: list[Passed], which: str) -> Passed:
    if which.isdigit() and 1 <= int(which) <= len(found):
        return found[int(which) - 1]
    named = [passed for passed in found if passed.run == which]
    if not named:
        raise PlanError(f"no pass {which} is known", "`reconciler history` lists them")
    return named[0]
