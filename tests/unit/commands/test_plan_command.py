"""`plan --snapshot` as scripts and people use it: exit codes, JSON, safe text, and no door opened.

Asks no host; what apply does is tested with the fake fleet.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from reconciler.cli.app import app
from tests.worlds import CASES, MOVE


def _plan(case: str, *options: str) -> Result:
    folder = CASES / case
    return CliRunner().invoke(app, ["plan", str(folder), "--snapshot", str(folder / "snapshot.json"), *options])


@pytest.mark.parametrize(
    ("case", "plain", "detailed", "word"),
    [
        ("nothing_to_do", 0, 0, "ok"),
        (MOVE, 0, 2, "changes-pending"),
        ("a_paused_VM_is_left_alone", 1, 1, "error"),
        ("a_VM_on_two_hosts_needs_a_human", 6, 6, "needs-human"),
    ],
)
def test_exit_codes(case: str, plain: int, detailed: int, word: str) -> None:
    assert _plan(case).exit_code == plain
    assert _plan(case, "--detailed-exitcode").exit_code == detailed
    said = json.loads(_plan(case, "-o", "json", "--detailed-exitcode").stdout)
    assert said["exit"]["name"] == word


def test_json_is_versioned_and_complete() -> None:
    result = _plan(MOVE, "-o", "json")
    said: dict[str, Any] = json.loads(result.stdout)
    assert result.stderr == ""
    assert (said["version"], said["fleet"], said["empty"]) == (1, "vpd", False)
    assert [action["type"] for action in said["actions"]] == [
        *("ProveShared", "Measure", "GrantAccess", "OpenPort", "MoveLive", "Measure"),
        *("ClosePort", "RevokeAccess", "ProveDomain"),
    ]
    move = said["actions"][4]
    assert move["place"] == "vm/mvp4_lqd25@lq-d26"
    assert move["explain"] == "move live lq-d25 -> lq-d26 (TLS)"
    assert move["fields"]["disruption"] == "move-live"
    assert {
        "place": "vm/mvp4_lqd25@lq-d26",
        "verb": "update",
        "path": "host",
        "old": "lq-d25",
        "new": "lq-d26",
    } in said["changes"]
    assert said["expectedBytes"] == 268435456
    assert "vm/mvp4_lqd25@lq-d25" in said["touched"]


def test_json_of_a_refusal_names_file_and_line() -> None:
    (refusal,) = json.loads(_plan("a_paused_VM_is_left_alone", "-o", "json").stdout)["refusals"]
    assert refusal["place"] == "vm/mvp4_lqd25@lq-d26"
    assert refusal["line"] == 28
    assert refusal["file"].endswith("spec.yaml")


def test_json_of_bad_specs(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {}\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["validate", str(tmp_path), "-o", "json"])
    said = json.loads(result.stdout)
    assert result.exit_code == 1
    assert said["exit"] == {"code": 1, "name": "error"}
    assert [problem["line"] for problem in said["problems"]] == [1, 2]
    assert result.stderr == ""


HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\x9b31m\r"


def test_no_control_characters_reach_the_terminal(tmp_path: Path) -> None:
    folder = CASES / "a_VM_of_another_fleet_is_left_alone"
    snapshot = json.loads((folder / "snapshot.json").read_text(encoding="utf-8"))
    for state in snapshot["objects"].values():
        if state["type"] == "DomainState" and state["fleet"]:
            state["fleet"] = HOSTILE
    snapshot["silences"] = [{"host": "lq-d26", "kinds": ["host"], "reason": HOSTILE, "fix": HOSTILE}]
    saved = tmp_path / "snapshot.json"
    saved.write_text(json.dumps(snapshot), encoding="utf-8")
    result = CliRunner().invoke(app, ["plan", str(folder), "--snapshot", str(saved)])
    assert result.exit_code == 1
    assert "owned" in result.output
    assert all(character.isprintable() for character in result.output.replace("\n", ""))


@pytest.mark.parametrize(
    "text", ["{", "[1]", '{"version": 99}', "", '{"version": 1, "objects": {"vm/a@b": {"type": "X"}}}']
)
def test_what_is_no_snapshot(tmp_path: Path, text: str) -> None:
    saved = tmp_path / "snapshot.json"
    saved.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["plan", str(CASES / MOVE), "--snapshot", str(saved)])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.output


def test_a_snapshot_field_that_does_not_fit_is_named(tmp_path: Path) -> None:
    snapshot = json.loads((CASES / MOVE / "snapshot.json").read_text(encoding="utf-8"))
    snapshot["objects"]["vm/mvp1@lq-d25"]["vcpus"] = "many"
    saved = tmp_path / "snapshot.json"
    saved.write_text(json.dumps(snapshot), encoding="utf-8")
    result = CliRunner().invoke(app, ["plan", str(CASES / MOVE), "--snapshot", str(saved)])
    assert result.exit_code == 1
    assert "DomainState: vcpus" in result.stderr


def test_a_target_that_is_no_place() -> None:
    result = _plan(MOVE, "--target", "web")
    assert result.exit_code == 1
    assert "write KIND/NAME" in result.stderr


def test_a_plan_is_saved_and_is_the_plan_shown(tmp_path: Path) -> None:
    out = tmp_path / "plan.json"
    shown = _plan(MOVE, "--out", str(out))
    assert shown.exit_code == 0
    assert f"apply {out}" in shown.stderr
    saved, said = json.loads(out.read_text(encoding="utf-8")), json.loads(_plan(MOVE, "-o", "json").stdout)
    assert saved["actions"] == said["actions"]
    assert saved["touched"] == said["touched"]


BLOCKED = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("libvirt", "libvirtmod", "fabric", "paramiko", "invoke"):
            raise ImportError(f"{name} is not installed here")
sys.meta_path.insert(0, Blocker())
"""


def test_planning_from_a_snapshot_needs_neither_libvirt_nor_ssh(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(BLOCKED, encoding="utf-8")
    folder = CASES / MOVE
    command = [sys.executable, "-m", "reconciler", "plan", str(folder), "--snapshot", str(folder / "snapshot.json")]
    done = subprocess.run(command, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "> move live lq-d25 -> lq-d26" in done.stdout
    blocked = subprocess.run(
        [sys.executable, "-c", "import libvirt"], env={"PYTHONPATH": str(tmp_path)}, capture_output=True, check=False
    )
    assert blocked.returncode == 1


def test_help_names_every_command() -> None:
    said = CliRunner().invoke(app, ["--help"]).stdout
    assert all(word in said for word in ("validate", "snapshot", "plan", "apply", "status", "leases", "schema"))
