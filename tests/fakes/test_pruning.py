"""What is declared nowhere any more, over the fleet in memory: marked first, deleted within the limit, never lost.

The world refuses that a VM nobody released vanishes; disks are counted before and after.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.engine.once import see
from reconciler.wiring import KINDS
from tests.fakes.fleets import Fleet, Text, settled
from tests.fakes.world import Killed


class Pruned(Fleet):
    """Every VM may be pruned; `limit` deletions at once."""

    limit = 1

    @property
    def specs(self) -> Text:
        text = super().specs.text.replace("  power: running\n", "  power: running\n  prune: allowed\n")
        return Text(text.replace("spec: {defaults", f"spec: {{limits: {{deletesPerPass: {self.limit}}}, defaults", 1))


def _running() -> Pruned:
    fleet = Pruned()
    fleet.place(web="lq-d25", keeper="lq-d26")
    assert fleet.apply().verdict == "ok"
    assert fleet.plan().empty
    return fleet


def _gone() -> Pruned:
    """web is declared no more."""
    fleet = _running()
    del fleet.placed["web"]
    fleet.world.released.add("web")
    return fleet


def _disks(fleet: Fleet) -> list[str]:
    return sorted(path for path in fleet.world.exports["nas.vpd.com:/comp"].files if "web" in path)


def _end(fleet: Fleet) -> None:
    assert fleet.world.where("web") == []
    assert fleet.world.where("keeper") == [("lq-d26", "running")]
    assert _disks(fleet) != []
    assert fleet.world.violations == []
    assert fleet.plan().empty


def test_shut_down_by_itself_undefined_and_its_disks_stay() -> None:
    fleet = _gone()
    report = fleet.apply()
    assert report.verdict == "ok"
    assert "shut down by the guest, undefined; what stays: /var/lib/libvirt/images/COMPARTIDO/web.qcow2" in [
        outcome.text for outcome in report.outcomes
    ]
    _end(fleet)


def test_a_vm_that_was_never_allowed_to_be_pruned_stays() -> None:
    fleet = settled(web="lq-d25", keeper="lq-d26")
    del fleet.placed["web"]
    assert fleet.plan().empty


def test_the_mark_comes_and_goes_with_the_specs_and_moves_along() -> None:
    fleet = _running()
    fleet.place(web="lq-d26")
    assert fleet.converge().verdict == "ok"
    assert any(state.prune for place, state in see(fleet.wanted, KINDS, fleet.tools).of("vm") if place.name == "web")
    plain = Fleet()
    plain.world, plain.placed = fleet.world, fleet.placed
    plain.revive()
    assert {action.verb for action in plain.plan().actions} == {"allow-prune"}
    plain.converge()
    del plain.placed["web"]
    assert plain.plan().empty


def test_no_limit_no_deletion_and_too_many_delete_none() -> None:
    fleet = _gone()
    fleet.limit = 0
    assert fleet.plan().actions == ()
    assert "1 deletions, 0 allowed per pass" in fleet.plan().refusals[0].reason
    fleet = _running()
    fleet.place(more="lq-d26").converge()
    del fleet.placed["web"], fleet.placed["more"]
    assert fleet.plan().actions == ()
    assert len(fleet.plan().refusals) == 2


def test_all_gone_deletes_nothing() -> None:
    fleet = _gone()
    del fleet.placed["keeper"]
    fleet.limit = 5
    assert fleet.plan().actions == ()
    assert all("the specs declare no VM at all" in refusal.reason for refusal in fleet.plan().refusals)


def test_a_silent_host_keeps_all() -> None:
    fleet = _gone()
    fleet.host("lq-d26").up = False
    assert fleet.plan().actions == ()
    assert any("lq-d26 did not answer" in refusal.reason for refusal in fleet.plan().refusals)


def test_a_guest_that_does_not_shut_down_is_kept() -> None:
    fleet = _gone()
    fleet.world.deaf_guests.add("web")
    assert "did not shut down within 120 s" in fleet.apply().failed[0].text
    assert fleet.world.where("web") == [("lq-d25", "running")]
    fleet.world.deaf_guests.clear()
    fleet.apply()
    _end(fleet)


def _started(fleet: Fleet) -> None:
    domain = next(d for d in fleet.host("lq-d25").domains.values() if d.name == "web")
    domain.state, domain.live = "running", domain.config


def _forbidden(fleet: Fleet) -> None:
    domain = next(d for d in fleet.host("lq-d25").domains.values() if d.name == "web")
    domain.config = domain.config.replace('prune="allowed"', "")


@pytest.mark.parametrize("meanwhile", [_started, _forbidden])
def test_what_changes_between_its_shutdown_and_its_end_keeps_it(meanwhile: Callable[[Fleet], None]) -> None:
    fleet = _gone()
    at = fleet.tools.at

    def changed(name: str) -> None:
        if name == "delete.stopped":
            meanwhile(fleet)
        at(name)

    fleet.tools = replace(fleet.tools, at=changed)
    assert fleet.apply().failed
    assert [host for host, _ in fleet.world.where("web")] == ["lq-d25"]
    assert fleet.world.violations == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_every_call_the_next_pass_ends_it(after: bool) -> None:
    number = 0
    while True:
        fleet = _gone()
        number += 1
        fleet.world.kill_at, fleet.world.kill_after_effect = len(fleet.world.calls) + number, after
        try:
            fleet.apply()
            break
        except Killed:
            fleet.revive()
            fleet.converge()
            _end(fleet)
    assert number > 5
