"""Controllers of one database that have different fleets: each takes passes of its own and leaves the others' alone.

Also what a dead one left, and also `reconciler run --once`.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from reconciler.loop.ledger import Ledger
from tests.postgres import made
from tests.unit.loop.crew import ROOT, crew, overlaps, wait_for


def test_each_takes_passes_of_its_own_fleets_only(database: str, tmp_path: Path) -> None:
    with crew(database, tmp_path, interval=1.0, seconds=0.1) as controllers:
        first = controllers.start("a", "b")
        second = controllers.start("b", "c")
        wait_for(lambda: min(len(controllers.lines("end", fleet)) for fleet in "abc") >= 4 or None)
        lines = controllers.lines()
        assert {line.pid for line in lines if line.fleet == "a"} == {first.pid}
        assert {line.pid for line in lines if line.fleet == "c"} == {second.pid}
        assert {line.pid for line in lines if line.fleet == "b"} <= {first.pid, second.pid}
        assert overlaps(lines) == []


def test_what_a_dead_one_left_goes_to_those_who_have_the_fleet(database: str, tmp_path: Path) -> None:
    with crew(database, tmp_path, seconds=60.0) as controllers:
        dead = controllers.start("a", "b", "c")
        controllers.until(3, "begin")
        controllers.kill(dead)
        first = controllers.start("a", "c", seconds=0.1)
        controllers.until(2, "end")
        time.sleep(2.0)
        assert controllers.lines("end", "b") == [], "nobody here has it"
        second = controllers.start("b", seconds=0.1)
        ended = controllers.until(1, "end", fleet="b")
        assert {line.pid for line in ended} == {second.pid}
        assert {line.pid for line in controllers.lines("end") if line.fleet != "b"} == {first.pid}
        ledger = Ledger(database)
        wait_for(lambda: {row.status for row in ledger.waiting()} == {"DELAYED"} or None)
        assert {row.status for row in ledger.rows()} == {"SUCCESS", "DELAYED"}, "no pass was lost, none ended in error"
        ledger.close()


def test_once_leaves_the_passes_of_other_fleets_alone(postgres: str, tmp_path: Path) -> None:
    database = made(postgres)
    with crew(database, tmp_path, seconds=60.0) as controllers:
        dead = controllers.start("b")
        cut = controllers.until(1, "begin", fleet="b")
        controllers.kill(dead)
        ledger = Ledger(database)
        ledger._enqueue("b/waits", "b", "trigger", "me")  # not `ask`, which only looks whether one waits
        before = sorted(ledger.rows("b"), key=lambda row: row.id)
        assert sorted(row.status for row in before) == ["ENQUEUED", "PENDING"]

        passed = _once(database, tmp_path, "a")
        assert [one["fleet"] for one in passed] == ["a"]
        assert sorted(ledger.rows("b"), key=lambda row: row.id) == before

        survivor = controllers.start("b", "c", seconds=0.1)
        lines = controllers.until(2, "end", fleet="b")
        assert {line.pid for line in lines} == {survivor.pid}
        assert len(controllers.lines("begin", "b")) == len(cut) + 2, "the one that was cut off, and the one that waited"
        wait_for(lambda: {row.status for row in ledger.rows("b")} == {"SUCCESS", "DELAYED"} or None)
        ledger.close()


def _once(database: str, folder: Path, fleet: str) -> list[dict[str, str]]:
    """What `run --once` of that fleet said: its repository is none, so its pass ends at once with an error."""
    words = ["run", "--once", "--repo", str(folder / "none.git"), "--name", fleet, "--database", database, "-o", "json"]
    said = subprocess.run(
        [sys.executable, "-m", "reconciler", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(folder / "state")},
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert said.returncode == 1, said.stderr
    found: list[dict[str, str]] = json.loads(said.stdout)["passes"]
    return found
