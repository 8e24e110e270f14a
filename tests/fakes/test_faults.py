"""The reconciler killed, or failing, at every step of a pass: one owner always, and the next pass ends it.

A kill is of the process: what it had opened stays until the next pass or until the hosts end it themselves.
"""

import pytest

from reconciler.errors import Refused, Unreachable
from tests.fakes.fleets import SHARED, Fleet, settled
from tests.fakes.machines import File, Storage
from tests.fakes.shell_lease import login
from tests.fakes.world import TOKEN, Killed

MOVE_FAILPOINTS = (
    *("lease.keyed", "lease.granted", "lease.opened", "move.ready", "move.migrated", "move.settled", "lease.dropped"),
)
MAKE_FAILPOINTS = ("pool.token-written", "clone.defined", "clone.copying", "clone.copied", "start.asked")


def _moving(measure: str = "2s") -> Fleet:
    fleet = settled(web="lq-d25")
    fleet.measure = measure
    fleet.world.pass_time(60)
    fleet.world.calls.clear()
    return fleet.place(web="lq-d26")


def _runs_once(fleet: Fleet) -> bool:
    """On two hosts it is only while it is being copied."""
    states = [state for _, state in fleet.world.where("web")]
    return states == ["running"] or (sorted(states) == ["paused", "running"] and bool(fleet.world.copying))


def _check_end(fleet: Fleet, host: str) -> None:
    assert fleet.world.violations == []
    assert fleet.world.where("web") == [(host, "running")]
    assert fleet.world.residue() == []
    assert {n for n in fleet.world.exports["nas.vpd.com:/comp"].files if TOKEN not in n} == {"web.qcow2"}
    assert fleet.plan().empty


@pytest.mark.parametrize("failpoint", MOVE_FAILPOINTS)
def test_an_error_at_each_step_of_a_move(failpoint: str) -> None:
    fleet = _moving()
    fleet.world.fault = (failpoint, Refused("lq-d26", "said no"))
    report = fleet.apply()
    assert fleet.world.fault is None, "the failpoint was not reached"
    assert report.verdict in ("failed", "revocation-pending")
    assert _runs_once(fleet)
    if failpoint != "lease.dropped":
        assert fleet.world.residue() == []
    fleet.converge()
    _check_end(fleet, "lq-d26")


@pytest.mark.parametrize("failpoint", MOVE_FAILPOINTS)
def test_a_kill_at_each_step_of_a_move(failpoint: str) -> None:
    fleet = _moving()
    fleet.world.fault = (failpoint, Killed())
    with pytest.raises(Killed):
        fleet.apply()
    fleet.revive()
    assert _runs_once(fleet)
    fleet.converge(1)
    _check_end(fleet, "lq-d26")


@pytest.mark.parametrize("failpoint", MAKE_FAILPOINTS)
@pytest.mark.parametrize("killed", [True, False])
def test_a_fault_at_each_step_of_making_a_vm(failpoint: str, killed: bool) -> None:
    fleet = Fleet().place(web="lq-d25")
    fleet.world.fault = (failpoint, Killed() if killed else Refused("lq-d25", "said no"))
    if killed:
        with pytest.raises(Killed):
            fleet.apply()
        fleet.revive()
    else:
        assert fleet.apply().verdict == "failed"
        assert fleet.world.tokens() == []
        if failpoint == "clone.copying":
            assert fleet.world.residue() == []
    fleet.converge()
    _check_end(fleet, "lq-d25")


def _calls_of(fleet: Fleet) -> int:
    fleet.apply()
    return len(fleet.world.calls)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_at_every_call_of_a_move(after: bool) -> None:
    """Each call of the whole pass once: the process dies before its effect, or before its answer.

    Not while it is measured, which is many calls that change nothing: those are below.
    """
    for number in range(1, _calls_of(_moving("0s")) + 1):
        fleet = _moving("0s")
        fleet.world.kill_at, fleet.world.kill_after_effect = number, after
        with pytest.raises(Killed):
            fleet.apply()
        assert _runs_once(fleet), number
        fleet.revive()
        fleet.converge(1)
        _check_end(fleet, "lq-d26")


