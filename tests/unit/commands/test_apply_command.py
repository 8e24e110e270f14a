"""`apply` as a person and as a script meet it: asking, saved plans, exit codes, what is printed.

The hosts are the fleet in memory.
"""

import json
from pathlib import Path

from reconciler.errors import Refused
from tests.fakes.fleets import Fleet
from tests.unit.commands.conftest import Run


def test_without_a_terminal_and_without_yes_nothing_is_done(run: Run, fleet: Fleet) -> None:
    fleet.place(web="lq-d26")
    result = run("apply", "specs")
    assert result.exit_code == 1
    assert "nobody is here to confirm; nothing was done" in result.stderr
    assert "> move live lq-d25 -> lq-d26" in result.stdout
    assert fleet.world.where("web") == [("lq-d25", "running")]


def test_json_without_yes_asks_nobody_either(run: Run, fleet: Fleet) -> None:
    fleet.place(web="lq-d26")
    result = run("apply", "specs", "-o", "json")
    assert (result.exit_code, json.loads(result.stdout)["exit"]["name"]) == (1, "error")
    assert fleet.world.where("web") == [("lq-d25", "running")]


def test_yes_does_it_and_says_so(run: Run, fleet: Fleet) -> None:
    fleet.place(web="lq-d26")
    result = run("apply", "specs", "--yes")
    assert result.exit_code == 0
    assert "Ok: 5 done" in result.stdout
    assert "verify: runs here and nowhere else" in result.stderr
    assert fleet.world.where("web") == [("lq-d26", "running")]
    assert run("plan", "specs", "--detailed-exitcode").exit_code == 0


def test_a_journal_is_kept(run: Run, fleet: Fleet, tmp_path: Path) -> None:
    run("apply", "specs", "--yes")
    fleet.place(web="lq-d26")
    run("apply", "specs", "--yes")
    logs = sorted((tmp_path / "state" / "reconciler" / "runs").iterdir(), key=lambda path: path.stat().st_size)
    events = [json.loads(line) for line in logs[-1].read_text(encoding="utf-8").splitlines()]
    assert events[0]["event"] == "plan"
    assert events[-1]["verdict"] == "ok"


def test_json_has_plan_report_and_exit(run: Run, fleet: Fleet) -> None:
    fleet.place(web="lq-d26")
    result = run("apply", "specs", "--yes", "-o", "json")
    said = json.loads(result.stdout)
    assert said["exit"] == {"code": 0, "name": "ok"}
    assert said["report"]["verdict"] == "ok"
    assert len(said["plan"]["actions"]) == len(said["report"]["outcomes"]) == 9


def test_nothing_to_do_needs_no_answer(run: Run) -> None:
    result = run("apply", "specs")
    assert result.exit_code == 0
    assert "Nothing to do" in result.stdout


def test_a_saved_plan_is_applied_once(run: Run, fleet: Fleet) -> None:
    fleet.place(web="lq-d26")
    assert run("plan", "specs", "--out", "plan.json").exit_code == 0
    assert run("apply", "plan.json", "--yes").exit_code == 0
    assert fleet.world.where("web") == [("lq-d26", "running")]
    again = run("apply", "plan.json", "--yes")
    assert again.exit_code == 4
    assert "vm/web@lq-d25 is gone" in again.stderr
    assert "vm/web@lq-d26 is there now" in again.stderr


def test_a_saved_plan_is_stale_when_the_specs_change(run: Run, fleet: Fleet) -> None:
    fleet.place(web="lq-d26")
    run("plan", "specs", "--out", "plan.json")
    fleet.place(db="lq-d25")
    result = run("apply", "plan.json", "--yes", "-o", "json") if run("validate", "specs").exit_code == 0 else None
    assert result is not None
    assert result.exit_code == 4
    said = json.loads(result.stdout)
    assert said["exit"]["name"] == "stale-plan"
    assert said["differences"] == ["the specs in specs changed (made from no commit, now no commit)"]


def test_a_saved_plan_needs_no_specs(run: Run, fleet: Fleet, tmp_path: Path) -> None:
    fleet.place(web="lq-d26")
    run("plan", "specs", "--out", "plan.json")
    (tmp_path / "specs").rename(tmp_path / "elsewhere")
    (tmp_path / "plan.json").rename(tmp_path / "elsewhere" / "plan.json")
    from typer.testing import CliRunner

    from reconciler.cli.app import app

    assert CliRunner().invoke(app, ["apply", "elsewhere/plan.json", "--yes"]).exit_code == 0
    assert fleet.world.where("web") == [("lq-d26", "running")]


def test_an_edited_plan_is_refused(run: Run, fleet: Fleet) -> None:
    fleet.place(web="lq-d26")
    run("plan", "specs", "--out", "plan.json")
    text = Path("plan.json").read_text(encoding="utf-8")
    Path("plan.json").write_text(text.replace('"port": 49152', '"port": 22'), encoding="utf-8")
    result = run("apply", "plan.json", "--yes")
    assert result.exit_code == 4
    assert "edited or damaged" in result.stderr
    assert fleet.world.where("web") == [("lq-d25", "running")]


def test_what_needs_a_person_has_its_code(run: Run, fleet: Fleet) -> None:
    fleet.place(web="lq-d26")
    fleet.hypervisor.broken = "paused"
    result = run("apply", "specs", "--yes")
    assert result.exit_code == 6
    assert "Needs-human" in result.stdout
    assert "runs nowhere after a failed move" in result.stderr


def test_access_left_open_has_its_code(run: Run, fleet: Fleet) -> None:
    fleet.place(web="lq-d26")
    fleet.world.fault = ("lease.dropped", Refused("lq-d26", "said no"))
    assert run("apply", "specs", "--yes").exit_code == 7
    listed = run("leases", "list", "specs")
    assert "secret" in listed.stdout
    assert run("leases", "revoke", "specs").exit_code == 0
    assert run("leases", "list", "specs").stdout == "No lease is open.\n"
    assert fleet.world.residue() == []


def test_a_failed_move_has_code_one(run: Run, fleet: Fleet) -> None:
    fleet.place(web="lq-d26")
    fleet.hypervisor.broken = "refused"
    result = run("apply", "specs", "--yes")
    assert result.exit_code == 1
    assert "FAILED" in result.stderr
    assert "skipped" in result.stderr


def test_status_and_snapshot_look_and_do_not_touch(run: Run, fleet: Fleet) -> None:
    shown = run("status", "specs")
    assert shown.exit_code == 0
    assert "web" in shown.stdout
    assert "in sync" in shown.stdout
    saved = run("snapshot", "specs", "--out", "seen.json")
    assert saved.exit_code == 0
    assert run("plan", "specs", "--snapshot", "seen.json", "--detailed-exitcode").exit_code == 0
    assert "Nothing to do" in run("simulate", "seen.json").stdout
    fleet.place(web="lq-d26")
    assert run("plan", "specs", "--snapshot", "seen.json", "--detailed-exitcode").exit_code == 2
    assert "pending (host)" in run("status", "specs").stdout


def test_a_silent_host_is_told_everywhere(run: Run, fleet: Fleet) -> None:
    fleet.host("lq-d26").up = False
    for words in (("status", "specs"), ("snapshot", "specs"), ("leases", "list", "specs"), ("plan", "specs")):
        result = run(*words)
        assert result.exit_code == 1, words
        assert "lq-d26" in result.output
        assert "cannot be reached" in result.output
