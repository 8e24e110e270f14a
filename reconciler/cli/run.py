"""`reconciler run`: keep fleets as their repositories say, until told to stop; or once.

Words, signals and the service manager only; the loop is in `reconciler/loop`.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path as File
from threading import Thread
from typing import Annotated, Any

import typer

from reconciler.cli.as_history import as_data, line
from reconciler.cli.exit_codes import Exit
from reconciler.cli.frame import Format, Output, emit, framed, note, say
from reconciler.cli.garbage import lasting
from reconciler.cli.watching import Listen, MetricsFile, Notify, Watch, watching
from reconciler.engine.once import Tools
from reconciler.errors import PlanError
from reconciler.model.passed import Passed
from reconciler.wiring import KINDS, real_tools

Repo = Annotated[str, typer.Option("--repo", metavar="URL", help="The repository: a path, or https, ssh or file.")]
Branch = Annotated[str, typer.Option("--branch", help="The branch that is followed.")]
Below = Annotated[str, typer.Option("--path", metavar="DIR", help="The specs' folder in it.")]
Name = Annotated[str, typer.Option("--name", help="The fleet's name here; by default the repository's.")]
TrustMode = Annotated[str, typer.Option("--trust", help="off, or head: the newest commit must be signed.")]
Signers = Annotated[str, typer.Option("--allowed-signers", metavar="FILE", help="SSH keys that may sign.")]
Keys = Annotated[str, typer.Option("--gpg-keys", metavar="FILE", help="GPG keys that may sign.")]
Identity = Annotated[str, typer.Option("--identity-file", metavar="FILE", help="SSH key for the repository.")]
Config = Annotated[File | None, typer.Option("--config", metavar="FILE", help="Settings of several fleets (YAML).")]
Database = Annotated[
    str, typer.Option("--database", metavar="URL", envvar="RECONCILER_DATABASE", help="postgresql://...; else SQLite.")
]
Once = Annotated[bool, typer.Option("--once", help="One pass of each fleet, then exit with its code.")]


def run(
    repo: Repo = "",
    branch: Branch = "main",
    path: Below = ".",
    name: Name = "",
    trust: TrustMode = "off",
    allowed_signers: Signers = "",
    gpg_keys: Keys = "",
    identity_file: Identity = "",
    config: Config = None,
    database: Database = "",
    once: Once = False,
    listen: Listen = "",
    notify: Notify = None,
    metrics_file: MetricsFile = None,
    output: Output = Format.TEXT,
) -> None:
    """Keep fleets as their git repositories say: a pass at each interval, on SIGHUP and on `reconciler trigger`.

    Examples:

      reconciler run --repo /srv/git/fleet.git --path specs --trust head --allowed-signers /etc/reconciler/signers

      reconciler run --repo ssh://git@git.example.com/fleet.git --once -o json

      reconciler run --config /etc/reconciler/run.yaml --database postgresql://reconciler@db.example.com/reconciler
    """
    from reconciler.adapters.trust import Trust
    from reconciler.loop.settings import FleetSettings, named_after, read_settings, settings_of

    with framed(output):
        if bool(repo) == bool(config):
            raise PlanError("say --repo or --config, one of the two", "reconciler run -h shows both")
        if config:
            settings = read_settings(config, database)
        else:
            judged = Trust(trust, allowed_signers, gpg_keys)  # type: ignore[arg-type]
            fleet = FleetSettings(name or named_after(repo), repo, branch, path, judged, identity_file)
            settings = settings_of([fleet], database)
        notify = notify or (File(settings.notify) if settings.notify else None)
        metrics_file = metrics_file or (File(settings.metrics_file) if settings.metrics_file else None)
        lasting()
        with watching(listen or settings.listen, notify, metrics_file) as watch:
            _serve(settings, once, watch, output)


def _serve(settings: Any, once: bool, watch: Watch, output: Format) -> None:
    from reconciler.cli.standing_by import Standby
    from reconciler.loop.durable import Controller
    from reconciler.loop.ledger import database_in
    from reconciler.loop.passing import Doors
    from reconciler.loop.serving import Service

    standby = Standby()
    doors = Doors(KINDS, lambda **given: _telling(watch, given), standby.stopping, note)
    shown = () if once else (lambda passed: say(line(passed)),)
    service = Service(settings, doors, (*shown, *watch.listeners), watch.reminded)
    fleets = tuple(settings.fleets)
    with standby, Controller(database_in(settings.database), service.work, fleets, keeps=not once) as controller:
        if once:
            _end(service.once(controller), output)
        note(f"Passing over {', '.join(fleets)} as {controller.name}.")
        standby.wait(partial(_ask, controller, fleets))
        note("Stopping: what runs goes on to its end, then what was opened is closed.")
        controller.stop(standby.patience)


def _ask(controller: Any, fleets: Sequence[str]) -> None:
    """In a thread: while the database is away this takes as long, and the next signal is to be heard."""
    said = partial(controller.ledger.ask, trigger="signal", by=controller.name)
    Thread(target=lambda: [said(fleet) for fleet in fleets], daemon=True).start()


def _telling(watch: Watch, given: Mapping[str, Any]) -> AbstractContextManager[Tools]:
    """Real tools whose actions are heard under their run's name and commit."""
    return real_tools(**{**given, "tell": watch.steps(given["journal"])})


def _end(passes: Any, output: Format) -> None:
    worst: Passed = max(passes, key=lambda passed: passed.exit)
    code = Exit(worst.exit)
    if output is Format.JSON:
        emit({"passes": [as_data(passed) for passed in passes]}, code)
    else:
        for passed in passes:
            say(line(passed))
            if passed.error:
                note(f"error: {passed.error}", "red")
    raise typer.Exit(int(code))
