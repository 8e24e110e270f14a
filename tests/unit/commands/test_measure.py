"""`--measure` as people use it: what it says, what comes out, what it goes with."""

import json
from pathlib import Path

from tests.fakes.fleets import Fleet
from tests.unit.commands.conftest import Run

MIB = 2**20
SAID = "measuring for a second, of 1 VM that moves live, how much memory is written"


def test_a_plan_says_what_was_measured_and_can_be_applied(fleet: Fleet, run: Run) -> None:
    fleet.world.writing = {"web": 40 * MIB}
    fleet.place(web="lq-d26")
    made = run("plan", "specs", "--measure", "--out", "plan.json", "-o", "json")
    assert [move["basis"] for move in json.loads(made.stdout)["forecast"]["moves"]] == ["measured"]
    assert made.stderr.splitlines() == [SAID]
    done = run("apply", "plan.json", "--yes")
    assert done.exit_code == 0, done.output
    assert run("plan", "specs", "--measure", "--detailed-exitcode").exit_code == 0


def test_without_it_nobody_is_asked(fleet: Fleet, run: Run) -> None:
    fleet.world.writing = {"web": 40 * MIB}
    fleet.place(web="lq-d26")
    made = run("plan", "specs", "-o", "json")
    assert [move["basis"] for move in json.loads(made.stdout)["forecast"]["moves"]] == ["default"]
    assert not [call for call in fleet.world.calls if "dirty_rate" in call]


def test_what_cannot_be_measured_is_said_and_is_no_error(fleet: Fleet, run: Run) -> None:
    fleet.place(web="lq-d26")
    made = run("plan", "specs", "--measure")
    assert made.exit_code == 0
    assert "note: not measured: web; the forecast takes the last move's, else the default" in made.stderr


def test_a_saved_snapshot_has_it_and_asks_no_host_again(fleet: Fleet, run: Run, tmp_path: Path) -> None:
    fleet.world.writing = {"web": 40 * MIB}
    fleet.place(web="lq-d26")
    assert run("snapshot", "specs", "--measure", "--out", "fleet.json").exit_code == 0
    made = run("plan", "specs", "--snapshot", "fleet.json", "-o", "json")
    assert [move["basis"] for move in json.loads(made.stdout)["forecast"]["moves"]] == ["measured"]
    refused = run("plan", "specs", "--snapshot", "fleet.json", "--measure")
    assert refused.exit_code == 1
    assert "--measure asks hosts, and --snapshot asks none" in refused.stderr


def test_only_a_target_is_measured(fleet: Fleet, run: Run) -> None:
    fleet.place(web="lq-d26")
    made = run("plan", "specs", "--measure", "--target", "host/lq-d25")
    assert made.exit_code == 0
    assert not [call for call in fleet.world.calls if "dirty_rate" in call]
