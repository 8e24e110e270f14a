"""Post-copy that breaks, over the fleet in memory: two halves, neither ever ended, put together by the next pass."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.fleets import Fleet
from tests.fakes.machines import Domain
from tests.fakes.test_ladder import at_rest, busy, moved
from tests.fakes.world import Killed

HALVES = [("lq-d25", "paused"), ("lq-d26", "running")]
FAILPOINTS = ("recover.ready", "recover.migrated", "vm.recover.done", "lease.granted", "lease.opened", "lease.dropped")


def broken(how: str = "post-copy") -> Fleet:
    """A fleet whose `web` is in two halves."""
    fleet = busy("postCopy: true")
    fleet.hypervisor.broken = how
    report = fleet.apply()
    assert report.verdict == "failed"
    assert "post-copy broke, web has memory on lq-d25 and on lq-d26" in moved(report).text
    assert fleet.world.where("web") == HALVES
    assert fleet.world.residue() == fleet.world.violations == []
    return fleet


def half(fleet: Fleet, host: str) -> Domain:
    return next(d for d in fleet.host(host).domains.values() if d.name == "web")


def verbs(fleet: Fleet) -> list[str]:
    return [action.verb for action in fleet.plan().actions if action.place.kind == "vm"]


def test_the_next_pass_recovers_it() -> None:
    fleet = broken()
    fleet.world.pass_time(3600)
    assert verbs(fleet) == ["recover", "verify"]
    assert fleet.apply().verdict == "ok"
    at_rest(fleet, "lq-d26")
    assert half(fleet, "lq-d26").autostart
    assert fleet.plan().empty


def test_it_is_recovered_where_it_went_before_it_goes_elsewhere() -> None:
    fleet = broken().place(web="lq-d25")
    assert "its last move is ended first, on lq-d26" in str(fleet.plan().refusals[0])
    assert verbs(fleet) == ["recover", "verify"]
    fleet.apply()
    at_rest(fleet, "lq-d26")
    fleet.moves = "timeout: 1s, onTimeout: suspend"
    fleet.converge()
    at_rest(fleet, "lq-d25")


def test_a_recovery_that_fails_touches_neither_half() -> None:
    fleet = broken()
    fleet.hypervisor.broken = "post-copy"
    report = fleet.apply()
    assert report.verdict == "failed"
    assert "the post-copy of web was not taken up again" in " ".join(o.text for o in report.failed)
    assert fleet.world.where("web") == HALVES
    fleet.converge()
    at_rest(fleet, "lq-d26")


@pytest.mark.parametrize("then", ["", "post-copy"])
def test_one_that_goes_on_by_itself_is_waited_for(then: str) -> None:
    """Whether libvirt says that QEMU is at it, or only that the attempt failed."""
    fleet = broken("unattended")
    fleet.hypervisor.broken = then
    report = fleet.apply()
    assert report.verdict == "ok", report
    at_rest(fleet, "lq-d26")
    assert fleet.plan().empty


def test_one_that_ended_by_itself_is_cleared_up() -> None:
    fleet = broken("unattended")
    fleet.world.pass_time(60)
    assert fleet.world.where("web") == [("lq-d25", "shutoff"), ("lq-d26", "running")]
    assert verbs(fleet) == ["finish", "verify"]
    assert fleet.apply().verdict == "ok"
    at_rest(fleet, "lq-d26")
    assert half(fleet, "lq-d26").autostart


@pytest.mark.parametrize("dead", ["lq-d25", "lq-d26"])
@pytest.mark.parametrize("defined", [True, False])
def test_a_half_that_is_gone_is_for_a_person(dead: str, defined: bool) -> None:
    fleet = broken()
    gone = half(fleet, dead)
    gone.state, gone.live, gone.reason = "shutoff", "", ""
    if not defined:
        del fleet.host(dead).domains[gone.uuid]
    before = fleet.world.where("web")
    report = fleet.apply()
    assert report.verdict == "needs-human"
    assert "its post-copy broke, and its other half is gone" in str(report.refusals[0])
    assert report.outcomes == ()
    assert fleet.world.where("web") == before


def test_a_half_on_a_silent_host_is_not_taken_for_the_whole() -> None:
    fleet = broken()
    fleet.host("lq-d25").up = False
    assert fleet.plan().refusals
    assert verbs(fleet) == []
    fleet.host("lq-d25").up = True
    fleet.converge()
    at_rest(fleet, "lq-d26")


@pytest.mark.parametrize("failpoint", FAILPOINTS)
def test_a_kill_at_each_step_of_a_recovery(failpoint: str) -> None:
    fleet = broken()
    fleet.world.fault = (failpoint, Killed())
    with pytest.raises(Killed):
        fleet.apply()
    fleet.revive()
    fleet.converge()
    at_rest(fleet, "lq-d26")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_at_every_call_of_a_recovery(after: bool) -> None:
    whole = broken()
    whole.world.calls.clear()
    whole.apply()
    for number in range(1, len(whole.world.calls) + 1, 4):
        fleet = broken()
        fleet.world.calls.clear()
        fleet.world.kill_at, fleet.world.kill_after_effect = number, after
        with pytest.raises(Killed):
            fleet.apply()
        assert fleet.world.violations == []
        fleet.revive()
        fleet.converge()
        at_rest(fleet, "lq-d26")


ENDS = st.lists(
    st.sampled_from(("", "post-copy", "unattended", "refused", "lost", "wait", "there", "back")), min_size=2, max_size=7
)


@settings(max_examples=25, deadline=None)
@given(ENDS)
def test_histories_with_broken_post_copies_end_as_if_nothing_had_been(ends: list[str]) -> None:
    """Each pass ends in some way, the VM is wanted here and there meanwhile; undisturbed passes then make it whole."""
    fleet = busy("postCopy: true")
    wanted = "lq-d26"
    for end in ends:
        if end in ("there", "back"):
            wanted = "lq-d26" if end == "there" else "lq-d25"
            fleet.place(web=wanted)
        elif end == "wait":
            fleet.world.pass_time(30)
        else:
            fleet.hypervisor.broken = end
            fleet.apply()
        assert fleet.world.violations == []
        assert len(fleet.world.where("web")) in (1, 2)
    fleet.hypervisor.broken = ""
    fleet.converge(5)
    at_rest(fleet, wanted)
