"""`reconciler import`: host keys are never trusted silently, no file overwritten, what cannot be said is named."""

import json
from pathlib import Path

import pytest

from reconciler.adapters import host_key, ssh_names
from reconciler.adapters.host_key import ShownKey
from reconciler.adapters.ssh_names import read_target
from reconciler.errors import PlanError
from reconciler.model.fleet import Connection
from tests.fakes.fleets import Fleet
from tests.unit.commands.conftest import Run

HOSTS = ("root@10.77.0.11", "root@10.77.0.12")
LINE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPKmZPxQyfZs3TcwQm0aZ7pYb3nXyQ0d7Q2r8w5kS1uV"


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """Is the key that hosts show known?"""
    said = {"known": True}
    shown = lambda address, connection, timeout: ShownKey(LINE, "SHA256:abc", said["known"])  # noqa: E731
    monkeypatch.setattr(host_key, "shown_key", shown)
    return said


def test_imported_specs_need_nothing_more(run: Run, key: dict[str, bool], tmp_path: Path) -> None:
    said = run("import", *HOSTS, "--out", "mine", "-o", "json")
    assert said.exit_code == 0, said.output
    data = json.loads(said.stdout)
    assert (data["fleet"], data["left"]) == ("vpd", [])
    assert f"hostKeys:\n      - {LINE}" in (tmp_path / "mine/hosts/lq-d25.yaml").read_text()
    plan = run("plan", "mine", "--detailed-exitcode")
    assert plan.exit_code == 0, plan.output


def test_an_unknown_key_is_shown_and_refused(run: Run, key: dict[str, bool], tmp_path: Path, fleet: Fleet) -> None:
    key["known"] = False
    asked = len(fleet.world.calls)
    said = run("import", *HOSTS, "--out", "mine")
    assert said.exit_code == 1
    assert "its SSH host key is not known: ssh-ed25519 SHA256:abc" in said.stderr
    assert len(fleet.world.calls) == asked, "nobody logged in"
    assert not (tmp_path / "mine").exists()
    accepted = run("import", *HOSTS, "--out", "mine", "--accept-host-key")
    assert accepted.exit_code == 0
    assert "accepted and pinned host key SHA256:abc" in accepted.stderr


def test_no_file_is_overwritten(run: Run, key: dict[str, bool], tmp_path: Path) -> None:
    (tmp_path / "mine/vms").mkdir(parents=True)
    (tmp_path / "mine/vms/web.yaml").write_text("mine")
    said = run("import", *HOSTS, "--out", "mine")
    assert said.exit_code == 1
    assert "mine/vms/web.yaml exists already; nothing was written" in said.stderr
    assert [str(p.relative_to(tmp_path)) for p in (tmp_path / "mine").rglob("*.yaml")] == ["mine/vms/web.yaml"]
    assert (tmp_path / "mine/vms/web.yaml").read_text() == "mine"


def test_a_silent_host_ends_it(run: Run, key: dict[str, bool], fleet: Fleet, tmp_path: Path) -> None:
    fleet.host("lq-d26").up = False
    said = run("import", *HOSTS, "--out", "mine")
    assert said.exit_code == 1
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("words", [("-oProxyCommand=x",), ("root@a b",), (";id",), (*HOSTS, HOSTS[0])])
def test_what_is_no_host_is_refused(run: Run, key: dict[str, bool], words: tuple[str, ...]) -> None:
    assert run("import", "--out", "mine", "--", *words).exit_code == 1


def test_a_name_of_the_ssh_configuration(tmp_path: Path) -> None:
    config, secret = tmp_path / "config", tmp_path / "secret"
    secret.write_text("")
    config.write_text(
        f"Host kvm\n HostName 10.0.0.9\n User admin\n Port 2222\n IdentityFile {secret}\n"
        f" UserKnownHostsFile {tmp_path}/known\nHost far\n HostName 10.0.0.8\n ProxyJump kvm\n"
    )
    assert read_target("kvm", str(config)) == ("10.0.0.9", Connection("admin", 2222, str(secret), f"{tmp_path}/known"))
    assert read_target("ops@10.0.0.7", str(config))[1].user == "ops"
    assert read_target("10.0.0.7", str(config))[1].user == "root"
    with pytest.raises(PlanError, match="reached through another host"):
        read_target("far", str(config))


def test_without_ssh_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(PlanError, match="cannot ask ssh"):
        ssh_names.read_target("root@10.0.0.7")
