"""`reconciler leases`: every temporary access on every host, and its removal."""

from enum import StrEnum
from typing import Annotated

import typer

from reconciler.cli.acting import Wait, act
from reconciler.cli.as_text import show_plan, show_report, table
from reconciler.cli.exit_codes import Exit, of_report
from reconciler.cli.frame import Deadline, Format, Output, Path, emit, framed, note, read_specs, say
from reconciler.engine import codec
from reconciler.engine.once import see, think
from reconciler.model.plan import Plan
from reconciler.model.snapshot import Snapshot
from reconciler.wiring import KINDS, real_tools


class What(StrEnum):
    """List, or take away what no running move uses."""

    LIST = "list"
    REVOKE = "revoke"


Verb = Annotated[What, typer.Argument(help="list, or revoke those that no running move uses.")]


def leases(
    what: Verb = What.LIST,
    path: Path = ".",
    output: Output = Format.TEXT,
    deadline: Deadline = 15.0,
    lock_timeout: Wait = "0s",
) -> None:
    """List every lease on every host; `revoke` removes those that no running move uses.

    Examples:

      reconciler leases list specs/

      reconciler leases revoke specs/
    """
    from dataclasses import replace

    from reconciler.adapters.journal import FileJournal, NoJournal

    with framed(output):
        wanted, _, _ = read_specs(path)
        journal = FileJournal() if what is What.REVOKE else NoJournal()
        with real_tools(journal=journal, deadline=deadline) as tools:
            bare = replace(wanted, desired=())
            seen = see(bare, KINDS, tools)
            if what is What.LIST:
                _list(seen, output)
            made = think(bare, seen, KINDS)

            def again() -> tuple[Plan, Snapshot]:
                seen = see(bare, KINDS, tools)
                return think(bare, seen, KINDS), seen

            made, report = act(made, seen, bare, tools, lock_timeout, again)
        if output is Format.JSON:
            emit({"report": codec.dump(report)}, of_report(report))
        elif made.empty:
            say("No lease to revoke.")
        else:
            show_plan(made, len(wanted.fleet.hosts))
            show_report(report)
        raise typer.Exit(int(of_report(report)))


def _list(seen: Snapshot, output: Format) -> None:
    code = Exit.ERROR if seen.silences else Exit.OK
    pieces = list(seen.of("lease"))
    if output is Format.JSON:
        emit({"leases": [{"place": str(p), **codec.dump(s)} for p, s in pieces]}, code)
    elif pieces:
        rows = [["HOST", "WHAT", "LEASE", "VM", "PEER", "PORT", "UNTIL"]]
        rows += [[p.host, s.what, s.lease, s.domain, s.peer, str(s.port or ""), s.until] for p, s in pieces]
        table(rows)
    else:
        say("No lease is open.")
    for silence in seen.silences:
        note(f"warning: {silence.host}: {silence.reason}", "yellow")
    raise typer.Exit(int(code))
