"""The program: one line per command. Help and completion are Typer's."""

from typing import Annotated

import typer

from reconciler import __version__
from reconciler.cli.adopt import import_
from reconciler.cli.apply import apply
from reconciler.cli.doctor import doctor
from reconciler.cli.edit import edit
from reconciler.cli.explain import explain
from reconciler.cli.history import history
from reconciler.cli.leases import leases
from reconciler.cli.plan import plan
from reconciler.cli.run import run
from reconciler.cli.schema import schema
from reconciler.cli.simulate import simulate
from reconciler.cli.snapshot import snapshot
from reconciler.cli.status import status
from reconciler.cli.trigger import trigger
from reconciler.cli.unlock import unlock
from reconciler.cli.validate import validate

app = typer.Typer(
    name="reconciler",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 fine, 1 error, 2 changes pending, 3 locked, 4 stale plan, 5 commit not trusted, "
    "6 needs a human, 7 revocation pending.",
)


def _version(value: bool) -> None:
    if value:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """GitOps for plain libvirt hosts: commit YAML; plan, apply, move VMs live, leave no access behind."""


for command in (
    validate,
    snapshot,
    simulate,
    plan,
    apply,
    status,
    explain,
    doctor,
    leases,
    unlock,
    run,
    trigger,
    history,
    schema,
):
    app.command()(command)
app.command("import")(import_)
app.add_typer(edit)
