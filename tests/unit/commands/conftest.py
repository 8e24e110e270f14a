"""The command line over the fleet in memory: every command gets the fake's tools instead of real hosts.

Only the wiring's door is replaced; all else is the product's own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from reconciler.cli import adopt, apply, doctor, explain, leases, plan, snapshot, status, unlock
from reconciler.cli import run as program
from reconciler.cli.app import app
from reconciler.engine.once import Tools
from tests.fakes.fleets import Fleet, settled

Run = Callable[..., Result]


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    made = settled(web="lq-d25")
    made.world.pass_time(60)
    yield made
    assert made.world.violations == []


@pytest.fixture
def run(fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the program in a folder that has the fleet's specs as `specs/`."""

    @contextmanager
    def tools(**given: Any) -> Iterator[Tools]:
        yield replace(fleet.tools, journal=given.get("journal") or fleet.journal)

    for module in (adopt, apply, doctor, explain, leases, plan, program, snapshot, status, unlock):
        monkeypatch.setattr(module, "real_tools", tools)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def invoke(*words: str, **given: Any) -> Result:
        (tmp_path / "specs").mkdir(exist_ok=True)
        (tmp_path / "specs" / "fleet.yaml").write_text(fleet.specs.text, encoding="utf-8")
        return CliRunner().invoke(app, list(words), **given)

    return invoke
