"""`reconciler doctor`: which VM could move to which host, everything that is in the way, and each host's own health."""

import typer

from reconciler.cli.as_reasons import show_hosts, show_matrix, ways_data
from reconciler.cli.exit_codes import Exit
from reconciler.cli.frame import Deadline, Format, Output, Path, Saved, emit, framed, note, read_saved, read_specs
from reconciler.cli.health import health
from reconciler.engine.explain import asked, matrix, view_of
from reconciler.engine.once import see
from reconciler.model.crossing import Way
from reconciler.wiring import KINDS, real_tools


def doctor(path: Path = ".", snapshot: Saved = None, output: Output = Format.TEXT, deadline: Deadline = 15.0) -> None:
    """Show for every VM and host what would keep it from moving there, and each host's health; changes nothing.

    Exit code 0 when every running VM could move somewhere, live or cold, and every host answered, else 1.

    Examples:

      reconciler doctor specs/

      reconciler doctor specs/ --snapshot fleet.json -o json
    """
    with framed(output):
        wanted, _, _ = read_specs(path)
        if snapshot:
            seen = read_saved(snapshot)
            found = dict(matrix(view_of(wanted, seen), KINDS))
        else:
            with real_tools(deadline=deadline) as tools:
                seen = see(wanted, KINDS, tools)
                every = matrix(view_of(wanted, seen), KINDS)
                found = {ref: tuple(asked(ways, wanted, seen, KINDS, tools)) for ref, ways in every.items()}
        hosts = health(wanted, seen)
        stuck = [ref for ref, ways in found.items() if _stuck(ways)]
        code = Exit.ERROR if stuck or seen.silences else Exit.OK
        if output is Format.JSON:
            vms = {ref: ways_data(ways) for ref, ways in found.items()}
            emit({"vms": vms, "hosts": [host.data for host in hosts], "stuck": stuck}, code)
        else:
            show_matrix(found, tuple(wanted.fleet.hosts), compared=not snapshot)
            show_hosts(hosts)
            for silence in seen.silences:
                note(f"warning: {silence.host}: {silence.reason} ({silence.fix})", "yellow")
        raise typer.Exit(int(code))


def _stuck(ways: tuple[Way, ...]) -> bool:
    """A running VM with no host to go to; one that is off is not moved anyway."""
    return any(way.running for way in ways) and not any(way.open for way in ways)
