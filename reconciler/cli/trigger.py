"""`reconciler trigger`: a pass now, by whichever controller comes first."""

from typing import Annotated

import typer

from reconciler.cli.exit_codes import Exit
from reconciler.cli.frame import Format, Output, emit, framed, say
from reconciler.cli.run import Database
from reconciler.errors import PlanError

Fleet = Annotated[str, typer.Argument(metavar="[FLEET]", help="As its controllers name it; by default every one.")]


def trigger(fleet: Fleet = "", database: Database = "", output: Output = Format.TEXT) -> None:
    """Ask for a pass now, without waiting for the interval; the controllers of that database make it.

    Examples:

      reconciler trigger

      reconciler trigger vpd --database postgresql://reconciler@db.example.com/reconciler
    """
    from reconciler.loop.ledger import Ledger, database_in
    from reconciler.loop.passing import who

    with framed(output):
        ledger = Ledger(database_in(database))
        known = sorted({row.fleet for row in ledger.waiting()})
        if not known or (fleet and fleet not in known):
            others = f", only over {', '.join(known)}" if known else ""
            raise PlanError(
                f"no controller passes over {fleet or 'any fleet'}{others}",
                "start one with `reconciler run`, or name its --database",
            )
        asked = {name: ledger.ask(name, "trigger", who()) for name in ([fleet] if fleet else known)}
        ledger.close()
        if output is Format.JSON:
            emit({"asked": asked}, Exit.OK)
            return
        for name in asked:
            say(f"A pass over {name} is asked for; `reconciler history` shows it.")