def test_an_unreachable_host_at_every_call_of_a_move() -> None:
    for number in range(1, _calls_of(_moving("0s")) + 1):
        fleet = _moving("0s")
        fleet.world.fail_at = number
        report = fleet.apply()
        assert _runs_once(fleet), number
        assert fleet.world.violations == []
        if fleet.world.residue():
            assert report.verdict != "ok", number
        fleet.converge()
        _check_end(fleet, "lq-d26")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_at_every_call_of_a_fresh_fleet(after: bool) -> None:
    whole = Fleet().place(web="lq-d25")
    calls = _calls_of(whole)
    for number in range(1, calls + 1, 3):
        fleet = Fleet().place(web="lq-d25")
        fleet.world.kill_at, fleet.world.kill_after_effect = number, after
        with pytest.raises(Killed):
            fleet.apply()
        fleet.revive()
        fleet.converge(4)
        _check_end(fleet, "lq-d25")


def test_hosts_end_a_lease_without_any_reconciler() -> None:
    fleet = _moving()
    fleet.world.fault = ("lease.opened", Killed())
    with pytest.raises(Killed):
        fleet.apply()
    source, there = fleet.host("lq-d25"), fleet.host("lq-d26")
    (name,) = source.leases
    key = f"/run/reconciler/leases/{name}/key"
    assert login(fleet.world, source, key, "root", "lq-d26.vpd.com").code == 0
    assert there.firewall.admits("br0", "10.77.0.11", 49152)
    public = source.leases[name]
    fleet.world.pass_time(901)
    assert source.leases == {}
    assert not there.firewall.admits("br0", "10.77.0.11", 49152)
    source.leases[name] = public
    assert "Permission denied" in login(fleet.world, source, key, "root", "lq-d26.vpd.com").err
    fleet.revive()
    fleet.converge()
    _check_end(fleet, "lq-d26")


def test_a_migration_libvirt_refuses_leaves_the_vm_and_no_access() -> None:
    fleet = _moving()
    fleet.hypervisor.broken = "refused"
    report = fleet.apply()
    assert report.verdict == "failed"
    assert "it still runs on lq-d25" in next(o.fix for o in report.failed)
    assert fleet.world.where("web") == [("lq-d25", "running")]
    assert fleet.world.residue() == []
    fleet.converge()
    _check_end(fleet, "lq-d26")


def test_a_migration_whose_answer_was_lost_is_found_to_have_arrived() -> None:
    fleet = _moving()
    fleet.hypervisor.broken = "lost"
    report = fleet.apply()
    assert report.verdict == "ok"
    assert any("arrived, though libvirt reported" in o.text for o in report.outcomes)
    _check_end(fleet, "lq-d26")


def test_a_vm_that_runs_nowhere_after_a_move_is_for_a_person() -> None:
    fleet = _moving()
    fleet.hypervisor.broken = "paused"
    report = fleet.apply()
    assert report.verdict == "needs-human"
    assert "runs nowhere after a failed move: paused on lq-d25" in " ".join(o.text for o in report.failed)
    assert fleet.world.where("web") == [("lq-d25", "paused")]
    assert fleet.world.residue() == []
    fleet.converge(1)
    _check_end(fleet, "lq-d26")


def test_a_destination_that_dies_is_reported_and_its_lease_is_swept_when_it_is_back() -> None:
    fleet = _moving()

    def die() -> None:
        fleet.host("lq-d26").up = False

    fleet.world.happens = ("move.ready", die)
    report = fleet.apply()
    assert report.verdict in ("needs-human", "revocation-pending")
    assert fleet.world.where("web") == [("lq-d25", "running")]
    assert fleet.world.residue() != []
    assert {o.action.partition("/")[0] for o in fleet.apply().outcomes} == {"lease"}, (
        "the VM is frozen: a host is silent"
    )
    assert fleet.world.where("web") == [("lq-d25", "running")]
    fleet.host("lq-d26").up = True
    fleet.converge()
    _check_end(fleet, "lq-d26")


def test_a_full_pool_leaves_no_half_made_volume() -> None:
    fleet = Fleet().place(web="lq-d25")
    fleet.hypervisor.copy_fails = True
    report = fleet.apply()
    assert report.verdict == "failed"
    assert fleet.world.where("web") == []
    assert fleet.world.exports["nas.vpd.com:/comp"].files == {}
    assert fleet.world.residue() == []
    fleet.hypervisor.copy_fails = False
    fleet.converge()
    _check_end(fleet, "lq-d25")


def test_a_lookalike_mount_stops_the_move_before_any_access_is_opened() -> None:
    fleet = _moving()
    fleet.host("lq-d26").lookalike = Storage()
    report = fleet.apply()
    assert "does not see what lq-d25 wrote" in " ".join(o.text for o in report.failed)
    assert {o.status for o in report.outcomes if ":grant" in o.action} == {"skipped"}
    assert fleet.world.where("web") == [("lq-d25", "running")]
    assert fleet.world.residue() == fleet.world.tokens() == []
    assert fleet.world.violations == []


