"""A drained VM over the fleet in memory: noted before it leaves, home after, killed at every call of both.

What goes home and what does not is in the cases and the laws.
"""

import pytest

from reconciler.engine.once import see
from reconciler.wiring import KINDS
from tests.fakes.fleets import Fleet, Text
from tests.fakes.world import Killed


class Drained(Fleet):
    """`web` may run on any host; `away` is in maintenance."""

    away = ""

    @property
    def specs(self) -> Text:
        text = super().specs.text.replace("placement: {host: any}", "placement: {hosts: all}")
        return Text(text.replace(f"{{fqdn: {self.away}.", f"{{maintenance: true, fqdn: {self.away}."))


class DrainedCold(Drained):
    """The same where `web` is shut down to be moved, if nothing else is possible."""

    @property
    def specs(self) -> Text:
        text = super().specs.text.replace("{hosts: all}", "{hosts: all, drain: cold}")
        return Text(text.replace("spec: {defaults", "spec: {limits: {disruption: move-cold}, defaults", 1))


class DeclaredCold(DrainedCold):
    """The same, declared on a host; moves are live unless the word for draining says otherwise."""

    declared = "lq-d25"

    @property
    def specs(self) -> Text:
        return Text(super().specs.text.replace("{hosts: all, drain: cold}", f"{{host: {self.declared}, drain: cold}}"))


class Declared(Drained):
    """Declared on a host, and nothing said of drains."""

    @property
    def specs(self) -> Text:
        return Text(super().specs.text.replace("{hosts: all}", "{host: lq-d25}"))


def _fleet(fleet: Drained) -> Drained:
    fleet.place(web="lq-d25")
    assert fleet.apply().verdict == "ok"
    fleet.place(web="any")
    assert fleet.plan().empty
    fleet.world.pass_time(60)
    return fleet


def _away(fleet: Drained) -> Drained:
    fleet.away = "lq-d25"
    assert fleet.converge().verdict == "ok"
    fleet.away = ""
    fleet.world.pass_time(60)
    fleet.world.calls.clear()
    return fleet


def _shut_to_move(fleet: Drained) -> Drained:
    """Shared memory that no live move takes along came to `web` by hand; then its host was drained."""
    fleet = _fleet(fleet)
    (web,) = [domain for domain in fleet.host("lq-d25").domains.values() if domain.name == "web"]
    web.config = web.live = web.config.replace("</devices>", "<shmem name='seen'/></devices>")
    return _away(fleet)


def _homes(fleet: Fleet) -> list[str]:
    return [state.home for place, state in see(fleet.wanted, KINDS, fleet.tools).of("vm") if place.name == "web"]


def test_it_is_drained_and_comes_home_and_nothing_is_left_noted() -> None:
    fleet = _away(_fleet(Drained()))
    assert fleet.world.where("web") == [("lq-d26", "running")]
    assert _homes(fleet) == ["lq-d25"]
    assert fleet.converge().verdict == "ok"
    assert fleet.world.where("web") == [("lq-d25", "running")]
    assert _homes(fleet) == [""]
    assert fleet.world.violations == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_at_every_call_on_the_way_home(after: bool) -> None:
    whole = _away(_fleet(Drained()))
    whole.apply()
    for number in range(1, len(whole.world.calls) + 1):
        fleet = _away(_fleet(Drained()))
        fleet.world.kill_at, fleet.world.kill_after_effect = number, after
        with pytest.raises(Killed):
            fleet.apply()
        fleet.revive()
        fleet.world.pass_time(1200)
        fleet.converge()
        assert fleet.world.where("web") == [("lq-d25", "running")], number
        assert _homes(fleet) == [""]
        assert fleet.world.violations == []


@pytest.mark.parametrize("name", ["vm.note-home.done", "move.ready", "move.migrated", "move.settled"])
def test_killed_while_it_is_drained_it_comes_home_all_the_same(name: str) -> None:
    fleet = _fleet(Drained())
    fleet.away = "lq-d25"
    fleet.world.fault = (name, Killed())
    with pytest.raises(Killed):
        fleet.apply()
    fleet.world.fault = None
    fleet.revive()
    fleet.world.pass_time(1200)
    fleet.converge()
    assert fleet.world.where("web") == [("lq-d26", "running")]
    fleet.away = ""
    assert fleet.converge().verdict == "ok"
    assert fleet.world.where("web") == [("lq-d25", "running")]
    assert _homes(fleet) == [""]


def test_the_maintenance_ends_before_it_has_left() -> None:
    fleet = _fleet(Drained())
    fleet.away = "lq-d25"
    fleet.world.fault = ("vm.note-home.done", Killed())
    with pytest.raises(Killed):
        fleet.apply()
    fleet.world.fault = None
    fleet.revive()
    fleet.world.pass_time(1200)
    fleet.away = ""
    fleet.converge()
    assert fleet.world.where("web") == [("lq-d25", "running")]
    assert _homes(fleet) == [""]


@pytest.mark.parametrize("kind", [DrainedCold, DeclaredCold])
def test_shut_down_to_be_drained_it_comes_home_the_same_way_and_runs(kind: type[Drained]) -> None:
    fleet = _shut_to_move(kind())
    assert fleet.world.where("web") == [("lq-d26", "running")]
    assert _homes(fleet) == ["lq-d25"]
    verbs = [action.verb for action in fleet.plan().actions]
    assert verbs == ["prove-shared", "stop", "move-offline", "start", "verify", "note-home"]
    assert fleet.converge().verdict == "ok"
    assert fleet.world.where("web") == [("lq-d25", "running")]
    assert _homes(fleet) == [""]
    assert fleet.world.violations == []


@pytest.mark.parametrize("name", ["cold.marked", "offline.defined", "offline.settled", "start.started", "note"])
def test_killed_on_the_way_home_of_one_that_was_shut_down_for_it(name: str) -> None:
    """A kill at every call of such a move is in test_cold; here it is about the note of its home."""
    fleet = _shut_to_move(DrainedCold())
    fleet.world.fault = ("vm.note-home.done" if name == "note" else name, Killed())
    with pytest.raises(Killed):
        fleet.apply()
    assert fleet.world.fault is None, "the failpoint was not reached"
    fleet.revive()
    fleet.world.pass_time(1200)
    fleet.converge()
    assert fleet.world.where("web") == [("lq-d25", "running")]
    assert _homes(fleet) == [""]
    assert fleet.world.violations == []


def test_who_is_declared_where_it_was_sent_has_no_home_and_leaves_there_live_only() -> None:
    fleet = DeclaredCold()
    _shut_to_move(fleet)
    fleet.declared = "lq-d26"
    assert [action.verb for action in fleet.plan().actions] == ["note-home"]
    assert fleet.converge().verdict == "ok"
    assert _homes(fleet) == [""]
    fleet.declared = "lq-d25"
    assert fleet.plan().actions == ()
    assert "shared memory" in fleet.plan().refusals[0].reason
    assert fleet.world.where("web") == [("lq-d26", "running")]


def test_who_is_drained_live_and_is_declared_on_a_host_needs_no_note() -> None:
    fleet = _away(_fleet(Declared()))
    assert fleet.world.where("web") == [("lq-d26", "running")]
    assert _homes(fleet) == [""]
    assert fleet.converge().verdict == "ok"
    assert fleet.world.where("web") == [("lq-d25", "running")]
