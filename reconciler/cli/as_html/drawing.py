"""Where everything of a scene stands on the paper: boxes in columns, rows in boxes, arrows through the gaps between.

Pure geometry in CSS pixels. No arrow crosses a box: it runs in gutters between columns and channels between lines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.cli.as_html.scene import Box, Row, Scene, Way
from reconciler.model.ref import Place

HEAD, ROW, GAP, FOOT = 54, 46, 6, 10
SHOWN, SHOWN_OF_MANY, MANY = 8, 4, 6
_MARGIN, _LANE, _LANES = 30, 11, 12
_EDGE = 1.0


@dataclass(frozen=True, slots=True)
class Paper:
    """How wide a box is and how many stand side by side."""

    prefix: str
    columns: int
    box: int


WIDE, NARROW = Paper("w", 3, 304), Paper("n", 1, 286)


@dataclass(frozen=True, slots=True)
class RowAt:
    """A row with its rectangle."""

    row: Row
    x: float
    y: float
    width: float
    height: float = ROW - GAP


@dataclass(frozen=True, slots=True)
class BoxAt:
    """A box with its rectangle; `more` is how many rows had no room."""

    box: Box
    x: float
    y: float
    width: float
    height: float
    rows: tuple[RowAt, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Arrow:
    """A way as an SVG path, and where its number stands."""

    way: Way
    path: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """All of it; `prefix` keeps the ids of two drawings on one page apart."""

    prefix: str
    width: float
    height: float
    boxes: tuple[BoxAt, ...]
    arrows: tuple[Arrow, ...]


@dataclass(frozen=True, slots=True)
class _Route:
    """The gutters and the channel a way runs through, each with its lane there; channel -1: none."""

    way: Way
    first: int
    lane: int
    channel: int
    level: int
    last: int
    lane_back: int


def draw(scene: Scene, paper: Paper) -> Drawing:
    """The scene on that paper."""
    most = SHOWN if len(scene.drawn) <= MANY else SHOWN_OF_MANY
    columns = min(paper.columns, max(1, len(scene.drawn)))
    cells = {box.name: divmod(number, columns) for number, box in enumerate(scene.drawn)}
    lines = -(-len(scene.drawn) // columns)
    routes = _routes(scene.ways, cells)
    gutters = [
        _breadth([r.lane for r in routes if r.first == g] + [r.lane_back for r in routes if r.last == g])
        for g in range(columns + 1)
    ]
    channels = [_breadth([r.level for r in routes if r.channel == c]) for c in range(lines + 1)]
    xs = [sum(gutters[: column + 1]) + column * paper.box for column in range(columns)]
    tall = [
        max(_height(box, most) for box in scene.drawn[line * columns : (line + 1) * columns]) for line in range(lines)
    ]
    ys = [sum(channels[: line + 1]) + sum(tall[:line]) + 18 * line + _EDGE for line in range(lines)]
    boxes = tuple(_box(box, xs[cells[box.name][1]], ys[cells[box.name][0]], paper, most) for box in scene.drawn)
    found = {row.row.place: (row, box) for box in boxes for row in box.rows}
    sheet = _Sheet(
        [x - gutter for x, gutter in zip(xs, gutters, strict=False)] + [xs[-1] + paper.box if xs else 0.0],
        [y - channel for y, channel in zip(ys, channels, strict=False)] + [ys[-1] + tall[-1] if ys else 0.0],
        {place: row for place, (row, _) in found.items()},
    )
    arrows = tuple(_arrow(route, sheet) for route in routes if _seen(route.way, found))
    width = (xs[-1] + paper.box + gutters[columns] if xs else paper.box) + 2 * _EDGE
    height = (ys[-1] + tall[-1] + channels[lines] if ys else 0) + 2 * _EDGE
    return Drawing(paper.prefix, width, height, boxes, arrows)


def _seen(way: Way, found: Mapping[Place, object]) -> bool:
    return way.origin in found and way.destination in found


def _breadth(lanes: Sequence[int]) -> float:
    """A gutter that nothing runs through is a plain gap."""
    return 2 * _MARGIN + _LANE * min(max(lanes), _LANES) if lanes else _EDGE


def _rows(box: Box, most: int) -> Sequence[Row]:
    """What changes comes first where not all have room; ways always have it."""
    if len(box.rows) <= most:
        return box.rows
    lively = [row for row in box.rows if row.fate != "stays"]
    still = [row for row in box.rows if row.fate == "stays"][: max(0, most - 1 - len(lively))]
    return [row for row in box.rows if row in lively or row in still]


def _height(box: Box, most: int) -> float:
    rows = _rows(box, most)
    more = ROW / 2 if len(rows) < len(box.rows) else 0
    return HEAD + (ROW * len(rows) if rows else ROW / 2) + more + FOOT


def _box(box: Box, x: float, y: float, paper: Paper, most: int) -> BoxAt:
    rows, width = _rows(box, most), float(paper.box)
    placed = [RowAt(row, x + 10, y + HEAD + n * ROW, width - 20) for n, row in enumerate(rows)]
    return BoxAt(box, x, y, width, _height(box, most), tuple(placed), len(box.rows) - len(rows))


def _routes(ways: Sequence[Way], cells: Mapping[str, tuple[int, int]]) -> list[_Route]:
    used: dict[tuple[str, int], int] = {}

    def lane(kind: str, number: int) -> int:
        used[kind, number] = used.get((kind, number), -1) + 1
        return used[kind, number] % (_LANES + 1)

    routes = []
    for way in ways:
        (line, column), (line_to, column_to) = cells[way.origin.host], cells[way.destination.host]
        first = column if column_to < column else column + 1
        last = column_to if column_to > column else column_to + 1
        out = lane("gutter", first)
        if first == last:
            routes.append(_Route(way, first, out, -1, 0, last, out))
        else:
            channel = line_to if line_to > line else line_to + 1
            routes.append(_Route(way, first, out, channel, lane("channel", channel), last, lane("gutter", last)))
    return routes


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Where gutters and channels begin, and every row."""

    gutters: Sequence[float]
    channels: Sequence[float]
    rows: Mapping[Place, RowAt]

    def gutter(self, number: int, lane: int) -> float:
        return self.gutters[number] + _MARGIN + _LANE * lane

    def channel(self, number: int, lane: int) -> float:
        return self.channels[number] + _MARGIN + _LANE * lane


