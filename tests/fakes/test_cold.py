"""Cold and offline moves over the fleet in memory: one owner always, started again where it ran, killed at every call.

What a live move does is in test_passes and test_faults.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from reconciler.engine.once import see
from reconciler.errors import Refused
from reconciler.model.plan import Plan
from reconciler.wiring import KINDS
from tests.fakes.fleets import Fleet
from tests.fakes.machines import Domain
from tests.fakes.world import Killed

COLD = "  migration: {method: cold}\n"
COLD_FAILPOINTS = ("cold.marked", "vm.stop.done", "offline.defined", "offline.undefined", "offline.settled")
STARTING = ("vm.move-offline.done", "start.asked", "start.started", "vm.start.done")


@dataclass
class ColdFleet(Fleet):
    """A fleet whose cap allows cold moves, with one VM `web` of a given method and power."""

    def __init__(self, power: str = "unmanaged", method: str = "cold") -> None:
        super().__init__()
        self.power, self.method, self.home, self.cap = power, method, "lq-d25", "move-cold"

    @property
    def specs(self):  # type: ignore[no-untyped-def]
        from tests.fakes.fleets import SPECS, VM, Text

        text = SPECS.replace("spec: {}", f"spec: {{limits: {{disruption: {self.cap}}}}}", 1)
        vm = VM % {"name": "web", "host": self.home, "byte": "2a", "moves": f"method: {self.method}"}
        return Text(text + self.extra + vm.replace("power: running", f"power: {self.power}"))


def running(power: str = "unmanaged", method: str = "cold") -> ColdFleet:
    fleet = ColdFleet("running", method)
    assert fleet.apply().verdict == "ok"
    fleet.power, fleet.home = power, "lq-d26"
    fleet.world.pass_time(60)
    fleet.world.calls.clear()
    return fleet


def stopped(power: str = "unmanaged") -> ColdFleet:
    fleet = running(power)
    domain(fleet, "lq-d25").state, domain(fleet, "lq-d25").live = "shutoff", ""
    return fleet


def domain(fleet: Fleet, host: str) -> Domain:
    return next(d for d in fleet.host(host).domains.values() if d.name == "web")


def check_end(fleet: Fleet, host: str = "lq-d26", state: str = "running") -> None:
    assert fleet.world.violations == []
    assert fleet.world.where("web") == [(host, state)]
    assert domain(fleet, host).autostart
    assert fleet.world.residue() == []
    assert fleet.plan().empty


def verbs(plan: Plan) -> list[str]:
    return [action.verb for action in plan.actions]


def test_a_running_vm_moves_cold_and_nobody_gets_access() -> None:
    fleet = running()
    assert verbs(fleet.plan()) == ["prove-shared", "stop", "move-offline", "start", "verify"]
    report = fleet.apply()
    assert [(o.action, o.text) for o in report.failed] == []
    assert report.verdict == "ok"
    check_end(fleet)
    assert not any("ssh" in call or "firewall" in call for call in fleet.world.calls if "facts" not in call)


@pytest.mark.parametrize(("power", "state"), [("unmanaged", "shutoff"), ("stopped", "shutoff"), ("running", "running")])
def test_a_stopped_vm_moves_offline(power: str, state: str) -> None:
    fleet = stopped(power)
    assert fleet.apply().verdict == "ok"
    check_end(fleet, state=state)


def test_when_it_came_is_noted_on_the_vm_itself() -> None:
    fleet = stopped()
    began = fleet.world.time
    fleet.apply()
    ((_, state),) = see(fleet.wanted, KINDS, fleet.tools).named("vm", "web")
    assert began <= state.moved <= fleet.world.time


def test_declared_stopped_and_elsewhere_it_is_stopped_and_moved() -> None:
    fleet = running("stopped", "live")
    assert verbs(fleet.plan()) == ["stop", "prove-shared", "move-offline"]
    assert fleet.apply().verdict == "ok"
    check_end(fleet, state="shutoff")


def test_above_the_cap_nothing_is_shut_down() -> None:
    fleet = running()
    fleet.cap = "move-live"
    plan = fleet.plan()
    assert plan.actions == ()
    assert "of class move-cold, above the allowed move-live" in plan.refusals[0].reason


def test_a_guest_that_does_not_shut_down_keeps_running_and_is_asked_again() -> None:
    fleet = running()
    fleet.world.deaf_guests.add("web")
    outcome = fleet.apply().failed[0]
    assert "did not shut down within 120 s" in outcome.text
    assert fleet.world.where("web") == [("lq-d25", "running")]
    fleet.world.deaf_guests.clear()
    fleet.converge()
    check_end(fleet)


def test_a_guest_that_shuts_down_too_late_is_moved_and_started_by_the_next_pass() -> None:
    fleet = running()
    fleet.world.deaf_guests.add("web")
    fleet.apply()
    domain(fleet, "lq-d25").state, domain(fleet, "lq-d25").live = "shutoff", ""
    fleet.converge()
    check_end(fleet)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_at_every_call_of_a_cold_move(after: bool) -> None:
    whole = running()
    whole.apply()
    for number in range(1, len(whole.world.calls) + 1):
        fleet = running()
        fleet.world.kill_at, fleet.world.kill_after_effect = number, after
        with pytest.raises(Killed):
            fleet.apply()
        assert 1 <= len(fleet.world.where("web")) <= 2, number
        fleet.revive()
        fleet.converge()
        check_end(fleet)


@pytest.mark.parametrize("back", [False, True], ids=["goes on", "is taken back"])
@pytest.mark.parametrize("name", [*COLD_FAILPOINTS, *STARTING])
def test_a_kill_at_each_step_and_a_mind_changed(name: str, back: bool) -> None:
    fleet = running()
    fleet.world.fault = (name, Killed())
    with pytest.raises(Killed):
        fleet.apply()
    assert fleet.world.fault is None, "the failpoint was not reached"
    fleet.revive()
    fleet.home = "lq-d25" if back else "lq-d26"
    fleet.converge(4)
    check_end(fleet, fleet.home)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_at_every_call_of_an_offline_move(after: bool) -> None:
    whole = stopped()
    whole.apply()
    for number in range(1, len(whole.world.calls) + 1):
        fleet = stopped()
        fleet.world.kill_at, fleet.world.kill_after_effect = number, after
        with pytest.raises(Killed):
            fleet.apply()
        fleet.revive()
        fleet.converge()
        check_end(fleet, state="shutoff")


def test_an_unreachable_host_at_every_call_of_a_cold_move() -> None:
    whole = running()
    whole.apply()
    for number in range(1, len(whole.world.calls) + 1):
        fleet = running()
        fleet.world.fail_at = number
        fleet.apply()
        assert fleet.world.violations == []
        fleet.converge()
        check_end(fleet)


@pytest.mark.parametrize("name", ["offline.defined", "offline.undefined"])
def test_started_by_hand_at_the_source_in_the_middle_it_stays_there(name: str) -> None:
    fleet = stopped()
    (uuid,) = [d.uuid for d in fleet.host("lq-d25").domains.values() if d.name == "web"]
    kept = domain(fleet, "lq-d25")

    def start() -> None:
        fleet.host("lq-d25").domains[uuid] = kept
        kept.state, kept.live = "running", kept.config

    fleet.world.happens = (name, start)
    report = fleet.apply()
    assert "was started there meanwhile" in " ".join(o.text for o in report.failed)
    assert fleet.world.where("web") == [("lq-d25", "running")]
    assert fleet.world.violations == []


def test_a_half_moved_vm_that_runs_at_its_source_loses_only_the_copy() -> None:
    fleet = stopped()
    fleet.world.fault = ("offline.defined", Killed())
    with pytest.raises(Killed):
        fleet.apply()
    fleet.revive()
    assert len(fleet.world.where("web")) == 2
    domain(fleet, "lq-d25").state, domain(fleet, "lq-d25").live = "running", domain(fleet, "lq-d25").config
    fleet.home = "lq-d25"
    assert verbs(fleet.plan()) == ["undo-move"]
    fleet.converge()
    check_end(fleet, "lq-d25")


def _changed(fleet: Fleet, change: Callable[[Domain], None]) -> None:
    change(domain(fleet, "lq-d26"))


@pytest.mark.parametrize("what", ["another origin", "runs", "no mark"])
def test_two_that_no_cut_off_move_explains_are_for_a_person(what: str) -> None:
    fleet = stopped()
    fleet.world.fault = ("offline.defined", Killed())
    with pytest.raises(Killed):
        fleet.apply()
    fleet.revive()
    there = domain(fleet, "lq-d26")
    match what:
        case "another origin":
            there.config = there.config.replace('coming="lq-d25"', 'coming="lq-d99"')
        case "runs":
            there.state, there.live = "running", there.config
        case _:
            there.config = there.config.replace('coming="lq-d25"', "")
    plan = fleet.plan()
    assert plan.actions == ()
    assert [r.human for r in plan.refusals] == [True]


def test_a_destination_without_a_file_is_found_before_the_guest_is_shut_down() -> None:
    fleet = running()
    domain(fleet, "lq-d25").config = domain(fleet, "lq-d25").config.replace(
        "</devices>",
        "<disk type='file' device='cdrom'><source file='/var/lib/libvirt/images/COMPARTIDO/gone.iso'/>"
        "<target dev='sda'/><readonly/></disk></devices>",
    )
    outcome = fleet.apply().failed[0]
    assert "files of the VM are not there: /var/lib/libvirt/images/COMPARTIDO/gone.iso" in outcome.text
    assert fleet.world.where("web") == [("lq-d25", "running")]


@pytest.mark.parametrize("keeps", ["a managed save image", "snapshots"])
def test_what_libvirt_keeps_is_in_the_way(keeps: str) -> None:
    fleet = stopped()
    domain(fleet, "lq-d25").keeps = (keeps,)
    plan = fleet.plan()
    assert plan.actions == ()
    assert f"libvirt keeps {keeps} of it on lq-d25" in plan.refusals[0].reason


def test_a_snapshot_made_meanwhile_stops_the_move() -> None:
    fleet = stopped()

    def snapshot() -> None:
        domain(fleet, "lq-d25").keeps = ("snapshots",)

    fleet.world.happens = ("pool.token-written", snapshot)
    (outcome,) = fleet.apply().failed
    assert "cannot go: libvirt keeps snapshots of it" in outcome.text
    assert fleet.world.where("web") == [("lq-d25", "shutoff")]


def test_what_fails_at_the_destination_leaves_it_off_and_the_next_pass_completes_it() -> None:
    fleet = running()
    fleet.world.fault = ("offline.defined", Refused("lq-d26", "said no"))
    assert fleet.apply().verdict == "failed"
    fleet.converge()
    check_end(fleet)


def test_no_more_vms_are_off_at_a_time_than_the_limits_on_moves_allow() -> None:
    """Five leave one host cold, two at a time: a later one is shut down when an earlier one runs again."""
    from tests.fakes.fleets import VM

    names = [f"w{number}" for number in range(5)]
    fleet = ColdFleet("running")
    plain = VM.replace("  checks: [{tcp: 22, timeout: 60s}, {ssh: banner}]\n", "")
    for host in ("lq-d25", "lq-d26"):
        vms = [
            plain % {"name": name, "host": host, "byte": f"5{number}", "moves": "method: cold"}
            for number, name in enumerate(names)
        ]
        fleet.extra = "".join(vms)
        plan = fleet.plan()
        report = fleet.apply()
        assert [(o.action, o.text) for o in report.failed] == []
    ended = [o.action for o in report.outcomes if o.action.endswith((":stop", ":start"))]
    off = most = 0
    for action in ended:
        off += 1 if action.endswith(":stop") else -1
        most = max(most, off)
    assert (most in (1, 2), off, len(ended)) == (True, 0, 10), "how fast each is decides whether two are off at once"
    begins = [a for a in plan.actions if a.id.endswith(":stop") and not any(n.endswith(":start") for n in a.after)]
    assert len(begins) == 2, "two may begin, the others wait for one that runs again"
    assert fleet.world.violations == []
