"""`run`, `trigger` and `history` as a person meets them, over the fleet in memory and a real repository and queue.

The queue over many processes is in tests/unit/loop; the hosts are in tests/e2e/test_loop.
"""

import json
import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from reconciler.cli import standing_by
from reconciler.loop.ledger import Ledger, database_in
from tests.fakes.fleets import Fleet
from tests.origin import Origin
from tests.unit.commands.conftest import Run


@pytest.fixture
def origin(tmp_path: Path, fleet: Fleet) -> Origin:
    made = Origin(tmp_path / "origin")
    made.commit({"specs/fleet.yaml": fleet.specs.text}, "as it is")
    return made


def test_once_makes_one_pass_and_history_tells_of_it(run: Run, fleet: Fleet, origin: Origin) -> None:
    words = ("run", "--repo", str(origin.bare), "--path", "specs", "--once")
    first = run(*words)
    assert first.exit_code == 0, first.output
    assert "fleet at " in first.stdout
    assert "in-sync, nothing to do" in first.stdout
    fleet.place(web="lq-d26")
    sha = origin.commit({"specs/fleet.yaml": fleet.specs.text}, "web goes")
    second = run(*words, "-o", "json")
    said = json.loads(second.stdout)
    assert (second.exit_code, said["exit"]["name"]) == (0, "ok"), said
    assert said["passes"][0]["commit"]["sha"] == sha
    assert said["passes"][0]["leases"] == {"opened": 1, "closed": 1, "swept": 0, "pending": 0}
    assert fleet.world.where("web") == [("lq-d26", "running")]
    listed = run("history")
    assert listed.exit_code == 0
    rows = listed.stdout.splitlines()
    assert [row.split()[0] for row in rows] == ["N", "1", "2"]
    assert sha[:12] in rows[1]
    shown = run("history", "show", "1")
    assert "web goes" in shown.stdout
    assert "move live lq-d25 -> lq-d26" in shown.stdout
    assert "Ann <ann@example.com>" in shown.stdout
    assert "leases     1 opened, 1 closed\n" in shown.stdout
    by_run = run("history", "show", said["passes"][0]["run"], "-o", "json")
    again = json.loads(by_run.stdout)["passes"][0]
    assert (again["outcomes"], again["leases"]) == (said["passes"][0]["outcomes"], said["passes"][0]["leases"])


def test_a_file_of_settings_says_where_metrics_are_kept(run: Run, origin: Origin, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(
        f"metricsFile: {tmp_path}/file.prom\nfleets: [{{name: vpd, repo: {origin.bare}, path: specs}}]\n",
        encoding="utf-8",
    )
    said = run("run", "--config", str(tmp_path / "run.yaml"), "--once")
    assert said.exit_code == 0, said.output
    assert 'fleet="vpd"' in (tmp_path / "file.prom").read_text(encoding="utf-8")
    over = run("run", "--config", str(tmp_path / "run.yaml"), "--once", "--metrics-file", str(tmp_path / "word.prom"))
    assert over.exit_code == 0, over.output
    assert (tmp_path / "word.prom").exists()


def test_status_knows_what_the_loop_saw(run: Run, fleet: Fleet, origin: Origin) -> None:
    assert run("run", "--repo", str(origin.bare), "--path", "specs", "--once").exit_code == 0
    web = next(d for d in fleet.host("lq-d25").domains.values() if d.name == "web")
    web.autostart = not web.autostart
    assert "drifted (autostart)" in run("status", "specs").stdout
    fleet.place(web="lq-d26")
    assert "pending (autostart, host)" in run("status", "specs").stdout


def test_applies_by_hand_are_in_the_history_too(run: Run, fleet: Fleet) -> None:
    fleet.place(web="lq-d26")
    assert run("apply", "specs", "--yes").exit_code == 0
    assert " apply " in run("history").stdout
    assert run("history", "--fleet", "other").stderr == "No pass was made yet.\n"


def test_nothing_yet(run: Run) -> None:
    assert (run("history").exit_code, run("history").stderr) == (0, "No pass was made yet.\n")
    shown = run("history", "show", "7")
    assert (shown.exit_code, "no pass 7 is known" in shown.stderr) == (1, True)
    asked = run("trigger")
    assert asked.exit_code == 1
    assert "no controller has used" in asked.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say --repo or --config"),
        (("--repo", "x", "--config", "y"), "say --repo or --config"),
        (("--repo", "x", "--trust", "maybe"), "trust of fleet x is 'maybe'"),
        (("--repo", "x", "--database", "mysql://h/d"), "not a URL of a database"),
        (("--config", "missing.yaml"), "No such file"),
    ],
)
def test_words_that_cannot_be(run: Run, words: tuple[str, ...], said: str) -> None:
    refused = run("run", *words)
    assert refused.exit_code == 1
    assert said in refused.stderr


def test_a_commit_that_is_not_trusted_ends_with_its_own_code(run: Run, origin: Origin, tmp_path: Path) -> None:
    (tmp_path / "signers").write_text("", encoding="utf-8")
    words = ("--trust", "head", "--allowed-signers", str(tmp_path / "signers"))
    refused = run("run", "--repo", str(origin.bare), "--path", "specs", "--once", *words)
    assert refused.exit_code == 5
    assert "it is not signed" in refused.stderr


def test_it_runs_until_told_to_stop_and_heeds_hup_and_trigger(
    run: Run, origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run.yaml").write_text(f"fleets: [{{name: vpd, repo: {origin.bare}, path: specs}}]", encoding="utf-8")
    heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    heard.bind(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    told: list[str] = []

    def ended(count: int) -> Ledger:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                ledger = Ledger(database_in(""))
            except OSError:
                time.sleep(0.1)
                continue
            if len(ledger.rows("vpd", status=["SUCCESS"])) >= count:
                return ledger
            ledger.close()
            time.sleep(0.1)
        raise AssertionError(f"no {count} passes")

    def meanwhile() -> None:
        try:
            told.append(heard.recv(100).decode())
            ended(1).close()
            os.kill(os.getpid(), signal.SIGHUP)
            ledger = ended(2)
            ledger.result(ledger.ask("vpd", "trigger", "somebody"))
            ledger.close()
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    asking = threading.Thread(target=meanwhile)
    asking.start()
    served = run("run", "--config", str(tmp_path / "run.yaml"))
    asking.join()
    told.append(heard.recv(100).decode())
    assert served.exit_code == 0, served.output
    assert told == ["READY=1", "STOPPING=1"]
    assert len(served.stdout.splitlines()) == 3
    passes = json.loads(run("history", "-o", "json").stdout)["passes"]
    assert {(one["trigger"], one["verdict"]) for one in passes} == {
        ("schedule", "in-sync"), ("signal", "in-sync"), ("trigger", "in-sync"),
    }  # fmt: skip
    asked = run("trigger", "vpd", "-o", "json")
    assert list(json.loads(asked.stdout)["asked"]) == ["vpd"]
    assert "only over vpd" in run("trigger", "other").stderr


def test_without_systemd_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setattr(socket, "socket", lambda *kind: opened.append(kind))
    standing_by.tell("READY=1")
    assert opened == []
