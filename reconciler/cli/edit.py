"""`reconciler edit`: one value in the specs' YAML, changed in place and shown; never acts on a host."""

import shlex
from enum import StrEnum
from typing import Annotated

import typer

from reconciler.cli.exit_codes import Exit
from reconciler.cli.frame import Format, Output, Path, emit, framed, note, say
from reconciler.engine.edit import Edit, edited, found, shown
from reconciler.engine.once import want
from reconciler.errors import PlanError, SpecError
from reconciler.wiring import KINDS

edit = typer.Typer(name="edit", no_args_is_help=True, help="Change one value in the specs and show it; never acts.")
Name = Annotated[str, typer.Argument(metavar="NAME", help="As in metadata.name.")]


class Power(StrEnum):
    """What a VM shall be."""

    RUNNING = "running"
    STOPPED = "stopped"


Host = Annotated[str, typer.Option("--host", help="Place it on this host.")]
Wanted = Annotated[Power | None, typer.Option("--power", help="Declare it running or stopped.")]
Maintenance = Annotated[
    bool | None, typer.Option("--maintenance/--no-maintenance", help="Declare it in maintenance, or not any more.")
]


@edit.command("vm")
def edit_vm(name: Name, path: Path = ".", host: Host = "", power: Wanted = None, output: Output = Format.TEXT) -> None:
    """Change where a VM is placed, or its power.

    Examples:

      reconciler edit vm web specs/ --host lq-d26

      reconciler edit vm web specs/ --power stopped
    """
    edits = [Edit("VirtualMachine", name, "spec.placement.host", host)] if host else []
    edits += [Edit("VirtualMachine", name, "spec.power", power.value)] if power else []
    _run(path, edits, output)


@edit.command("host")
def edit_host(name: Name, path: Path = ".", maintenance: Maintenance = None, output: Output = Format.TEXT) -> None:
    """Declare a host in maintenance, or not any more.

    Examples:

      reconciler edit host lq-d25 specs/ --maintenance

      reconciler edit host lq-d25 specs/ --no-maintenance
    """
    _run(path, [] if maintenance is None else [Edit("Host", name, "spec.maintenance", maintenance)], output)


def _run(path: str, edits: list[Edit], output: Format) -> None:
    from reconciler.adapters.spec_file import read_exactly, replace_with
    from reconciler.adapters.spec_source import FolderSource

    with framed(output):
        if path == "-":
            raise PlanError("standard input cannot be edited in place", "give the folder or file that is in git")
        if not edits:
            raise PlanError("nothing to change was said", "see `reconciler edit vm -h` and `reconciler edit host -h`")
        source = FolderSource(path)
        file = found(source, KINDS, edits[0]).file
        for wanted in edits[1:]:
            found(source, KINDS, wanted)
        old = new = read_exactly(file)
        for wanted in edits:
            new = edited(new, wanted, KINDS)
        if new != old:
            replace_with(file, new)
        _show(path, file, old, new, output)


def _show(path: str, file: str, old: str, new: str, output: Format) -> None:
    difference = shown(file, old, new)
    next_ = f"git commit -- {shlex.quote(file)} && reconciler plan {shlex.quote(path)}" if difference else ""
    mistakes = _mistakes(path)
    if output is Format.JSON:
        emit({"file": file, "changed": old != new, "diff": difference, "next": next_, "problems": mistakes}, Exit.OK)
        return
    if not difference:
        note(f"{file}: it says so already; nothing was changed.")
        return
    say(difference)
    for mistake in mistakes:
        note(f"the next plan will say: {mistake}", "yellow")
    note(f"Nothing was done on any host. Next: `{next_}`")


def _mistakes(path: str) -> list[str]:
    """What the specs as they are now would be refused for."""
    from reconciler.adapters.spec_source import FolderSource

    try:
        want(FolderSource(path), KINDS)
    except SpecError as error:
        return [str(problem) for problem in error.problems]
    return []
