"""Making room: an item that fits nowhere displaces others, those that move anyway first, down to a few steps.

Works on a Board and leaves it as it was where it does not succeed.
"""

from dataclasses import dataclass

import numpy as np

from reconciler.placement.board import Board
from reconciler.placement.cover import Row, least
from reconciler.placement.fill import TASTES, best, order
from reconciler.placement.fleet import Bools

TRIES = 150
"""Displacements tried for one item; what is not found by then is taken as not to be had."""
WIDTH = (24, 8, 4)
"""Hosts tried at each depth."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One host that would take the item if `out` left it, which moves `weight` MiB more than before."""

    weight: int
    slack: int
    host: int
    out: tuple[int, ...]


def settle(board: Board, items: list[int], depth: int = 3) -> list[int]:
    """Place the items by displacing others; those that even so fit nowhere."""
    left = []
    for item in items:
        board.most_tries = board.tries + TRIES
        host = best(board, item, TASTES[0])
        if host >= 0:
            board.put(item, host)
        elif squeeze(board, item, depth, frozenset()) is None:
            left.append(item)
    return left


def squeeze(
    board: Board, item: int, depth: int, banned: frozenset[int], only: int = -1, ceiling: int = 1 << 60
) -> int | None:
    """Put the item on a host that others leave; MiB newly moved by that, or None with the board as it was.

    `only` asks for that host, `ceiling` for less than so much.
    """
    board.tries += 1
    price, choice = ceiling, None
    for way in _ways(board, item, depth, banned, only):
        if way.weight >= price or board.tries > board.most_tries:
            break
        mark = board.mark()
        more = _walk(board, item, way, depth, (banned, price - way.weight))
        if more is not None and way.weight + more < price:
            price, choice = way.weight + more, board.log[mark:]
        board.undo(mark)
    if choice is None:
        return None
    for moved, _, host in choice:
        board.put(moved, host)
    return price


def _walk(board: Board, item: int, way: _Way, depth: int, within: tuple[frozenset[int], int]) -> int | None:
    """Displace, arrive, and place the displaced; what their own displacing moves besides."""
    banned, ceiling = within[0] | {way.host}, within[1]
    for other in way.out:
        board.put(other, -1)
    board.put(item, way.host)
    total = 0
    for other in order(board, list(way.out)):
        host = best(board, other, TASTES[1], banned)
        if host >= 0:
            board.put(other, host)
            continue
        more = squeeze(board, other, depth - 1, banned, ceiling=ceiling - total) if depth > 1 else None
        if more is None:
            return None
        total += more
    return total


def _ways(board: Board, item: int, depth: int, banned: frozenset[int], only: int) -> list[_Way]:
    """Hosts that could take it if the least left, cheapest first."""
    memory, vcpus = board.need[item]
    mask = _reach(board, item)
    for host in banned:
        mask[host] = False
    if only >= 0:
        hosts = [only] if mask[only] else []
    else:
        places = np.flatnonzero(mask)
        short = np.maximum(memory - board.free[0, places], 0) + np.maximum(vcpus - board.free[1, places], 0) * 1024
        hosts = places[np.argsort(short, kind="stable")[: WIDTH[-depth]]].tolist()
    found = [way for host in hosts if (way := _way(board, item, host)) is not None]
    return sorted(found, key=lambda way: (way.weight, way.slack, way.host))


def _reach(board: Board, item: int) -> Bools:
    """Hosts of its reach; domains that a group fills are left out where they span hosts."""
    mask: Bools = board.fleet.mask[board.cls[item]] & board.arrivals
    for number in board.fleet.of.get(item, ()):
        group = board.fleet.groups[number]
        if group.wide:
            for domain, count in board.counts[number].items():
                if count and count + group.times.get(item, 1) > group.most:
                    mask &= group.domain != domain
    return mask


def _way(board: Board, item: int, host: int) -> _Way | None:
    """Who must leave the host so that the item fits, least newly moved memory first; None when it cannot be."""
    others = [other for other in board.movable(host) if other != item]
    rows: list[Row] = []
    for r in range(2):
        rows.append(([board.need[o][r] for o in others], board.need[item][r] - int(board.free[r, host])))
    for number in board.fleet.of.get(item, ()):
        group = board.fleet.groups[number]
        if not group.wide:
            over = board.counts[number].get(host, 0) + group.times.get(item, 1) - group.most
            rows.append(([group.times.get(o, 1) if o in group.members else 0 for o in others], over))
    homes = board.homes
    weights = [(board.need[o][0] << 8) + 1 if homes[o] == host else 1 for o in others]
    found = least(weights, rows, 400)
    if found is None:
        return None
    out = tuple(others[j] for j in found.chosen)
    size = sum(board.need[o][0] for o in out)
    return _Way(sum(board.need[o][0] for o in out if homes[o] == host), size, host, out)
