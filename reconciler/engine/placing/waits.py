"""Which move must wait for which: the least that makes room and keeps the rules, whatever else runs late. Pure.

The planner's timetable is one good order; hosts keep no timetable, so only what truly depends is held to it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from reconciler.placement.problem import Avoid, Guest, Problem, Rule, Spread
from reconciler.placement.solution import Move

Waits = Mapping[int, tuple[int, ...]]


def waits(problem: Problem, moves: Sequence[Move]) -> Waits:
    """By number of the move, the numbers of those that must have ended well before it begins."""
    guests = {guest.name: guest for guest in problem.guests}
    found: dict[int, set[int]] = defaultdict(set)
    for later, earlier in (*_room(problem, moves, guests), *_rules(problem, moves)):
        if moves[later].guest != moves[earlier].guest:
            found[later].add(earlier)
    return {later: tuple(sorted(earlier)) for later, earlier in sorted(found.items())}


def _room(problem: Problem, moves: Sequence[Move], guests: Mapping[str, Guest]) -> Iterator[tuple[int, int]]:
    """Each arrival needs the first departures that, together, make room for it and for all arrivals before it.

    Then no two arrivals count on the same departure, and a late one never takes the room of another.
    """
    coming, leaving = defaultdict[str, list[int]](list), defaultdict[str, list[int]](list)
    for number, move in enumerate(moves):
        coming[move.target].append(number)
        leaving[move.source].append(number)
    free = {host.name: list(host.room()) for host in problem.hosts}
    for guest in problem.guests:
        if guest.at:
            free[guest.at][0] -= guest.memory
            free[guest.at][1] -= guest.vcpus
    for host, arrivals in coming.items():
        departures = sorted(leaving[host], key=lambda number: (moves[number].end, number))
        left, used = free[host], 0
        for number in sorted(arrivals, key=lambda number: (moves[number].start, number)):
            one = guests[moves[number].guest]
            left = [left[0] - one.memory, left[1] - one.vcpus]
            while min(left) < 0 and used < len(departures) and moves[departures[used]].end <= moves[number].start:
                gone = guests[moves[departures[used]].guest]
                left = [left[0] + gone.memory, left[1] + gone.vcpus]
                used += 1
            yield from ((number, earlier) for earlier in departures[:used])


def _rules(problem: Problem, moves: Sequence[Move]) -> Iterator[tuple[int, int]]:
    """Where a rule holds always, whoever comes into a domain waits for those of the rule that leave it before."""
    labels = {host.name: host.labels for host in problem.hosts}
    of: dict[str, list[int]] = defaultdict(list)
    for number, move in enumerate(moves):
        of[move.guest].append(number)
    for rule in problem.rules:
        if not getattr(rule, "always", False):
            continue
        over = rule.over if isinstance(rule, Spread) else ""
        mine = sorted(number for name in _names(rule) for number in of.get(name, ()))
        left: dict[str, list[int]] = defaultdict(list)
        for number in mine:
            source = _domain(moves[number].source, over, labels)
            if source != _domain(moves[number].target, over, labels):
                left[source].append(number)
        for number in mine:
            for earlier in left[_domain(moves[number].target, over, labels)]:
                if moves[earlier].end <= moves[number].start and _concerns(rule, moves[number], moves[earlier]):
                    yield number, earlier


def _domain(host: str, over: str, labels: Mapping[str, Mapping[str, str]]) -> str:
    return f"={labels[host][over]}" if over and over in labels.get(host, {}) else host


def _names(rule: Rule) -> tuple[str, ...]:
    return (rule.guest, *rule.others) if isinstance(rule, Avoid) else rule.guests


def _concerns(rule: Rule, one: Move, other: Move) -> bool:
    """Two that are merely avoided by a third may share a host."""
    return not isinstance(rule, Avoid) or rule.guest in (one.guest, other.guest)
