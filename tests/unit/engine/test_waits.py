"""Whatever order a plan's moves are carried out in: with their waits kept, no host is ever too full, no rule broken.

The planner's own timetable is checked by its replay; here every other order is, drawn at random.
"""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.engine.placing.waits import waits
from reconciler.placement.problem import Avoid, Effort, Problem, Spread
from reconciler.placement.solution import Move
from reconciler.placement.solve import solve
from tests.placement.made import problem

QUICK = Effort(polish=0, exact=0)


class _Hosts:
    """Who takes room where, while moves begin and end in any order."""

    def __init__(self, asked: Problem) -> None:
        self.asked = asked
        self.guests = {guest.name: guest for guest in asked.guests}
        self.hosts = {host.name: host for host in asked.hosts}
        self.on = {guest.name: {guest.at} - {""} for guest in asked.guests}

    def load(self, host: str) -> tuple[int, int]:
        here = [self.guests[name] for name, places in self.on.items() if host in places]
        return sum(guest.memory for guest in here), sum(guest.vcpus for guest in here)

    def begin(self, move: Move) -> None:
        self.on[move.guest].add(move.target)
        room, load = self.hosts[move.target].room(), self.load(move.target)
        assert load[0] <= room[0], f"{move.target} is too full when {move.guest} comes"
        assert load[1] <= room[1], f"{move.target} has too many vCPUs when {move.guest} comes"
        for rule in self.asked.rules:
            if isinstance(rule, Spread | Avoid) and rule.always:
                self.kept(rule, move)

    def kept(self, rule: Spread | Avoid, move: Move) -> None:
        over, most = (rule.over, rule.most) if isinstance(rule, Spread) else ("", 1)
        names = rule.guests if isinstance(rule, Spread) else (rule.guest, *rule.others)
        there = self.domain(move.target, over)
        if move.guest not in names or (move.source and self.domain(move.source, over) == there):
            return
        if isinstance(rule, Avoid) and move.guest != rule.guest:
            names = (move.guest, rule.guest)
        here = [name for name in set(names) if any(self.domain(host, over) == there for host in self.on[name])]
        assert len(here) <= most, f"{here} share {there} when {move.guest} comes"

    def domain(self, host: str, over: str) -> tuple[int, str]:
        labels = self.hosts[host].labels
        return (1, labels[over]) if over in labels else (0, host)

    def end(self, move: Move) -> None:
        self.on[move.guest].discard(move.source)


def _carried_out(asked: Problem, moves: tuple[Move, ...], seed: int) -> int:
    """Every move begun as late or as early as its waits let it; how many ran at most at once."""
    rng = Random(seed)  # noqa: S311 - examples, not secrets
    before, hosts = waits(asked, moves), _Hosts(asked)
    ended: set[int] = set()
    running: list[int] = []
    waiting = list(range(len(moves)))
    widest = 0
    while waiting or running:
        legs = {n: [m for m in range(n) if moves[m].guest == moves[n].guest] for n in waiting}
        ready = [n for n in waiting if ended.issuperset(before.get(n, ())) and ended.issuperset(legs[n])]
        assert ready or running, "the moves wait for one another"
        if ready and (not running or rng.random() < 0.7):
            number = rng.choice(ready)
            waiting.remove(number)
            running.append(number)
            hosts.begin(moves[number])
        else:
            number = running.pop(rng.randrange(len(running)))
            hosts.end(moves[number])
            ended.add(number)
        widest = max(widest, len(running))
    return widest


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_any_order_that_keeps_the_waits_is_safe(seed: int) -> None:
    asked = problem(seed)
    plan = solve(asked, QUICK)
    for order in range(3):
        _carried_out(asked, plan.moves, seed + order)


def test_the_waits_are_needed_and_leave_room_for_much_at_once() -> None:
    """Without any the same orders overfill hosts; with them many moves still go side by side."""
    needed, widest = 0, 0
    for seed in range(60):
        asked = problem(seed)
        plan = solve(asked, QUICK)
        widest = max(widest, _carried_out(asked, plan.moves, seed))
        needed += bool(waits(asked, plan.moves))
    assert needed > 5
    assert widest > 4


def test_a_broken_order_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.unit.engine.test_waits.waits", lambda asked, moves: {})
    with pytest.raises(AssertionError, match=r"too full|too many|share"):
        _many(60)


def _many(seeds: int) -> None:
    for seed in range(seeds):
        asked = problem(seed)
        _carried_out(asked, solve(asked, QUICK).moves, seed)
