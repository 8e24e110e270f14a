"""The options of a command become listeners: a failing webhook, a file, a port; and what `apply` leaves in its file."""

import io
import json
import sys
from pathlib import Path

import pytest

from reconciler.adapters.journal import FileJournal
from reconciler.cli.watching import watching
from reconciler.errors import PlanError
from reconciler.model.outcome import Outcome
from reconciler.model.passed import Passed
from tests.fakes.fleets import Fleet
from tests.unit.commands.conftest import Run, fleet, run
from tests.unit.watch.test_logs import _as_before
from tests.unit.watch.test_webhook import Server, server

__all__ = ["_as_before", "fleet", "run", "server"]


def test_all_of_them_hear_a_pass(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    server.codes = [503]
    url, file = tmp_path / "url", tmp_path / "m.prom"
    url.write_text(server.url)
    url.chmod(0o600)
    passed = Passed("r1", "vpd", verdict="failed", exit=1, error=f"password=hunter2hunter2 at {server.url}")
    with watching("0", url, file) as watch:
        for listener in watch.listeners:
            listener(passed)
        journal = FileJournal(tmp_path)
        journal.run = "r1"
        watch.steps(journal)(Outcome("vm/web@a:start", "done"))
    assert [code for code, *_ in server.came] == [503, 200]
    body = server.came[-1][3]
    assert body["event"] == "failed"
    assert "hunter2" not in json.dumps(body)
    assert 'reconciler_passes_total{fleet="vpd",verdict="failed"} 1.0' in file.read_text()
    lines = [json.loads(line) for line in said.getvalue().splitlines()]
    assert {line["run"] for line in lines} == {"r1"}
    assert "hunter2" not in said.getvalue()
    assert server.url not in said.getvalue()


def test_options_that_cannot_work(tmp_path: Path) -> None:
    with pytest.raises(PlanError), watching(notify=tmp_path / "none"):
        pass
    with pytest.raises(ValueError, match="not where metrics can be served"), watching("nowhere"):
        pass


def test_apply_keeps_a_file(run: Run, fleet: Fleet, tmp_path: Path) -> None:
    for place, moved in (("lq-d26", 1), ("lq-d25", 2)):
        fleet.place(web=place)
        said = run("apply", "specs", "--yes", "--metrics-file", "m.prom")
        assert said.exit_code == 0, said.output
        assert f'reconciler_moves_total{{fleet="vpd",result="done"}} {moved}.0' in (tmp_path / "m.prom").read_text()
    said = run("apply", "specs", "--yes", "--metrics-file", "none/m.prom")
    assert said.exit_code == 0
    assert "the metrics file was not written" in said.stderr
