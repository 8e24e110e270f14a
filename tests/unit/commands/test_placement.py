"""What people ask about places: what if a host were drained, why is it there, how does it stand."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reconciler.cli.app import app
from reconciler.engine.standing import standings
from reconciler.model.ref import Place
from tests.worlds import CASES, world

HOME = CASES / "after_a_maintenance_a_VM_goes_home"
DRAIN = CASES / "a_host_in_maintenance_is_drained"
STILL = CASES / "a_VM_within_its_policy_is_left_alone"


def _said(command: str, case: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [command, *words, str(case), "--snapshot", str(case / "snapshot.json")])
    return done.exit_code, done.output


def test_what_if_needs_no_edit_and_makes_no_plan_to_apply(tmp_path: Path) -> None:
    code, said = _said("plan", STILL, "--what-if", "drain=lq-d25")
    assert code == 0
    assert "lq-d25 is in maintenance" in said
    assert "`apply` does none of it" in said
    assert "Nothing to do" in _said("plan", STILL)[1]
    code, said = _said("plan", STILL, "--what-if", "drain=lq-d25", "--out", str(tmp_path / "plan.json"))
    assert (code, "makes no plan that can be applied" in said) == (1, True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("asked", ["drain=", "drain", "stop=lq-d25", "drain=lq-d25,nobody", ""])
def test_what_cannot_be_asked_is_told(asked: str) -> None:
    code, said = _said("plan", STILL, "--what-if", asked)
    known = "not a question that can be asked" in said or "no Host named 'nobody'" in said
    assert (code, known) == ((1, True) if asked else (0, False))


def test_explain_says_why_it_is_there_and_not_elsewhere() -> None:
    said = _said("explain", DRAIN, "vm/db")[1]
    assert "placed on lq-d26, since lq-d25 is in maintenance" in said
    assert "> move live lq-d25 -> lq-d26" in said
    assert "for the move of web" not in said
    said = _said("explain", CASES / "a_VM_that_was_drained_stays_until_the_maintenance_ends", "vm/web")[1]
    assert "lq-d25 is in maintenance (it comes back when that ends" in said


def test_a_vm_of_a_policy_stands_where_it_runs() -> None:
    there = world(STILL.name)
    stood = {s.place: s for s in standings(there.plan(), there.wanted, there.seen, {}, there.seen.taken)}
    assert stood[Place("vm", "lq-d25", "web1")].word == "in-sync"
    drained = world(DRAIN.name)
    stood = {s.place: s for s in standings(drained.plan(), drained.wanted, drained.seen, {}, drained.seen.taken)}
    db = stood[Place("vm", "lq-d25", "db")]
    assert (db.word, db.fields) == ("pending", ("host",))
    before = {place: replace(one, word="in-sync") for place, one in stood.items()}
    again = standings(drained.plan(), drained.wanted, drained.seen, before, drained.seen.taken)
    assert {s.place.name: s.word for s in again if s.place.kind == "vm"}["db"] == "drifted"


def _self_contained(case: Path, folder: Path) -> Path:
    """What `reconciler snapshot` writes of that case."""
    data = json.loads((case / "snapshot.json").read_text(encoding="utf-8"))
    specs = [["spec.yaml", (case / "spec.yaml").read_text(encoding="utf-8")]]
    file = folder / "fleet.json"
    file.write_text(json.dumps({**data, "specs": specs, "attached": {}}), encoding="utf-8")
    return file


def test_simulate_needs_one_file_and_shows_hosts_before_and_after(tmp_path: Path) -> None:
    file = _self_contained(DRAIN, tmp_path)
    said = CliRunner().invoke(app, ["simulate", str(file)]).output
    rows = {line.split()[0]: line.split() for line in said.splitlines() if line.startswith("lq-d2")}
    assert [rows[f"lq-d2{number}"][3:] for number in (5, 6, 7)] == [
        ["3", "GiB", "2", "0", "B", "0"],
        ["2", "GiB", "1", "4", "GiB", "2"],
        ["0", "B", "0", "1", "GiB", "1"],
    ]
    data = json.loads(CliRunner().invoke(app, ["simulate", str(file), "-o", "json"]).output)
    assert {load["host"]: load["vms"] for load in data["after"]} == {
        "lq-d25": [],
        "lq-d26": ["db", "mail"],
        "lq-d27": ["web"],
    }


def test_simulate_refuses_what_is_not_self_contained() -> None:
    done = CliRunner().invoke(app, ["simulate", str(DRAIN / "snapshot.json")])
    assert (done.exit_code, "holds no specs" in done.output) == (1, True)
