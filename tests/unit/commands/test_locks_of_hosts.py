"""Commands that change hosts, and the hosts' locks: who has one is named; what another run left is looked at again."""

import json
from dataclasses import replace

import pytest

from tests.fakes.fleets import Fleet
from tests.fakes.locks import FakeLocks
from tests.unit.commands.conftest import Run

VM = "vm/web@lq-d25"


@pytest.fixture
def locks(fleet: Fleet) -> FakeLocks:
    made = FakeLocks()
    fleet.tools = replace(fleet.tools, locks=made)
    return made


def test_apply_takes_the_locks_its_plan_needs_and_gives_them_back(fleet: Fleet, run: Run, locks: FakeLocks) -> None:
    fleet.place(web="lq-d26")
    said = run("apply", "specs", "--yes")
    assert said.exit_code == 0, said.output
    assert locks.taken == [("lq-d25", "lq-d26")]
    assert not locks.held_now
    fleet.host("lq-d25").units["libvirtd"] = ("active", "enabled")
    assert run("apply", "specs", "--yes").exit_code == 0
    assert len(locks.taken) == 1, "nothing to do takes no lock"


def test_a_locked_host_stops_apply_before_anything(fleet: Fleet, run: Run, locks: FakeLocks) -> None:
    fleet.place(web="lq-d26")
    locks.others["lq-d26"] = "run-7"
    said = run("apply", "specs", "--yes", "-o", "json")
    assert said.exit_code == 3
    data = json.loads(said.stdout)
    assert data["exit"]["name"] == "locked"
    assert data["holder"] == "somebody@elsewhere since noon, run run-7"
    assert data["errors"][0].startswith("lq-d26 is locked by somebody@elsewhere since noon, run run-7")
    assert not locks.taken


def test_with_a_timeout_it_waits_and_tells_so(fleet: Fleet, run: Run, locks: FakeLocks) -> None:
    fleet.place(web="lq-d26")
    locks.others["lq-d26"] = "run-7"
    before = fleet.world.time
    said = run("apply", "specs", "--yes", "--lock-timeout", "30s")
    assert said.exit_code == 3
    assert said.stderr.count("Waiting: lq-d26 is locked by") == 1
    assert 30 <= fleet.world.time - before < 60
    assert run("apply", "specs", "--yes", "--lock-timeout", "soon").exit_code == 1


def by_another(fleet: Fleet) -> tuple[str, ...]:
    """Another run makes the same move."""
    other = Fleet.__new__(Fleet)
    other.__dict__.update(fleet.__dict__)
    other.tools = replace(fleet.tools, locks=FakeLocks())
    assert other.apply().verdict == "ok"
    return ("lq-d25", "lq-d26")


def test_what_another_run_did_meanwhile_is_not_done_again(fleet: Fleet, run: Run, locks: FakeLocks) -> None:
    fleet.place(web="lq-d26")
    locks.meanwhile = lambda: by_another(fleet)
    said = run("apply", "specs", "--yes")
    assert said.exit_code == 0, said.output
    assert "Another run was on lq-d25, lq-d26 meanwhile; looking again." in said.stderr
    assert "move live" not in said.stderr, "nothing was left to do"


def test_a_plan_file_is_stale_after_another_run(fleet: Fleet, run: Run, locks: FakeLocks) -> None:
    fleet.place(web="lq-d26")
    assert run("plan", "specs", "--out", "plan.json").exit_code == 0
    locks.meanwhile = lambda: by_another(fleet)
    said = run("apply", "plan.json", "--yes")
    assert said.exit_code == 4, said.output
    assert not locks.held_now


def test_unlock_needs_the_id(fleet: Fleet, run: Run, locks: FakeLocks) -> None:
    locks.others.update({"lq-d25": "run-7", "lq-d26": "run-7"})
    wrong = run("unlock", "run-8", "specs")
    assert wrong.exit_code == 1
    assert "no host is locked by run run-8; nothing was changed: lq-d25 is locked by somebody" in wrong.stderr
    assert locks.others == {"lq-d25": "run-7", "lq-d26": "run-7"}
    del locks.others["lq-d26"]
    right = run("unlock", "run-7", "specs")
    assert right.exit_code == 0
    assert right.stdout.splitlines() == ["lq-d25: unlocked", "lq-d26: no lock"]
    none = run("unlock", "run-7", "specs", "-o", "json")
    assert json.loads(none.stdout)["hosts"] == {"lq-d25": "no lock", "lq-d26": "no lock"}
