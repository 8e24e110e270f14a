"""What holds for every plan over random fleets: the replay passes, nothing is undercut, twice the same."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.placement.problem import Avoid, Effort, Gather, Host, Limits, Problem, Rule
from reconciler.placement.replay import replay
from reconciler.placement.solution import Solution
from reconciler.placement.solve import solve
from reconciler.placement.spare import spare
from tests.placement.made import problem

EFFORT = Effort(polish=0.02, exact=0.05, exact_moves=40)
SEEDS = st.integers(0, 2**32)
BLOCK = 100


def check(seed: int) -> None:
    asked = problem(seed)
    plan = solve(asked, EFFORT)
    assert replay(asked, plan) == []
    assert plan.moved >= plan.bound
    if not plan.later:
        assert plan.seconds >= plan.seconds_bound
    touched = {guest.name for guest in asked.guests if guest.pinned or guest.cooling} & {m.guest for m in plan.moves}
    assert all(not guest.at for guest in asked.guests if guest.name in touched)
    assert [name for name, cause in plan.causes if not cause] == [], "moved without a cause"
    assert {name for name, _ in plan.causes} == {
        g.name for g in asked.guests if g.at and g.at != dict(plan.goal)[g.name]
    }
    _survives(asked, plan)
    shuffled = replace(asked, hosts=asked.hosts[::-1], guests=asked.guests[::-1])
    assert repr(solve(shuffled, EFFORT)) == repr(plan), "the order in which things are named decides nothing"


def _survives(asked: Problem, plan: Solution) -> None:
    """Without anything asked nothing is said; what starts takes no room that a loss needs, or has it in spare.

    Who can be on one host only is started too: it is named, and takes nobody's room elsewhere.
    """
    if not asked.survive:
        assert (plan.refuges, plan.exposed) == ((), ())
        return
    new = {guest.name for guest in asked.guests if not guest.at} - {name for name, host in plan.goal if not host}
    tied = {g.name for g in asked.guests if not g.at and g.reach and len(asked.reaches[g.reach]) == 1}
    exposed = {(e.host, name) for e in plan.exposed for name in e.guests if name not in tied}
    before = spare(asked, {guest.name: guest.at for guest in asked.guests})
    assert {e.host for e in plan.exposed if not e.new} <= before.short.keys()
    bare = spare(asked, {name: "" if name in new else host for name, host in plan.goal})
    memory = {guest.name: guest.memory for guest in asked.guests}
    for host, names in bare.short.items():
        lost = sum(memory[name] for at, name in exposed if at == host)
        assert lost <= sum(memory[name] for name in names)
    assert {host for host, _ in exposed} <= bare.short.keys(), "a guest was started into the room of a loss"


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


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_a_fleet_inside_its_rules_plans_nothing(seed: int) -> None:
    """However uneven it is: nothing is balanced."""
    asked = _calm(problem(seed))
    nothing = Solution((), tuple(sorted((g.name, g.at) for g in asked.guests)), (), (), 0, 0, 0, 0, 0)
    assert replay(replace(asked, survive=0), nothing) == []
    plan = solve(asked, EFFORT)
    assert (plan.moves, plan.knots, plan.causes) == ((), (), ())


def _calm(asked: Problem) -> Problem:
    """The same fleet without what is wrong in it: drains, hosts wanted elsewhere, too many guests, broken rules."""
    hosts = {host.name: replace(host, drain=False) for host in asked.hosts}
    room = {name: list(host.room()) for name, host in hosts.items()}
    kept = []
    for guest in asked.guests:
        able = guest.at and (not guest.reach or guest.at in asked.reaches[guest.reach])
        if able and room[guest.at][0] >= guest.memory and room[guest.at][1] >= guest.vcpus:
            room[guest.at] = [room[guest.at][0] - guest.memory, room[guest.at][1] - guest.vcpus]
            kept.append(replace(guest, to=""))
    on = {guest.name: guest.at for guest in kept}
    rules = tuple(rule for rule in asked.rules if not _wrong(rule, on, hosts))
    return replace(asked, hosts=tuple(hosts.values()), guests=tuple(kept), rules=rules)


def _wrong(rule: Rule, on: Mapping[str, str], hosts: Mapping[str, Host]) -> bool:
    """Is it broken, or about a guest that is not there?"""
    names = (rule.guest, *rule.others) if isinstance(rule, Avoid) else rule.guests
    if not set(names) <= on.keys():
        return True
    over = "" if isinstance(rule, Avoid) else rule.over
    places = [hosts[on[name]].labels.get(over, f"host {on[name]}") for name in dict.fromkeys(names)]
    if isinstance(rule, Avoid):
        return places[0] in places[1:]
    return len(set(places)) > 1 if isinstance(rule, Gather) else max(map(places.count, places)) > rule.most


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "first" in metafunc.fixturenames:
        metafunc.parametrize("first", range(0, metafunc.config.getoption("--fleets"), BLOCK))


def test_many_fleets(first: int, request: pytest.FixtureRequest) -> None:
    """`--fleets N`: seeds 0 to N-1, a test per hundred of them; 10,000 in the nightly run."""
    for seed in range(first, min(first + BLOCK, request.config.getoption("--fleets"))):
        try:
            check(seed)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error}") from error


@pytest.mark.parametrize("seed", [2877, 4506, 4609, 7021])
def test_fleets_that_were_once_planned_wrongly(seed: int) -> None:
    """The first three moved somebody without a cause, the last named not all who break a rule."""
    check(seed)
