"""Shifted to the end and back, a timetable is shorter, never longer, and still right at every instant."""

from dataclasses import replace

import pytest

from reconciler.placement import solve as solving
from reconciler.placement.fleet import Fleet
from reconciler.placement.justify import justified
from reconciler.placement.normalise import normalise
from reconciler.placement.problem import Effort, Guest, Host, Limits, Link, Problem, Spread
from reconciler.placement.replay import replay
from reconciler.placement.solve import solve
from reconciler.placement.tasks import Timetable
from tests.bench.planning.fleets import fleet, mixed, reshuffled

GIB = 1024
SEEDS = (2, 3)
"""Of fleets of 100 hosts that are not too full to be shuffled."""
QUICK = Effort(polish=0, exact=0)


def as_made(fleet: Fleet, limits: Limits, table: Timetable, bound: int) -> Timetable:
    return table


def both(asked: Problem, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Seconds of the timetable as it was made, and shifted; both are replayed."""
    plan = solve(asked, QUICK)
    assert replay(asked, plan) == []
    assert solve(asked, QUICK) == plan
    with monkeypatch.context() as patched:
        patched.setattr(solving, "justified", as_made)
        before = solve(asked, QUICK)
    assert (before.moved, before.bypassed, before.seconds_bound) == (plan.moved, plan.bypassed, plan.seconds_bound)
    assert plan.seconds >= plan.seconds_bound
    return before.seconds, plan.seconds


def test_fleets_shuffled_anew_take_less_time(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [both(reshuffled(fleet(100, 0.75, seed), seed), monkeypatch) for seed in SEEDS]
    assert all(after <= before for before, after in found), found
    assert sum(after for _, after in found) < 0.95 * sum(before for before, _ in found), found


def test_with_two_moves_at_a_time_per_host(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(moves_in=2, moves_out=2, bandwidth=4_000)
    found = [both(replace(reshuffled(fleet(100, 0.75, seed), seed), limits=limits), monkeypatch) for seed in SEEDS]
    assert all(after <= before for before, after in found), found
    assert any(after < before for before, after in found), found


def test_rules_that_hold_always_hold_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for seed in SEEDS:
        asked = reshuffled(fleet(100, 0.75, seed), seed)
        apart = [asked.guests[n : n + 3] for n in range(0, 60, 3)]
        rules = tuple(Spread(tuple(one.name for one in three)) for three in apart if _apart(three))
        assert rules, "else nothing was asked"
        found.append(both(replace(asked, rules=rules), monkeypatch))
    assert all(after <= before for before, after in found), found
    assert any(after < before for before, after in found), found


def _apart(three: tuple[Guest, ...]) -> bool:
    return len({one.at for one in three}) == len({one.to for one in three}) == len(three)


@pytest.mark.parametrize("limits", [Limits(moves=3), Limits(links=(Link(2, 0, False),))])
def test_what_moves_share_beside_their_hosts_is_not_shifted(limits: Limits) -> None:
    asked = replace(reshuffled(fleet(100, 0.75, 2), 2), limits=limits)
    table = Timetable((), (), 9, 0)
    assert justified(normalise(asked), limits, table, 1) is table


def test_a_timetable_at_its_bound_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> Timetable:
        raise AssertionError("nothing is to be gained")

    monkeypatch.setattr(solving, "justified", never)
    hosts = (Host("a", 16 * GIB, 8, drain=True), Host("b", 16 * GIB, 8))
    plan = solve(Problem(hosts, (Guest("v", GIB, 1, at="a"),)), QUICK)
    assert plan.seconds == plan.seconds_bound
    plan = solve(mixed(fleet(60, 0.7)), QUICK)
    assert plan.seconds == plan.seconds_bound
