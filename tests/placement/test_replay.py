"""The replay refuses what is broken: every way to break a good plan is found, and by its own words."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.placement.problem import Gather, Guest, Host, Limits, Problem, Spread
from reconciler.placement.replay import replay
from reconciler.placement.solution import Move, Solution
from reconciler.placement.solve import solve

ASKED = Problem(
    hosts=(
        Host("a", 100, 10, drain=True),
        Host("b", 100, 10, link=1000),
        Host("c", 100, 10),
        Host("d", 30, 10, closed=True),
    ),
    guests=(
        Guest("x", 60, 1, "a", reach="bc"),
        Guest("y", 50, 1, "b", to="c"),
        Guest("p", 10, 1, "b", pinned=True),
        Guest("q", 10, 1, "c"),
        Guest("new", 10, 1),
    ),
    reaches={"bc": ("a", "b", "c")},
    rules=(Spread(("p", "q")), Gather(("q", "y"))),
)
GOOD = solve(ASKED)


def _change(guest: str, **how: object) -> Callable[[Solution], Solution]:
    def broken(plan: Solution) -> Solution:
        moves = tuple(replace(m, **how) if m.guest == guest else m for m in plan.moves)  # type: ignore[arg-type]
        on = dict(plan.goal) | {m.guest: m.target for m in moves}
        return replace(plan, moves=moves, goal=tuple(sorted(on.items())))

    return broken


def _drop(guest: str) -> Callable[[Solution], Solution]:
    return lambda plan: replace(plan, moves=tuple(move for move in plan.moves if move.guest != guest))


def _more(guest: str, source: str, target: str) -> Callable[[Solution], Solution]:
    def broken(plan: Solution) -> Solution:
        move = Move(guest, source, target, 50, 51, 10, 1000)
        on = dict(plan.goal) | {guest: target}
        return replace(plan, moves=(*plan.moves, move), goal=tuple(sorted(on.items())))

    return broken


BROKEN = {
    "no room": (_change("x", start=0, end=1), "x comes to b, which has no room for it"),
    "not there": (_change("x", source="c"), "it is on a, or moving"),
    "no time": (_change("y", end=0), "it takes no time"),
    "less memory": (_change("y", memory=1), "its memory or its disks are wrong"),
    "too wide": (_change("y", bandwidth=2000), "the link out of b is full"),
    "not reached": (_change("x", target="d"), "it cannot run there"),
    "closed": (_change("new", target="d"), "nothing may come there"),
    "left out": (_drop("x"), "at the end x is on a, not on b"),
    "pinned": (_more("p", "b", "a"), "it must not move"),
    "rule": (_more("q", "c", "b"), "more than 1 of p, q would share b"),
    "apart": (_more("q", "c", "b"), "('q', 'y') are not together"),
    "unknown": (_more("z", "b", "c"), "no such guest or host"),
    "goal short": (lambda plan: replace(plan, goal=plan.goal[1:]), "does not name every guest"),
}


def test_the_good_plan_is_good() -> None:
    assert replay(ASKED, GOOD) == []
    assert {move.guest for move in GOOD.moves} == {"x", "y", "new"}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plan_is_refused(name: str) -> None:
    how, word = BROKEN[name]
    assert any(word in wrong for wrong in replay(ASKED, how(GOOD))), replay(ASKED, how(GOOD))


def test_not_moving_at_all_is_refused() -> None:
    plan = replace(GOOD, moves=(), goal=tuple(sorted((g.name, g.at) for g in ASKED.guests)))
    words = replay(ASKED, plan)
    assert "at the end x is on a, which drains" in words
    assert "at the end y is not on c" in words
    assert "at the end new is nowhere" in words


@pytest.mark.parametrize(
    ("limits", "word"),
    [
        (Limits(moves_out=1, moves_in=0), "too many moves out of a at a time"),
        (Limits(moves_out=0, moves_in=1), "too many moves in of b at a time"),
        (Limits(0, 0, moves=1), "too many moves at a time"),
        (Limits(0, 0, bandwidth=300), "its bandwidth is not what is allowed"),
        (Limits(0, 0, window_moves=1), "more moves than the window allows"),
        (Limits(0, 0, window_mib=15), "more bytes than the window allows"),
    ],
)
def test_limits_are_looked_at(limits: Limits, word: str) -> None:
    asked = Problem((Host("a", 100, 10), Host("b", 100, 10)), (Guest("x", 10, 1, "a"), Guest("y", 10, 1, "a")))
    moves = tuple(Move(name, "a", "b", 0, 1, 10, 400) for name in "xy")
    plan = Solution(moves, (("x", "b"), ("y", "b")), (), (), 20, 0, 0, 1, 1)
    assert replay(replace(asked, limits=Limits(0, 0)), plan) == []
    assert any(word in wrong for wrong in replay(replace(asked, limits=limits), plan))
