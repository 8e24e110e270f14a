"""What a scheduled pass holds: modes, suspensions and change windows over real plans of a fleet in memory.

Times are real moments of 2026 in Madrid, among them both nights on which the clocks change.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.engine.hold import hold, notes, suspended
from reconciler.engine.once import Wanted, see, think, want
from reconciler.model.fleet import Suspension, Window
from reconciler.model.plan import Plan
from reconciler.wiring import KINDS
from tests.fakes.fleets import Fleet, Text, settled

NIGHTS = Window(("fri", "sat"), 22 * 60, 6 * 60, "Europe/Madrid", "move-live")
_VM = "name: web}"


def _world(annotation: str = "") -> tuple[Plan, Wanted]:
    """A VM that is to move from lq-d25 to lq-d26, and a pool of which nothing is wrong."""
    fleet = settled(web="lq-d25")
    fleet.placed["web"] = "lq-d26"
    text = fleet.specs.text
    assert _VM in text
    marked = f"name: web, annotations: {{reconciler/mode: {annotation}}}}}" if annotation else _VM
    wanted = want(Text(text.replace(_VM, marked)), KINDS)
    return think(wanted, see(wanted, KINDS, fleet.tools), KINDS), wanted


def _leftover() -> tuple[Plan, Wanted]:
    """The same, and a timed rule of a lease that nobody needs."""
    fleet: Fleet = settled(web="lq-d25")
    fleet.placed["web"] = "lq-d26"
    wanted = want(fleet.specs, KINDS)
    seen = see(wanted, KINDS, fleet.tools)
    from reconciler.kinds.lease.state import LeaseState
    from reconciler.model.ref import Place

    piece = LeaseState("port", "", "", "", "FedoraServer", "10.77.0.12", 49160)
    return think(wanted, seen.having(Place("lease", "lq-d25", "left"), piece), KINDS), wanted


def _with(wanted: Wanted, **policy: object) -> Wanted:
    return replace(wanted, fleet=replace(wanted.fleet, **policy))  # type: ignore[arg-type]


def _verbs(plan: Plan) -> list[str]:
    return [f"{action.place.kind} {action.verb}" for action in plan.actions]


def _at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def _windows(*windows: Window) -> tuple[Plan, Wanted]:
    plan, wanted = _world()
    return plan, _with(wanted, windows=windows)


def test_nothing_is_held_by_default() -> None:
    plan, wanted = _world()
    assert "vm move-live" in _verbs(plan)
    assert hold(plan, wanted, 0) == plan
    assert notes(plan, wanted, 0) == ()


@pytest.mark.parametrize("mode", ["observe", "propose"])
def test_a_mode_of_the_fleet_holds_all(mode: str) -> None:
    plan, wanted = _world()
    held = hold(plan, _with(wanted, mode=mode), 0)
    assert held.actions == ()
    assert [item.text for item in held.held if item.disruption == "move-live"] != []
    assert all(f"mode is {mode}" in item.why for item in held.held)
    assert not held.empty


def test_only_observing_leaves_an_access_open() -> None:
    plan, wanted = _leftover()
    assert "lease close-port" in _verbs(plan)
    for policy in ({"mode": "propose"}, {"suspension": Suspension()}):
        assert _verbs(hold(plan, _with(wanted, **policy), 0)) == ["lease close-port"]
    observed = hold(plan, _with(wanted, mode="observe"), 0)
    assert _verbs(observed) == []
    assert any(item.place.kind == "lease" for item in observed.held)


@pytest.mark.parametrize("mode", ["observe", "propose"])
def test_a_mode_of_an_object_holds_it_and_its_lease_and_nothing_else(mode: str) -> None:
    plan, wanted = _world(mode)
    held = hold(plan, wanted, 0)
    assert not [verb for verb in _verbs(held) if verb.startswith(("vm", "lease", "pool"))]
    assert {item.why for item in held.held} == {f"the mode of vm/web is {mode}"}


def test_the_stricter_mode_wins() -> None:
    plan, wanted = _world("apply")
    assert hold(plan, _with(wanted, mode="propose"), 0).actions == ()
    assert hold(plan, wanted, 0).held == ()


def test_a_suspension_ends_by_itself() -> None:
    plan, wanted = _world()
    paused = _with(wanted, suspension=Suspension(1000, "holidays"))
    held = hold(plan, paused, 999)
    assert held.actions == ()
    assert {(item.why, item.until) for item in held.held} == {("suspended: holidays", 1000)}
    assert hold(plan, paused, 1000) == plan
    assert suspended(paused.fleet, 999) == "suspended: holidays"
    assert suspended(paused.fleet, 1000) == ""
    assert suspended(_with(wanted, suspension=Suspension()).fleet, 10**10) == "suspended"


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-27T20:59:59", "2026-11-27T21:00:00"),  # Friday in Madrid, UTC+1
        ("2026-11-27T21:00:00", ""),
        ("2026-11-28T04:59:59", ""),
        ("2026-11-28T05:00:00", "2026-11-28T21:00:00"),
        ("2026-11-29T04:59:59", ""),  # Sunday morning belongs to Saturday's
        ("2026-11-29T05:00:00", "2026-12-04T21:00:00"),
        ("2026-07-03T19:59:59", "2026-07-03T20:00:00"),  # summer, UTC+2
        ("2026-10-25T04:59:59", ""),  # that night is an hour longer
        ("2026-10-25T05:00:00", "2026-10-30T21:00:00"),
        ("2026-03-29T03:59:59", ""),  # and this one shorter
        ("2026-03-29T04:00:00", "2026-04-03T20:00:00"),
    ],
)
def test_windows_over_midnight_and_changed_clocks(moment: str, opens: str) -> None:
    plan, wanted = _windows(NIGHTS)
    held = hold(plan, wanted, _at(moment))
    assert ("vm move-live" in _verbs(held)) == (not opens)
    assert {item.until for item in held.held if item.disruption == "move-live"} == ({_at(opens)} if opens else set())


def test_a_whole_day_and_a_class_that_no_window_allows() -> None:
    whole = Window(("wed",), 0, 1440)
    plan, wanted = _windows(whole)
    assert hold(plan, wanted, _at("2026-12-02T23:59:59")).held == ()
    assert hold(plan, wanted, _at("2026-12-03T00:00:00")).held != ()
    plan, wanted = _windows(replace(whole, disruption="restart"))
    assert {i.why for i in hold(plan, wanted, _at("2026-12-02T12:00:00")).held} == {"no change window allows move-live"}


def test_what_needs_a_held_action_is_held_and_no_half_is_left() -> None:
    plan, wanted = _windows(Window(("wed",), 0, 1))
    held = hold(plan, wanted, _at("2026-12-03T00:00:00"))
    ids: Sequence[str] = [action.id for action in held.actions]
    assert all(need in ids for action in held.actions for need in action.needs)
    assert not [action for action in held.actions if action.place.kind == "lease" or action.passage]


def test_a_person_is_told() -> None:
    plan, wanted = _world("propose")
    assert notes(plan, wanted, 0) == ("a scheduled pass would leave vm/web as it is: the mode of vm/web is propose",)
