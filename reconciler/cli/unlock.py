"""`reconciler unlock`: end the locks of one run on every host, by its id, and what it still does there.

Never ends a lock without its id, and never needs to: a lock ends with its run.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import typer

from reconciler.cli.exit_codes import Exit
from reconciler.cli.frame import Format, Output, Path, emit, framed, note, read_specs, say
from reconciler.errors import Locked, PlanError, ReconcilerError
from reconciler.model.fleet import HostCard
from reconciler.wiring import real_tools

Run = Annotated[str, typer.Argument(metavar="RUN", help="The run, as the error says that names who has the lock.")]


def unlock(run: Run, path: Path = ".", output: Output = Format.TEXT) -> None:
    """End the locks of one run on every host, and whatever it still does there. Needed only where nobody can wait.

    Examples:

      reconciler unlock 20261123T150349Z-5366a8 specs/

      reconciler unlock 20261123T150349Z-5366a8 specs/ -o json
    """
    from reconciler.adapters.journal import FileJournal

    with framed(output):
        wanted, _, _ = read_specs(path)
        cards = list(wanted.fleet.hosts.values())
        journal = FileJournal()
        journal.write("unlock", run=run)
        with real_tools(journal=journal) as tools:

            def end(card: HostCard) -> bool | ReconcilerError:
                try:
                    return tools.locks.unlock(card, run)
                except ReconcilerError as error:
                    return error

            with ThreadPoolExecutor(max_workers=min(64, max(1, len(cards)))) as pool:
                found = dict(zip([card.name for card in cards], pool.map(end, cards), strict=True))
        _show(run, found, output)


def _show(run: str, found: dict[str, bool | ReconcilerError], output: Format) -> None:
    words = {
        host: "unlocked" if said is True else "no lock" if said is False else said.message
        for host, said in found.items()
    }
    others = [said for said in found.values() if isinstance(said, ReconcilerError)]
    ended = any(said is True for said in found.values())
    if not ended and any(isinstance(said, Locked) for said in others):
        held = "; ".join(error.message for error in others)
        raise PlanError(f"no host is locked by run {run}; nothing was changed: {held}", "write the id of that run")
    code = Exit.ERROR if any(not isinstance(said, Locked) for said in others) else Exit.OK
    if output is Format.JSON:
        emit({"run": run, "hosts": words}, code)
        raise typer.Exit(int(code))
    for host, text in words.items():
        say(f"{host}: {text}")
    if not ended:
        note(f"No host is locked by run {run}.")
    raise typer.Exit(int(code))
