"""What a move showed of its guest's writing, over the fleet in memory: noted where it arrived, and forecast from it."""

from typing import Any

from reconciler.engine.once import see
from reconciler.errors import Refused
from reconciler.kinds.vm.state import DomainState
from reconciler.wiring import KINDS
from tests.fakes.fleets import Fleet


def _fleet() -> Fleet:
    fleet = Fleet()
    fleet.place(web="lq-d25")
    assert fleet.apply().verdict == "ok"
    fleet.world.pass_time(60)
    return fleet.place(web="lq-d26")


def _web(fleet: Fleet) -> DomainState:
    seen = see(fleet.wanted, KINDS, fleet.tools).of("vm")
    return next(state for place, state in seen if place.name == "web")


def _forecast(fleet: Fleet) -> tuple[str, int]:
    (move,) = fleet.plan().forecast.moves
    return move.basis, move.downtime


def test_the_next_forecast_begins_with_what_the_move_showed() -> None:
    fleet = _fleet()
    assert (_web(fleet).dirty, _web(fleet).downtime) == (None, None)
    assert _forecast(fleet) == ("default", 58)
    assert fleet.apply().verdict == "ok"
    assert (_web(fleet).dirty, _web(fleet).downtime) == (2**20, 20)
    assert fleet.plan().empty
    fleet.place(web="lq-d25")
    assert _forecast(fleet) == ("last-move", 20)


def test_a_note_that_cannot_be_written_fails_no_move(monkeypatch: Any) -> None:
    fleet = _fleet()

    def refuses(*_: object) -> None:
        raise Refused("lq-d26", "libvirt says: no")

    monkeypatch.setattr(fleet.hypervisor, "set_metadata", refuses)
    assert fleet.apply().verdict == "ok"
    assert (_web(fleet).dirty, _web(fleet).downtime) == (None, None)