def test_the_token_of_a_killed_proof_goes_with_the_next_pass() -> None:
    fleet = _moving()
    fleet.world.fault = ("pool.token-written", Killed())
    with pytest.raises(Killed):
        fleet.apply()
    assert len(fleet.world.tokens()) == 1
    fleet.revive()
    fleet.converge()
    _check_end(fleet, "lq-d26")
    assert fleet.world.tokens() == []


def test_another_fleets_token_goes_with_the_first_proof_an_hour_later() -> None:
    fleet = _moving()
    theirs = f"{TOKEN}other.00000000-0000-4000-8000-000000000001"
    storage, _ = fleet.world.storage(fleet.host("lq-d25"), f"{SHARED}/{theirs}")
    storage.files[theirs] = File("theirs", made=fleet.world.time)
    assert fleet.apply().verdict == "ok"
    assert fleet.world.tokens() == [theirs]
    fleet.world.pass_time(3700)
    assert fleet.place(web="lq-d25").apply().verdict == "ok"
    assert fleet.world.tokens() == []


def test_a_firewalld_reload_in_the_middle_fails_the_move_and_the_next_pass_makes_it() -> None:
    fleet = _moving()
    fleet.world.happens = ("move.ready", fleet.host("lq-d26").firewall.reload)
    assert fleet.apply().verdict == "failed"
    assert fleet.world.residue() == []
    fleet.converge()
    _check_end(fleet, "lq-d26")


def test_a_rule_made_permanent_by_somebody_is_found_and_removed() -> None:
    fleet = _moving()

    def runtime_to_permanent() -> None:
        firewall = fleet.host("lq-d26").firewall
        firewall.permanent = {name: zone.copy() for name, zone in firewall.runtime.items()} | {
            name: zone for name, zone in firewall.permanent.items() if name not in firewall.runtime
        }

    fleet.world.happens = ("move.ready", runtime_to_permanent)
    report = fleet.apply()
    assert report.verdict != "ok", "a rule of ours stayed in the permanent configuration"
    fleet.converge()
    _check_end(fleet, "lq-d26")


def test_a_vm_started_elsewhere_meanwhile_is_not_started_twice() -> None:
    fleet = settled(web="lq-d25")
    one, two = fleet.host("lq-d25"), fleet.host("lq-d26")
    (uuid,) = [d.uuid for d in one.domains.values() if d.name == "web"]
    one.domains[uuid].state = "shutoff"
    wanted = fleet.wanted
    from reconciler.engine.once import do, see, think
    from reconciler.wiring import KINDS

    seen = see(wanted, KINDS, fleet.tools)
    two.domains[uuid] = type(one.domains[uuid])(uuid, "web", one.domains[uuid].config, "running", "x")
    report = do(think(wanted, seen, KINDS), wanted, seen, KINDS, fleet.tools)
    assert report.verdict == "needs-human"
    assert fleet.world.where("web") == [("lq-d25", "shutoff"), ("lq-d26", "running")]
    assert fleet.world.violations == []


def test_an_unreachable_error_is_told_with_its_host() -> None:
    fleet = _moving()
    fleet.world.fault = ("move.ready", Unreachable("lq-d26", "is gone"))
    assert "lq-d26: is gone" in [o.text for o in fleet.apply().failed]


@pytest.mark.parametrize("which", [0, 8, 9, 17])
def test_a_fault_while_performance_is_measured(which: int) -> None:
    """The first and the last look on each side: a kill loses no VM, and a host that does not answer fails no move."""
    whole = _moving()
    whole.apply()
    looks = [number for number, call in enumerate(whole.world.calls, 1) if call.endswith("libvirt counters")]
    fleet = _moving()
    fleet.world.kill_at = looks[which]
    with pytest.raises(Killed):
        fleet.apply()
    assert len(fleet.world.where("web")) == 1
    fleet.revive()
    fleet.converge()
    _check_end(fleet, "lq-d26")


def test_what_cannot_be_measured_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = _moving()

    def refuses(*_: object) -> None:
        raise Refused("lq-d25", "libvirt says: no")

    monkeypatch.setattr(fleet.hypervisor, "counters", refuses)
    report = fleet.apply()
    assert report.verdict == "ok"
    before, after = (o for o in report.outcomes if ":measure" in o.action)
    assert (before.status, before.text) == ("nothing-to-do", "not measured: libvirt says: no")
    assert after.text == "not measured: there is nothing from before the move to compare with"
    _check_end(fleet, "lq-d26")
