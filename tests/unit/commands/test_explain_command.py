"""`explain` and `doctor`: from a snapshot, and over the fleet in memory, where CPUs are compared."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from reconciler.cli.app import app
from tests.fakes.fleets import Fleet
from tests.fakes.machines import Domain
from tests.worlds import CASES, MOVE

EVERY = "a_move_is_refused_for_every_reason_at_once"
CPU = "<cpu mode='custom' match='exact'><model>{}</model></cpu><devices>"
Run = Callable[..., Result]


def saved(case: str, *words: str) -> Result:
    folder = CASES / case
    return CliRunner().invoke(app, [*words, str(folder), "--snapshot", str(folder / "snapshot.json")])


def give_cpu(fleet: Fleet, model: str) -> Domain:
    """The guest `web` as if it had booted with that CPU."""
    (domain,) = [d for d in fleet.host("lq-d25").domains.values() if d.name == "web"]
    domain.config = domain.config.replace("<devices>", CPU.format(model))
    domain.live = domain.config
    return domain


def test_explain_says_what_would_be_done_and_every_blocker() -> None:
    said = saved(EVERY, "explain", "vm/mvp4_lqd25")
    assert said.exit_code == 0
    assert "differs: host: lq-d25 -> lq-d26" in said.stdout
    assert "lq-d25: runs here" in said.stdout
    assert "lq-d26: no (6 blockers)" in said.stdout
    assert said.stdout.count("    ! ") == 6
    assert "CPUs were not compared" in said.stdout


def test_explain_of_a_move_shows_its_steps() -> None:
    said = saved(MOVE, "explain", "vm/mvp4_lqd25").stdout
    assert "> move live lq-d25 -> lq-d26" in said
    assert "lq-d26: live" in said


@pytest.mark.parametrize("ref", ["host/lq-d25", "pool/CONT_VOL_COMP", "pool/CONT_VOL_COMP@lq-d26"])
def test_explain_of_other_kinds(ref: str) -> None:
    said = saved("nothing_to_do", "explain", ref)
    assert said.exit_code == 0
    assert "Nothing to do" in said.stdout
    assert "Hosts" not in said.stdout


def test_explain_of_a_firewall_shows_what_differs(run: Run, fleet: Fleet) -> None:
    for ref in ("firewall/lq-d25", "firewall/compute"):
        assert "Nothing to do" in run("explain", ref, "specs").stdout
    fleet.zone("lq-d25").services.discard("cockpit")
    said = run("explain", "firewall/lq-d25", "specs").stdout
    assert "differs: " in said
    assert "cockpit" in said


def test_explain_of_what_is_not_declared_or_not_there() -> None:
    said = saved(MOVE, "explain", "vm/mvp1")
    assert (said.exit_code, "not declared: nothing is ever done to it" in said.stdout) == (0, True)
    assert "is here, off" in said.stdout
    slip = saved(MOVE, "explain", "vm/nobody")
    assert (slip.exit_code, slip.stdout) == (1, "")
    assert "vm/nobody: nothing of that name is declared or seen" in slip.stderr


def test_explain_as_json() -> None:
    said: dict[str, Any] = json.loads(saved(EVERY, "explain", "vm/mvp4_lqd25", "-o", "json").stdout)
    assert (said["ref"], said["declared"], said["seen"]) == (
        "vm/mvp4_lqd25",
        ["vm/mvp4_lqd25@lq-d26"],
        ["vm/mvp4_lqd25@lq-d25"],
    )
    here, there = said["ways"]
    assert (here["host"], here["here"], there["open"], len(there["blockers"])) == ("lq-d25", True, False, 6)
    assert all(b["reason"] and b["fix"] for b in there["blockers"])
    assert len(said["plan"]["refusals"]) == 6


@pytest.mark.parametrize(("case", "code", "word"), [(MOVE, 0, "live"), (EVERY, 1, "no (6 blockers)")])
def test_doctor_shows_vms_beside_hosts(case: str, code: int, word: str) -> None:
    said = saved(case, "doctor")
    assert said.exit_code == code
    head, row = said.stdout.splitlines()[:2]
    assert head.split() == ["VM", "lq-d25", "lq-d26"]
    assert row.startswith("vm/mvp4_lqd25")
    assert word in row
    assert "QEMU image lock only" in said.stdout


def test_doctor_as_json() -> None:
    said = json.loads(saved(EVERY, "doctor", "-o", "json").stdout)
    assert said["stuck"] == ["vm/mvp4_lqd25"]
    assert said["exit"]["name"] == "error"
    assert [host["firewalld"] for host in said["hosts"]] == ["running", "running"]
    assert [host["clock"] for host in said["hosts"]] == [0, 0]


def test_a_silent_host_is_said_and_counts() -> None:
    said = saved("a_silent_host_freezes_what_may_live_there_and_nothing_else", "doctor")
    assert said.exit_code == 1
    assert "unknown" in said.stdout
    assert "warning: " in said.stderr


def test_a_vm_that_is_off_is_no_fault() -> None:
    said = saved("a_stopped_VM_moves_offline", "doctor")
    assert said.exit_code == 0
    assert "vm/mvp4_lqd25  is here, off  offline" in said.stdout


def test_nothing_is_changed_and_hosts_are_told_apart(run: Run, fleet: Fleet) -> None:
    fleet.host("lq-d26").locks = "lockd"
    before = [dict(host.domains) for host in fleet.world.hosts.values()]
    said = run("doctor", "specs")
    assert said.exit_code == 0, said.output
    assert "vm/web  runs here  live" in said.stdout
    assert "lockd" in said.stdout
    assert "OpenSSH 9.2p1" in said.stdout
    assert "lock_manager differs" in said.stdout
    assert [dict(host.domains) for host in fleet.world.hosts.values()] == before


def test_live_hosts_compare_the_cpu(run: Run, fleet: Fleet) -> None:
    give_cpu(fleet, "qemu64")
    assert "lq-d26: live" in run("explain", "vm/web", "specs").stdout
    fleet.host("lq-d26").cpus = {"Nehalem": "identical"}
    said = run("explain", "vm/web", "specs")
    assert "! lq-d26 cannot give the CPU it runs with" in said.stdout
    assert run("doctor", "specs").exit_code == 1
    fleet.host("lq-d26").cpus = {}
    assert "? libvirt on lq-d26 cannot compare its CPU" in run("explain", "vm/web", "specs").stdout
