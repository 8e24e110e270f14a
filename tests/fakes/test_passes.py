"""Whole passes over the fleet in memory: from nothing to running, from host to host, and nothing left behind.

Faults are in test_faults; the worlds are in tests/fakes/fleets.
"""

from collections.abc import Iterator

import pytest

from reconciler.engine.once import do, see, think
from reconciler.wiring import KINDS
from tests.fakes.fleets import BASE, BASE_XML, SHARED, Fleet, settled
from tests.fakes.machines import Domain


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    made = settled(web="lq-d25")
    yield made
    assert made.world.violations == []


def test_a_fresh_fleet_comes_to_be_in_one_pass() -> None:
    fleet = Fleet().place(web="lq-d25")
    report = fleet.apply()
    assert [(o.action, o.text) for o in report.failed] == []
    assert report.verdict == "ok"
    assert fleet.world.where("web") == [("lq-d25", "running")]
    assert fleet.world.where("mvp1") == [("lq-d25", "shutoff")]
    assert fleet.world.copies == ["web.qcow2"]
    assert fleet.world.residue() == []
    assert fleet.world.violations == []
    for name in ("lq-d25", "lq-d26"):
        host = fleet.host(name)
        assert host.fqdn == f"{name}.vpd.com"
        assert host.resolve("lq-d26.vpd.com") == "10.77.0.12"
        assert host.mounts[SHARED] == ("fuse.glusterfs", "nas.vpd.com:/comp")
        assert fleet.zone(name).interfaces == {"br0"}
        assert host.firewall.enabled


def test_twice_is_once(fleet: Fleet) -> None:
    assert fleet.plan().empty
    before = len(fleet.world.calls)
    report = fleet.apply()
    assert report.outcomes == ()
    asked = [call for call in fleet.world.calls[before:] if "libvirt" in call]
    assert {call.split(": ")[1] for call in asked} == {"libvirt inventory"}


def test_a_vm_moves_and_nothing_is_left(fleet: Fleet) -> None:
    report = fleet.place(web="lq-d26").apply()
    assert [(o.action, o.text) for o in report.failed] == []
    assert report.verdict == "ok"
    assert report.left == ()
    assert fleet.world.where("web") == [("lq-d26", "running")]
    assert fleet.world.residue() == []
    assert fleet.plan().empty
    assert fleet.host("lq-d26").keys["root"] == ["ssh-ed25519 AAAAadmin admin@laptop"]


def test_when_it_came_is_noted_on_the_vm_itself(fleet: Fleet) -> None:
    assert moved(fleet) == 0
    began = fleet.world.time
    fleet.place(web="lq-d26").apply()
    assert began <= moved(fleet) <= fleet.world.time
    came = moved(fleet)
    fleet.world.pass_time(600)
    assert fleet.plan().empty
    assert moved(fleet) == came


def moved(fleet: Fleet) -> int:
    ((_, state),) = see(fleet.wanted, KINDS, fleet.tools).named("vm", "web")
    return int(state.moved)


def test_autostart_goes_with_the_vm(fleet: Fleet) -> None:
    fleet.place(web="lq-d26").apply()
    (domain,) = [d for d in fleet.host("lq-d26").domains.values() if d.name == "web"]
    assert domain.autostart


def test_there_and_back_again(fleet: Fleet) -> None:
    for host in ("lq-d26", "lq-d25", "lq-d26"):
        fleet.world.pass_time(60)
        assert fleet.place(web=host).apply().verdict == "ok"
        assert fleet.world.where("web") == [(host, "running")]
    assert fleet.world.residue() == []


def test_a_move_is_not_begun_where_its_room_was_taken_since_the_plan(fleet: Fleet) -> None:
    wanted = fleet.place(web="lq-d26").wanted
    seen = see(wanted, KINDS, fleet.tools)
    large = BASE_XML.replace(BASE, "9" * 8 + BASE[8:]).replace("'MiB'>256", "'MiB'>7800").replace("mvp1", "large")
    there = fleet.host("lq-d26")
    there.domains["large"] = Domain("9" * 8 + BASE[8:], "large", large, "running", large)
    report = do(think(wanted, seen, KINDS), wanted, seen, KINDS, fleet.tools)
    (failed,) = [o for o in report.failed if "move-live" in str(o.action)]
    assert "web needs 512 MiB there, VMs take 7.6 GiB by now, and 8 GiB is all they may take" in failed.text
    assert fleet.world.where("web") == [("lq-d25", "running")]
    assert fleet.world.residue() == []
    there.domains["large"].state, there.domains["large"].live = "shutoff", ""
    assert fleet.apply().verdict == "ok"
    assert fleet.world.where("web") == [("lq-d26", "running")]


def test_two_vms_change_places(fleet: Fleet) -> None:
    assert fleet.place(db="lq-d26").apply().verdict == "ok"
    assert fleet.place(web="lq-d26", db="lq-d25").apply().verdict == "ok"
    assert fleet.world.where("web") == [("lq-d26", "running")]
    assert fleet.world.where("db") == [("lq-d25", "running")]
    assert fleet.world.residue() == []


