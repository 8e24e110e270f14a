"""The last moves of a fleet for its page: from this machine's journals, and from the database of the loop.

Shows what was told; where the database does not answer it says so, for a page is no reason to fail.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.adapters.journal import past_runs
from reconciler.cli.as_html.moments import Moment, moves
from reconciler.cli.frame import note

Runs = Sequence[tuple[str, Sequence[Mapping[str, Any]]]]


def last_moves(fleet: str, database: str) -> list[Moment]:
    """Newest first. A run of the loop that has its journal here too is shown once."""
    runs: dict[str, Sequence[Mapping[str, Any]]] = {**dict(_of_the_loop(database)), **dict(past_runs())}
    return moves(list(runs.items()), fleet)


def _of_the_loop(database: str) -> Runs:
    from reconciler.loop.history import moved_in
    from reconciler.loop.ledger import Ledger, database_in

    try:
        ledger = Ledger(database_in(database))
    except FileNotFoundError:
        return ()
    except OSError as error:
        note(f"note: the loop's moves are not shown: {error}")
        return ()
    try:
        return moved_in(ledger)
    finally:
        ledger.close()
