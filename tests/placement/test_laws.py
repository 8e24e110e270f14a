"""What holds for every plan over random fleets: the replay passes, nothing is undercut, twice the same."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.placement.problem import Effort, Limits
from reconciler.placement.replay import replay
from reconciler.placement.solve import solve
from tests.placement.made import problem

EFFORT = Effort(polish=0.02, exact=0.05, exact_moves=40)
SEEDS = st.integers(0, 2**32)


def check(seed: int) -> None:
    asked = problem(seed)
    plan = solve(asked, EFFORT)
    assert replay(asked, plan) == []
    assert plan.moved >= plan.bound
    if not plan.later:
        assert plan.seconds >= plan.seconds_bound
    touched = {guest.name for guest in asked.guests if guest.pinned or guest.cooling} & {m.guest for m in plan.moves}
    assert all(not guest.at for guest in asked.guests if guest.name in touched)
    shuffled = replace(asked, hosts=asked.hosts[::-1], guests=asked.guests[::-1])
    assert repr(solve(shuffled, EFFORT)) == repr(plan), "the order in which things are named decides nothing"


@settings(max_examples=250, deadline=None)
@given(SEEDS)
def test_every_plan_keeps_the_laws(seed: int) -> None:
    check(seed)


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_what_a_plan_made_needs_no_other_plan(seed: int) -> None:
    """No thrash: after a plan without a rest, the next one moves nobody."""
    asked = replace(problem(seed), limits=Limits())
    plan = solve(asked, EFFORT)
    on = dict(plan.goal)
    after = replace(asked, guests=tuple(replace(guest, at=on[guest.name]) for guest in asked.guests))
    if not plan.knots:
        assert solve(after, EFFORT).moves == ()


def test_many_fleets(request: pytest.FixtureRequest) -> None:
    """`--fleets N`: seeds 0 to N-1; 10,000 in the nightly run."""
    for seed in range(request.config.getoption("--fleets")):
        try:
            check(seed)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error}") from error