def test_four_vms_leave_a_host_at_once(fleet: Fleet) -> None:
    names = ("web", "db", "mail", "dns")
    assert fleet.place(**dict.fromkeys(names, "lq-d25")).apply().verdict == "ok"
    assert fleet.place(**dict.fromkeys(names, "lq-d26")).apply().verdict == "ok"
    assert [fleet.world.where(name) for name in names] == [[("lq-d26", "running")]] * 4
    assert fleet.world.residue() == []


def test_drift_by_hand_is_mended(fleet: Fleet) -> None:
    fleet.host("lq-d25").etc_hosts = "127.0.0.1 localhost\n# by hand\n"
    fleet.host("lq-d26").firewall.stop()
    fleet.host("lq-d26").pools["CONT_VOL_COMP"].autostart = False
    report = fleet.apply()
    assert report.verdict == "ok"
    assert "# by hand" in fleet.host("lq-d25").etc_hosts
    assert fleet.host("lq-d26").firewall.running
    assert fleet.host("lq-d26").pools["CONT_VOL_COMP"].autostart
    assert fleet.plan().empty


def test_a_vm_stopped_by_hand_is_started_again(fleet: Fleet) -> None:
    (domain,) = [d for d in fleet.host("lq-d25").domains.values() if d.name == "web"]
    domain.state, domain.live = "shutoff", ""
    assert fleet.apply().verdict == "ok"
    assert fleet.world.where("web") == [("lq-d25", "running")]


def test_a_vm_declared_stopped_is_shut_down_by_its_guest(fleet: Fleet) -> None:
    fleet.extra = fleet.specs.text.rpartition("---")[2].replace("running", "stopped").join(["---", ""])
    fleet.placed.clear()
    assert fleet.apply().verdict == "ok"
    assert fleet.world.where("web") == [("lq-d25", "shutoff")]


def test_a_guest_that_does_not_shut_down_keeps_running(fleet: Fleet) -> None:
    fleet.extra = fleet.specs.text.rpartition("---")[2].replace("running", "stopped").join(["---", ""])
    fleet.placed.clear()
    fleet.world.deaf_guests.add("web")
    (outcome,) = fleet.apply().failed
    assert "did not shut down within 120 s" in outcome.text
    assert fleet.world.where("web") == [("lq-d25", "running")]


def test_an_undeclared_vm_is_left_alone(fleet: Fleet) -> None:
    fleet.placed.clear()
    assert fleet.apply().outcomes == ()
    assert fleet.world.where("web") == [("lq-d25", "running")]


def test_libvirtd_that_is_down_is_started_and_the_next_pass_goes_on(fleet: Fleet) -> None:
    fleet.host("lq-d26").units["libvirtd"] = ("inactive", "enabled")
    assert fleet.place(web="lq-d26").apply().verdict == "failed"
    assert fleet.world.where("web") == [("lq-d25", "running")]
    fleet.converge()
    assert fleet.world.where("web") == [("lq-d26", "running")]


def test_the_journal_tells_the_pass(fleet: Fleet) -> None:
    fleet.journal.events.clear()
    fleet.place(web="lq-d26").apply()
    words = [event for event, _ in fleet.journal.events]
    assert words[0] == "plan"
    assert words[-1] == "report"
    assert words.count("begin") == words.count("end") == 9


def test_a_move_says_how_the_vm_performed_before_and_after(fleet: Fleet) -> None:
    fleet.host("lq-d26").write_ms = 2.0
    report = fleet.place(web="lq-d26").apply()
    before, after = (o for o in report.outcomes if ":measure" in o.action)
    assert before.text.startswith("vCPU 20 %, disk write 1.0 ms, 400 KiB/s, in ")
    assert "disk write 1.0 ms -> 2.0 ms" in after.text
    assert after.text.endswith(": worse: disk write latency by 100 % (bound 10 %)")
    found = after.facts["measures"]["disk write latency"]
    assert (found["verdict"], found["change_percent"], found["unit"]) == ("worse", 100.0, "write_ns per write")
    (ended,) = [e for word, e in fleet.journal.events if word == "end" and e["action"] == after.action]
    assert ended["facts"]["verdict"] == "worse"
    assert 4 <= len(ended["facts"]["windows"]) <= 8
    (moved,) = [e for w, e in fleet.journal.events if w == "end" and e["action"] == "vm/web@lq-d26:move-live"]
    assert {"bytes", "rate", "iterations", "milliseconds", "downtime_ms"} <= set(moved["facts"])


def test_with_measure_0s_nothing_is_measured(fleet: Fleet) -> None:
    fleet.measure = "0s"
    report = fleet.place(web="lq-d26").apply()
    assert report.verdict == "ok"
    assert not [o for o in report.outcomes if ":measure" in o.action]


def test_a_user_for_moves_is_made_first_and_root_gets_no_key() -> None:
    fleet = Fleet().place(web="lq-d25")
    fleet.user = "vmmove"
    assert fleet.apply().verdict == "ok"
    assert fleet.plan().empty
    fleet.place(web="lq-d26")
    assert [a.explain() for a in fleet.plan().actions if "log in as vmmove" in a.explain()]
    assert fleet.apply().verdict == "ok"
    assert fleet.world.residue() == []
    fleet.host("lq-d26").movers.clear()
    assert [action.id for action in fleet.plan().actions] == ["host/lq-d26:make-mover"]
