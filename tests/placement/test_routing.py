"""Classes of hosts that run full: others make way, no more than must, and what cannot be done is refused."""

import sys

import pytest

from reconciler.placement.problem import Effort, Guest, Host, Problem
from reconciler.placement.solve import solve
from tests.bench.planning.fleets import drained, fleet
from tests.placement.made import problem

GIB = 1024
NEWER = ("b1", "b2")


def crowded(drain: str = "b1", last: int = 12) -> Problem:
    """Four guests on b1 need a newer host; b2, the other one, is full of guests that may be anywhere."""
    hosts = tuple(Host(name, 64 * GIB, 64, drain=name == drain) for name in ("a1", "a2", *NEWER))
    sizes = (12, 12, 12, last)
    bound = tuple(Guest(f"new{n}", size * GIB, 1, at="b1", reach="new") for n, size in enumerate(sizes))
    free = tuple(Guest(f"any{n}", 12 * GIB, 1, at="b2") for n in range(5))
    return Problem(hosts, bound + free, {"new": NEWER})


def test_as_many_make_way_as_must() -> None:
    plan = solve(crowded())
    assert not plan.knots
    assert {move.guest for move in plan.moves if move.guest.startswith("new")} == {"new0", "new1", "new2", "new3"}
    assert plan.moved == (48 + 48) * GIB
    assert plan.bound == plan.moved, "guests of 12 leave whole"
    assert solve(crowded(), Effort(polish=0)).bound == (48 + 44) * GIB, "48 come to 64 GiB of which 60 are taken"


def test_without_ortools_it_plans_what_it_finds_and_names_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ortools.linear_solver", None)
    plan = solve(crowded())
    named = {name for knot in plan.knots for name in knot.guests}
    assert named | {move.guest for move in plan.moves} >= {"new0", "new1", "new2", "new3"}
    assert plan.bound < (48 + 44) * GIB, "nothing is proven about classes"


def test_who_never_fits_is_named_and_the_others_go() -> None:
    plan = solve(crowded(last=40))
    named = {name for knot in plan.knots for name in knot.guests}
    assert named
    assert named < {"new0", "new1", "new2", "new3"}


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_a_fifth_of_a_fleet_drains_where_half_the_guests_need_the_newer_hosts(seed: int) -> None:
    plan = solve(drained(fleet(400, 0.68, seed=seed, newer=0.5), 0.20, seed=seed))
    assert not plan.knots
    assert plan.gap() <= 1.05
    assert plan.stretch() <= 1.02


def test_a_fleet_that_is_too_full_to_drain_empties_what_it_can() -> None:
    """Who was asked to make way and found no room stays where it is, and is no refusal."""
    asked = drained(fleet(100, 0.95, seed=2), 0.10, seed=2)
    plan = solve(asked)
    leaving = {guest.name for guest in asked.guests if any(h.drain and h.name == guest.at for h in asked.hosts)}
    named = {name for knot in plan.knots for name in knot.guests}
    assert named <= leaving
    assert {move.guest for move in plan.moves} >= leaving - named
    assert plan.moves


@pytest.mark.parametrize("seed", [276, 546, 822])
def test_a_host_that_stays_too_full_is_no_other_hosts_debt(seed: int) -> None:
    """What never leaves one took room of others in the sum, and the bound was above what the plan moved."""
    plan = solve(problem(seed), Effort(polish=0.02, exact=0.05, exact_moves=40))
    assert plan.moved >= plan.bound
