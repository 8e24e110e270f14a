"""Where those who leave go: largest first, to the host that suits best by one of a few tastes.

Puts items only where they fit as things are; making room is `chains`'s.
"""

import numpy as np

from reconciler.placement.board import Board
from reconciler.placement.fleet import Ints

Taste = tuple[str, ...]
TASTES: tuple[Taste, ...] = (("direct", "calm", "tight"), ("direct", "tight"), ("tight",))
CALM = 1024
"""Arrivals on a host count in steps of so many MiB."""


def order(board: Board, items: list[int], narrow: bool = False) -> list[int]:
    """Higher priority first, then the larger share of a middle host, then by name; `narrow`: few hosts before size."""
    fleet = board.fleet
    mean = np.maximum(fleet.room.mean(axis=1), 1)
    size = (fleet.need / mean[:, None]).max(axis=0)
    choice = fleet.mask.sum(axis=1)
    few = (choice if narrow else choice != 1).tolist()
    rank = {item: max(fleet.guests[guest].priority for guest in fleet.items[item]) for item in items}
    return sorted(items, key=lambda item: (-rank[item], few[fleet.cls[item]], -size[item], item))


def fill(board: Board, items: list[int], taste: Taste, narrow: bool = False) -> list[int]:
    """Place what fits; the items that fit nowhere as things are, in order."""
    left = []
    for item in order(board, items, narrow):
        host = best(board, item, taste)
        if host < 0:
            left.append(item)
        else:
            board.put(item, host)
    return left


def best(board: Board, item: int, taste: Taste, banned: frozenset[int] = frozenset()) -> int:
    """The host that suits best, ties by name; -1 for none. A host that keeps more of it in place always wins."""
    fits = board.fits(item)
    for host in banned:
        fits[host] = False
    places = np.flatnonzero(fits)
    if not len(places):
        return -1
    home = board.homes[item]
    if home >= 0 and fits[home]:
        return home
    if home == -2:
        pieces = board.fleet.pieces(item)
        kept = [(-pieces[host], host) for host in sorted(pieces) if fits[host]]
        if kept:
            return min(kept)[1]
    return int(places[_score(board, item, places, taste).argmin()])


def _score(board: Board, item: int, places: Ints, taste: Taste) -> Ints:
    memory, vcpus = board.need[item]
    score: Ints = board.free[0, places] - memory
    if "calm" in taste:
        score = score + (board.inbound[places] // CALM << 40)
    if "direct" in taste:
        score = score + ((board.direct[0, places] < memory) | (board.direct[1, places] < vcpus)) * (1 << 60)
    return score
