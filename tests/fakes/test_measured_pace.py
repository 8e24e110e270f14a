"""What hosts measure of the VMs that a plan moves live, over the fleet in memory: it goes before what is remembered."""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from reconciler.engine import planfile
from reconciler.engine.codec import dump_snapshot, read_snapshot
from reconciler.engine.once import see, think
from reconciler.engine.pacing import moving, paced
from reconciler.errors import HostError, Refused, Unreachable
from reconciler.kinds.vm.state import DomainState
from reconciler.model.forecast import PlannedMove
from reconciler.model.plan import Plan
from reconciler.model.ref import Place
from reconciler.model.snapshot import Snapshot
from reconciler.wiring import KINDS
from tests.fakes.fleets import Fleet, settled

MIB = 2**20
WEB, DB = Place("vm", "lq-d25", "web"), Place("vm", "lq-d26", "db")


@pytest.fixture
def fleet() -> Fleet:
    """web and db change places; who stays is not theirs."""
    made = settled(web="lq-d25", db="lq-d26", stays="lq-d26")
    made.world.pass_time(60)
    made.world.writing = {"web": 40 * MIB, "db": 3 * MIB, "stays": 9 * MIB}
    return made.place(web="lq-d26", db="lq-d25")


def _measured(fleet: Fleet, deadline: float = 15.0) -> tuple[Plan, Plan, Snapshot]:
    """The plan without, the plan with, and the snapshot that it was made from."""
    wanted = fleet.wanted
    seen = see(wanted, KINDS, fleet.tools)
    first = think(wanted, seen, KINDS)
    after = paced(moving(first, seen), wanted, seen, KINDS, replace(fleet.tools, deadline=deadline))
    return first, think(wanted, after, KINDS), after


def _moves(plan: Plan) -> dict[str, PlannedMove]:
    return {move.vm: move for move in plan.forecast.moves}


def _bases(plan: Plan) -> dict[str, str]:
    return {move.vm: move.basis for move in plan.forecast.moves}


def _rates(snapshot: Snapshot) -> dict[str, int | None]:
    states = ((place.name, state) for place, state in snapshot.of("vm"))
    return {name: state.measured for name, state in states if isinstance(state, DomainState)}


def _asked(fleet: Fleet) -> Sequence[str]:
    return sorted(call for call in fleet.world.calls if "dirty_rate" in call)


def test_measured_goes_before_the_last_move_and_that_before_the_default(fleet: Fleet) -> None:
    fleet.world.writing = {}
    assert _bases(_measured(fleet)[1]) == {"web": "default", "db": "default"}
    assert fleet.apply().verdict == "ok"
    fleet.world.pass_time(60)
    fleet.place(web="lq-d25", db="lq-d26")
    assert _bases(_measured(fleet)[1]) == {"web": "last-move", "db": "last-move"}
    fleet.world.writing = {"web": 200 * MIB}
    first, then, _ = _measured(fleet)
    assert _bases(then) == {"web": "measured", "db": "last-move"}
    before, after = _moves(first)["web"], _moves(then)["web"]
    assert after.end - after.start > before.end - before.start
    assert after.downtime == before.downtime == 20


def test_only_who_moves_live_is_measured(fleet: Fleet) -> None:
    _, _, after = _measured(fleet)
    assert _asked(fleet) == ["lq-d25: libvirt dirty_rate", "lq-d26: libvirt dirty_rate"]
    assert _rates(after) == {"mvp1": None, "web": 40 * MIB, "db": 3 * MIB, "stays": None}


def test_a_guest_that_writes_nothing_is_known_too(fleet: Fleet) -> None:
    fleet.world.writing = {"web": 0}
    first, then, after = _measured(fleet)
    assert (_rates(after)["web"], _bases(then)["web"]) == (0, "measured")
    assert _moves(then)["web"].downtime < _moves(first)["web"].downtime


def test_nobody_is_asked_where_nothing_moves_live() -> None:
    fleet = settled(web="lq-d25")
    fleet.world.writing = {"web": MIB}
    first, then, _ = _measured(fleet)
    assert (first.empty, then, _asked(fleet)) == (True, first, [])


def test_the_measured_rate_is_in_the_snapshot_and_in_no_print(fleet: Fleet) -> None:
    first, then, after = _measured(fleet)
    again = read_snapshot(dump_snapshot(after), KINDS)
    assert think(fleet.wanted, again, KINDS) == then
    assert (then.differences, then.touched) == (first.differences, first.touched)
    assert not planfile.differences(then, then.made, then.source, see(fleet.wanted, KINDS, fleet.tools))


def _broken(fleet: Fleet, monkeypatch: pytest.MonkeyPatch, breaks: Any) -> None:
    """`breaks` in place of an answer of lq-d25."""
    real = fleet.hypervisor.dirty_rate

    def answer(host: Any, uuid: str, seconds: int, *, deadline: float = 30.0) -> int | None:
        return breaks() if host.name == "lq-d25" else real(host, uuid, seconds, deadline=deadline)

    monkeypatch.setattr(fleet.hypervisor, "dirty_rate", answer)


@pytest.mark.parametrize("error", [Refused("lq-d25", "no"), Unreachable("lq-d25", "gone"), ValueError("nonsense")])
def test_a_host_that_does_not_say_leaves_its_own_unknown(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, error: HostError | ValueError
) -> None:
    def breaks() -> None:
        raise error

    _broken(fleet, monkeypatch, breaks)
    first, then, _ = _measured(fleet)
    assert _bases(then) == {"web": "default", "db": "measured"}
    assert [action.id for action in then.actions] == [action.id for action in first.actions]


def test_a_host_that_hangs_costs_the_deadline(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    _broken(fleet, monkeypatch, lambda: over.wait(60))
    began = time.monotonic()
    _, then, _ = _measured(fleet, deadline=0.2)
    took = time.monotonic() - began
    over.set()
    assert _bases(then) == {"web": "default", "db": "measured"}
    assert took < 20
