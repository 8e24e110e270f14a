"""The moves of a plan in time, for people: a row per move, and how far all of them are from the bound.

Pure: gives lines and words, prints nothing; empty where nothing moves and nothing waits.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reconciler.model.forecast import Forecast, PlannedMove
from reconciler.model.units import show_size

BAR = 24
BYPASS = "only to make room"


@dataclass(frozen=True, slots=True)
class Line:
    """One move in words. `x` and `width` are its place in the whole, in thousandths, never too short to be seen."""

    vm: str
    hosts: str
    begins: str
    ends: str
    memory: str
    downtime: str
    notes: tuple[str, ...]
    bypass: bool
    x: float
    width: float


def lines(forecast: Forecast) -> tuple[Line, ...]:
    """A line per move, in order of begin."""
    whole = max((forecast.seconds, *(move.end for move in forecast.moves), 1))
    reasons = dict(forecast.reasons)
    return tuple(_line(move, whole, reasons.get(move.vm, "")) for move in forecast.moves)


def _line(move: PlannedMove, whole: int, reason: str) -> Line:
    width = max(6.0, 1000 * (move.end - move.start) / whole)
    notes = [BYPASS] if move.bypass else []
    notes += [f"with {show_size(move.disks)} of disks"] if move.disks else []
    notes += [f"after {', '.join(move.after)}"] if move.after else []
    notes += [reason] if reason else []
    return Line(
        move.vm,
        f"{move.source} -> {move.target}",
        clock(move.start),
        clock(move.end),
        show_size(move.memory),
        f"{move.downtime} ms",
        tuple(notes),
        move.bypass,
        min(1000 - width, 1000 * move.start / whole),
        width,
    )


def totals(forecast: Forecast) -> tuple[str, ...]:
    """How long all of it takes and how much is sent, each beside the least that any plan needs."""
    if not forecast.moves:
        return ()
    took = _beside(forecast.seconds, forecast.seconds_bound, clock)
    sent = _beside(forecast.moved, forecast.bound, show_size)
    bypasses = sum(move.bypass for move in forecast.moves)
    detour = f"; {show_size(forecast.bypassed)} of it in {_many(bypasses, 'move')} {BYPASS}" if bypasses else ""
    disks = f"; with it {show_size(forecast.disks)} of disks" if forecast.disks else ""
    return (f"{_many(len(forecast.moves), 'move')} in {took}", f"to send: {sent}{detour}{disks}")


def _beside(value: int, bound: int, show: Callable[[float], str]) -> str:
    if bound <= 0:
        return f"{show(value)}, no bound is known"
    if value <= bound:
        return f"{show(value)}, and no plan needs less"
    return f"{show(value)}, {100 * (value / bound - 1):.1f} % above the bound of {show(bound)}"


def waiting(forecast: Forecast) -> tuple[tuple[str, str], ...]:
    """Each VM that a later pass moves, and why not now, as far as it is known."""
    reasons = dict(forecast.reasons)
    return tuple((vm, reasons.get(vm, "")) for vm in forecast.later)


def as_lines(forecast: Forecast) -> Iterator[str]:
    """The timetable in plain characters."""
    shown = lines(forecast)
    if shown:
        yield f"Timetable: {'; '.join(totals(forecast))}."
        head = ("from", "to", "VM", "hosts", "memory", "downtime")
        rows = [head, *((e.begins, e.ends, e.vm, e.hosts, e.memory, e.downtime) for e in shown)]
        bars = ["", *(bar(each) for each in shown)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
        for number, row in enumerate(rows):
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            said = f"  {', '.join(shown[number - 1].notes)}" if number and shown[number - 1].notes else ""
            yield f"  {'  '.join(cells)}  {bars[number]}{said}".rstrip()
    if forecast.later:
        yield f"Later, in another pass: {_many(len(forecast.later), 'VM')}."
        yield from (f"  {vm}{f': {why}' if why else ''}" for vm, why in waiting(forecast))


def clock(seconds: float) -> str:
    """Minutes and seconds, `1:30`, or with hours, `1:02:30`: exact, because beginnings and ends are compared."""
    minutes, left = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{left:02}" if minutes >= 60 else f"{minutes}:{left:02}"


def bar(line: Line) -> str:
    """`[...####....]`: a bypass is drawn with `o`, so that it is seen without colour."""
    first = min(BAR - 1, int(line.x * BAR / 1000))
    length = max(1, min(BAR - first, round(line.width * BAR / 1000)))
    return f"[{'.' * first}{('o' if line.bypass else '#') * length}{'.' * (BAR - first - length)}]"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