def _arrow(route: _Route, sheet: _Sheet) -> Arrow:
    """Leaves a row a little above its middle and arrives a little below, so that two who change places do not meet."""
    origin, end = sheet.rows[route.way.origin], sheet.rows[route.way.destination]
    out = sheet.gutter(route.first, route.lane)
    back = sheet.gutter(route.last, route.lane_back)
    start = origin.x + origin.width if out > origin.x else origin.x
    stop = end.x + end.width if back > end.x else end.x
    y1, y2 = origin.y + origin.height / 2 - 7, end.y + end.height / 2 + 7
    points = [(start, y1), (out, y1)]
    if route.channel >= 0:
        level = sheet.channel(route.channel, route.level)
        points += [(out, level), (back, level)]
    points += [(back, y2), (stop, y2)]
    return Arrow(route.way, _path(points), start + (14 if out > start else -14), y1)


def _path(points: Sequence[tuple[float, float]]) -> str:
    """A line with rounded corners."""
    said = [f"M{points[0][0]:g} {points[0][1]:g}"]
    for (x0, y0), (x, y), (x1, y1) in zip(points, points[1:], points[2:], strict=False):
        before, behind = _towards(x, y, x0, y0), _towards(x, y, x1, y1)
        said.append(f"L{before[0]:g} {before[1]:g} Q{x:g} {y:g} {behind[0]:g} {behind[1]:g}")
    return " ".join([*said, f"L{points[-1][0]:g} {points[-1][1]:g}"])


def _towards(x: float, y: float, to_x: float, to_y: float) -> tuple[float, float]:
    """At most 8 from (x, y) on the way to the other point, and never beyond its middle."""
    length = abs(to_x - x) + abs(to_y - y)
    share = min(8.0, length / 2) / length if length else 0.0
    return x + (to_x - x) * share, y + (to_y - y) * share
