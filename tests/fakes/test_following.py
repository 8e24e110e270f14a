"""A pass that finds a migration under way: followed, never repeated, finished or reported; then its lease is closed."""

import pytest

from reconciler.model.outcome import Report
from tests.fakes.fleets import Fleet, settled
from tests.fakes.machines import Domain
from tests.fakes.world import Killed

VM = "vm/web@lq-d26"


def _killed_in_the_copy(how: str = "", to: str = "lq-d26") -> Fleet:
    """The reconciler died when the copy had just begun; another one, seconds later, finds it under way."""
    fleet = settled(web="lq-d25")
    fleet.world.pass_time(60)
    fleet.world.calls.clear()
    fleet.hypervisor.broken = how
    fleet.place(web=to)
    with pytest.raises(Killed):
        _until_the_copy(fleet)
    fleet.revive()
    assert fleet.world.copying, "the copy goes on by itself"
    return fleet


def _until_the_copy(fleet: Fleet) -> None:
    begin = fleet.world.call

    def call(name: str, life: int) -> None:
        if name.endswith("job_stats") and life == 1:
            fleet.world.ended.add(life)
        begin(name, life)

    fleet.world.call = call  # type: ignore[method-assign]
    try:
        fleet.apply()
    finally:
        fleet.world.call = begin  # type: ignore[method-assign]


def _said(report: Report) -> dict[str, str]:
    return {o.action.partition(":")[2]: f"{o.status}: {o.text}" for o in report.outcomes}


def _domain(fleet: Fleet, host: str) -> Domain:
    return next(d for d in fleet.host(host).domains.values() if d.name == "web")


def test_one_pass_ends_where_an_undisturbed_one_would_have() -> None:
    fleet = _killed_in_the_copy()
    verbs = [a.verb for a in fleet.plan().actions]
    assert sorted(verbs) == ["close-port", "follow", "revoke", "verify"]
    assert verbs[0] == "follow"
    fleet.world.calls.clear()
    report = fleet.apply()
    assert report.verdict == "ok", [(o.action, o.text) for o in report.failed]
    assert not [call for call in fleet.world.calls if call.endswith("libvirt migrate")], "it is never begun twice"
    assert "is refused, key deleted" in _said(report)["revoke"]
    assert fleet.world.where("web") == [("lq-d26", "running")]
    assert _domain(fleet, "lq-d26").autostart, "autostart is carried as after an undisturbed move"
    assert fleet.world.residue() == fleet.world.violations == []
    assert fleet.plan().empty


def test_a_migration_that_fails_while_it_is_followed_is_reported_and_its_lease_is_closed() -> None:
    fleet = _killed_in_the_copy("refused")
    report = fleet.apply()
    assert report.verdict == "failed"
    assert "ended without success" in _said(report)["follow"]
    assert fleet.world.where("web") == [("lq-d25", "running")]
    assert fleet.world.residue() == []
    fleet.converge(1)
    assert fleet.world.where("web") == [("lq-d26", "running")]


def test_one_that_outlasts_its_timeout_is_left_to_itself_and_so_is_its_lease() -> None:
    fleet = _killed_in_the_copy()
    for job in fleet.world.copying.values():
        job.ends_at += 700
    report = fleet.apply()
    assert report.verdict == "failed"
    assert "is still running after 10 min" in _said(report)["follow"]
    assert "its migration still runs" in _said(report)["revoke"]
    assert fleet.world.copying, "nobody touched it"
    assert fleet.world.residue() != [], "a lease in use is no leftover; the hosts end it"
    report = fleet.apply()
    assert report.verdict == "ok"
    assert fleet.world.where("web") == [("lq-d26", "running")]
    assert fleet.world.residue() == []


def test_a_host_that_falls_silent_in_the_middle_leaves_the_truth_unknown() -> None:
    fleet = _killed_in_the_copy()
    fleet.host("lq-d26").up = False
    assert any(r.human and "perhaps to lq-d26" in r.reason for r in fleet.plan().refusals)
    assert fleet.apply().verdict == "needs-human"
    fleet.host("lq-d26").up = True
    fleet.converge(1)
    assert fleet.world.where("web") == [("lq-d26", "running")]
    assert fleet.world.residue() == []


def test_a_source_that_falls_silent_while_it_is_followed_is_for_a_person() -> None:
    fleet = _killed_in_the_copy()
    plan = fleet.plan()
    assert plan.actions

    def dies(name: str, life: int) -> None:
        if name.endswith("running_job"):
            fleet.host("lq-d25").up = False
        begin(name, life)

    begin = fleet.world.call
    fleet.world.call = dies  # type: ignore[method-assign]
    report = fleet.apply()
    assert report.verdict == "needs-human"
    assert "does not answer" in _said(report)["follow"]
    assert fleet.world.violations == []


def test_a_connection_lost_in_the_copy_makes_the_move_follow_its_own_migration() -> None:
    fleet = settled(web="lq-d25")
    fleet.world.pass_time(60)
    fleet.world.calls.clear()
    begin, lost = fleet.world.call, []

    def call(name: str, life: int) -> None:
        begin(name, life)
        if name.endswith("job_stats") and not lost:
            from reconciler.errors import Unreachable

            lost.append(name)
            raise Unreachable("lq-d25", "the connection broke")

    fleet.world.call = call  # type: ignore[method-assign]
    report = fleet.place(web="lq-d26").apply()
    assert lost
    assert report.verdict == "ok", [(o.action, o.text) for o in report.failed]
    assert fleet.world.where("web") == [("lq-d26", "running")]
    assert fleet.world.residue() == fleet.world.violations == []


def test_a_migration_by_hand_to_another_host_is_followed_and_the_next_pass_brings_it_back() -> None:
    fleet = _killed_in_the_copy()
    fleet.place(web="lq-d25")
    report = fleet.apply()
    assert report.verdict == "failed"
    assert "is being migrated to lq-d26, declared on lq-d25" in report.refusals[0].reason
    assert fleet.world.where("web") == [("lq-d26", "running")]
    assert fleet.world.residue() == []
    fleet.converge(1)
    assert fleet.world.where("web") == [("lq-d25", "running")]


def test_what_else_differs_is_done_in_the_same_pass() -> None:
    fleet = _killed_in_the_copy()
    domain = _domain(fleet, "lq-d25")
    domain.config = domain.config.replace("<vcpu>2</vcpu>", "<vcpu>1</vcpu>")
    there = _domain(fleet, "lq-d26")
    there.config = domain.config
    assert [a.verb for a in fleet.plan().actions if a.place.kind == "vm"] == ["follow", "resources", "verify"]
    fleet.converge(1)
    assert "<vcpu>2</vcpu>" in _domain(fleet, "lq-d26").config
