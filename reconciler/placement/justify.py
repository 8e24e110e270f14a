"""A timetable made shorter: every step as late as it can be, then every step as early as it can be, and again.

The steps and the ways they take stay as they are; no state on the way breaks room, a slot, a link or a rule.
"""

from bisect import insort
from collections import defaultdict
from collections.abc import Callable

from reconciler.placement.fleet import Fleet
from reconciler.placement.problem import Limits
from reconciler.placement.scarce import Piece, Scarce
from reconciler.placement.tasks import Step, Timetable

ROUNDS = 2
"""To the end and back, at most so often; the first gains most."""

Changes = dict[int, list[tuple[int, int]]]
"""By number: instants and what is taken then, or given (below 0, so that it comes first)."""
Spans = dict[int, list[tuple[int, int, int]]]
"""By number: from, until, and how much of it."""


def justified(fleet: Fleet, limits: Limits, table: Timetable, bound: int) -> Timetable:
    """As long as it was or shorter. One that is stuck, or whose moves share more than hosts do, stays as it is."""
    if table.stuck or limits.moves or limits.links:
        return table
    scarce = Scarce(fleet, limits)
    pieces = scarce.pieces(table)
    length = table.seconds
    for _ in range(ROUNDS):
        if length <= bound:
            break
        before = length
        for _ in ("late", "early"):
            _mirror(scarce, pieces)
            _early(scarce, pieces)
        length = max(piece.end for piece in pieces)
        if length == before:
            break
    steps = [Step(piece.step.task, piece.start, piece.end, piece.step.bypass) for piece in pieces]
    steps.sort(key=lambda step: (step.start, step.task.guest))
    return Timetable(tuple(steps), (), length, table.bypassed)


def _mirror(scarce: Scarce, pieces: list[Piece]) -> None:
    """Time runs backwards: who left comes, and the first instant is that of the last end."""
    last = max(piece.end for piece in pieces)
    scarce.free, scarce.after = scarce.after, scarce.free
    for piece in pieces:
        piece.start = last - piece.end
        piece.takes, piece.gives = piece.gives, piece.takes


def _early(scarce: Scarce, pieces: list[Piece]) -> None:
    """Each as early as all others let it where they are, those that begin first before the others."""
    changes: Changes = defaultdict(list)
    spans: Spans = defaultdict(list)
    for piece in pieces:
        _last(piece, changes, list.append)
        _pass(piece, spans, list.append)
    for taken in changes.values():
        taken.sort()
    for busy in spans.values():
        busy.sort()
    for piece in sorted(pieces, key=lambda piece: (piece.start, piece.step.task.guest)):
        if not piece.start:
            continue
        low = max((leg.end for leg in piece.legs if leg.start < piece.start), default=0)
        for number, amount in piece.takes:
            low = max(low, _since(changes[number], scarce.free[number], amount, piece.start))
        if low < piece.start:
            _pass(piece, spans, list.remove)
            begin = _between(piece, low, spans, scarce.most)
            if begin < piece.start:
                _last(piece, changes, list.remove)
                piece.start = begin
                _last(piece, changes, insort)
            _pass(piece, spans, insort)


def _last(piece: Piece, changes: Changes, write: Callable[..., None]) -> None:
    for number, amount in piece.takes:
        write(changes[number], (piece.start, amount))
    for number, amount in piece.gives:
        write(changes[number], (piece.start + piece.seconds, -amount))


def _pass(piece: Piece, spans: Spans, write: Callable[..., None]) -> None:
    span = piece.start, piece.start + piece.seconds
    for number, amount in piece.uses:
        write(spans[number], (*span, amount))


def _since(changes: list[tuple[int, int]], free: int, amount: int, start: int) -> int:
    """The instant since which there has been so much, up to `start`."""
    since = 0
    for when, taken in changes:
        if when >= start:
            break
        if free < amount:
            since = when
        free -= taken
    return since if free >= amount else start


def _between(piece: Piece, low: int, spans: Spans, most: dict[int, int]) -> int:
    """The first instant from `low` on at which slots and wires are free for as long as it takes; at most its own.

    All that overlaps is taken to overlap at once: never too early, perhaps too late.
    """
    at, latest = low, piece.start
    clear = False
    while not clear and at < latest:
        clear = True
        for number, amount in piece.uses:
            later = _gap(spans[number], at, piece.seconds, most[number] - amount)
            at, clear = later, clear and later == at
    return min(at, latest)


def _gap(spans: list[tuple[int, int, int]], at: int, seconds: int, spare: int) -> int:
    """The first instant from `at` on that what overlaps does not rule out; `at` itself where there is a gap."""
    over: list[tuple[int, int]] = []
    for begin, end, amount in spans:
        if begin >= at + seconds:
            break
        if end <= at:
            continue
        over.append((end, amount))
        while sum(amount for _, amount in over) > spare:
            at = end if amount > spare else min(over)[0]
            over = [one for one in over if one[0] > at]
    return at
