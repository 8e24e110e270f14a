"""The timetable as a Solution, with names; cut where the window ends.

Copies and counts only.
"""

from reconciler.placement import durations
from reconciler.placement.fleet import Fleet
from reconciler.placement.problem import Limits, Problem
from reconciler.placement.solution import Move, Solution
from reconciler.placement.tasks import Step, Timetable


def written(problem: Problem, fleet: Fleet, table: Timetable) -> Solution:
    """Without what only the whole knows: knots, moved memory and bounds."""
    moves = [_move(fleet, step) for step in table.steps]
    moves.sort(key=lambda move: (move.start, move.guest))
    within = _window(moves, problem.limits)
    on = {guest.name: guest.at for guest in problem.guests}
    for move in sorted(moves[:within], key=lambda move: move.end):
        on[move.guest] = move.target
    kept = tuple(moves[:within])
    return Solution(
        moves=kept,
        goal=tuple(sorted(on.items())),
        knots=(),
        later=tuple(sorted({move.guest for move in moves[within:]})),
        moved=0,
        bound=0,
        bypassed=sum(move.memory for move in kept if move.bypass),
        seconds=max((move.end for move in kept), default=0),
        seconds_bound=0,
    )


def _move(fleet: Fleet, step: Step) -> Move:
    one = step.task
    guest = fleet.guests[one.guest]
    source = fleet.hosts[one.source].name if one.source >= 0 else ""
    silent = durations.downtime(guest, one.bandwidth) if source else 0
    place = fleet.hosts[one.target].name
    return Move(
        guest.name, source, place, step.start, step.end, guest.memory, one.bandwidth, silent, step.bypass, guest.disks
    )


def _window(moves: list[Move], limits: Limits) -> int:
    """How many moves, from the first, are within the window; nothing before them needs any after them."""
    sent = count = 0
    for number, move in enumerate(moves):
        count += bool(move.source)
        sent += move.memory + move.disks if move.source else 0
        if (limits.window_moves and count > limits.window_moves) or (limits.window_mib and sent > limits.window_mib):
            return number
    return len(moves)
