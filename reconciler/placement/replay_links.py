"""Check from the outside that links which hosts share carry no more moves at a time, and none faster, than they may.

Shares no code with the planner, and looks at nothing else.
"""

from collections.abc import Iterator

from reconciler.placement.problem import Problem
from reconciler.placement.solution import Move, Solution


def crowded(problem: Problem, plan: Solution) -> list[str]:
    """Every instant at which a link carries too many, and every move that is too fast for one."""
    wrong = []
    for number, link in enumerate(problem.limits.links):
        on_it = {host.name for host in problem.hosts if number in host.links}
        over = [move for move in plan.moves if move.source and _crosses(move, on_it, link.uplink)]
        wrong += [
            f"{move.start} s: {move.guest} is too fast for shared link {number}"
            for move in over
            if link.mbit and move.bandwidth > link.mbit
        ]
        wrong += [f"{when} s: too many moves over shared link {number}" for when in _beyond(over, link.moves)]
    return wrong


def _crosses(move: Move, on_it: set[str], uplink: bool) -> bool:
    ends = (move.source in on_it) + (move.target in on_it)
    return ends == 1 if uplink else ends > 0


def _beyond(moves: list[Move], most: int) -> Iterator[int]:
    """Seconds at which one more than may begins; what ends then has ended."""
    running = 0
    for when, step in sorted([(move.end, -1) for move in moves] + [(move.start, 1) for move in moves]):
        running += step
        if step > 0 and running > most:
            yield when
