"""The plan is a contract: a saved plan does exactly that, or names what changed and does nothing."""

import json
from pathlib import Path

from tests.e2e.hosts import LabHost
from tests.e2e.user import User

VM = "mvp4_lqd25"


def saved_move(user: User) -> Path:
    """A reviewed plan of a move."""
    user.edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    path = user.folder.parent / "plan.json"
    assert user.plan("--out", str(path)).code == 0
    return path


def test_a_saved_plan_is_carried_out_without_the_specs(running: User, d26: LabHost, tmp_path: Path) -> None:
    path = saved_move(running)
    running.folder.rename(tmp_path / "elsewhere")
    said = running.run("apply", str(path), "--yes")
    assert said.code == 0, said.text
    assert d26.domains()[VM] == "running"


def test_a_stale_plan_names_the_object_that_changed(running: User, d25: LabHost) -> None:
    path = saved_move(running)
    d25.out("virsh", "autostart", "--disable", VM)
    said = running.run("apply", str(path), "--yes")
    assert said.code == 4, said.text
    assert f"vm/{VM}@lq-d25 changed: autostart: True -> False" in said.err
    assert d25.domains()[VM] == "running"


def test_a_plan_is_stale_when_the_specs_moved_on(running: User, d25: LabHost) -> None:
    path = saved_move(running)
    running.edit("vms.yaml", "autostart: true", "autostart: false")
    said = running.run("apply", str(path), "--yes", "-o", "json")
    assert said.code == 4
    assert said.data["exit"] == {"code": 4, "name": "stale-plan"}
    assert "the specs in" in said.data["differences"][0]


def test_an_edited_plan_is_refused(running: User, d25: LabHost) -> None:
    path = saved_move(running)
    data = json.loads(path.read_text())
    grant = next(action for action in data["actions"] if "way" in action["fields"])
    grant["fields"]["way"]["lifetime"] = 86400
    path.write_text(json.dumps(data))
    said = running.run("apply", str(path), "--yes")
    assert said.code == 4
    assert "edited or damaged" in said.err


def test_a_plan_is_used_once(running: User, d26: LabHost) -> None:
    path = saved_move(running)
    assert running.run("apply", str(path), "--yes").code == 0
    again = running.run("apply", str(path), "--yes")
    assert again.code == 4
    assert "is gone" in again.err or "is there now" in again.err


def test_without_a_terminal_nothing_is_done_unasked(user: User, d25: LabHost) -> None:
    said = user.run("apply", str(user.folder))
    assert said.code == 1
    assert "nobody is here to confirm" in said.err
    assert d25.do("virsh", "pool-info", "CONT_VOL_COMP").returncode != 0


def test_a_target_narrows_the_plan(user: User, d25: LabHost, d26: LabHost) -> None:
    said = user.apply("--target", "pool/CONT_VOL_COMP@lq-d25")
    assert d25.do("virsh", "pool-info", "CONT_VOL_COMP").returncode == 0, said.text
    assert d26.do("virsh", "pool-info", "CONT_VOL_COMP").returncode != 0
    assert VM not in d25.domains()


def test_json_has_a_version_and_names_the_exit_code(user: User) -> None:
    said = user.plan("-o", "json", "--detailed-exitcode")
    assert said.code == 2
    assert (said.data["version"], said.data["exit"]["name"]) == (1, "changes-pending")
    assert {"id", "type", "place", "explain", "fields"} <= said.data["actions"][0].keys()


def test_a_saved_snapshot_gives_the_same_plan(user: User, tmp_path: Path) -> None:
    assert user.run("snapshot", str(user.folder), "--out", str(tmp_path / "s.json")).code == 0
    live, saved = user.plan(), user.plan("--snapshot", str(tmp_path / "s.json"))
    assert live.out == saved.out
