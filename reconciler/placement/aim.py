"""Where everyone ends: who must leave leaves, then a few tastes of filling are tried, with chains where it is tight.

Chooses targets only; in which order they are reached is `order`'s.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reconciler.placement.board import Board
from reconciler.placement.bounds import Bounds, crowded, routed
from reconciler.placement.chains import settle
from reconciler.placement.evict import Eviction, evict, same
from reconciler.placement.fill import TASTES, Taste, fill
from reconciler.placement.fleet import Fleet
from reconciler.placement.polish import polish
from reconciler.placement.problem import Effort
from reconciler.placement.routing import MOST, making_way, masses

SHARES = (0.99, 0.98, 0.96)
"""Of the room of a class that runs full: so much is planned to be taken, as no host is filled to the last MiB."""


@dataclass(frozen=True, slots=True)
class Aim:
    """The board with everyone on their target; `lost`: items that fit nowhere; what is proven about moved memory."""

    board: Board
    lost: tuple[int, ...]
    bounds: Bounds


def aim(fleet: Fleet, effort: Effort) -> Aim:
    """The best of the tastes; stops at the first that is proven to be the least."""
    least = evict(fleet, wide=True)
    leaving = least.items if same(fleet) else evict(fleet).items
    bounds = _bounds(fleet, least)
    best: tuple[tuple[int, int], Board, list[int]] | None = None
    for gone, taste, narrow in _tries(fleet, leaving):
        board, lost = _placed(fleet, gone, taste, narrow)
        rank = (len(lost), board.moved())
        if best is None or rank < best[0]:
            best = (rank, board, lost)
        if best[0] <= (0, bounds.best) or (narrow and not lost):
            break
    assert best is not None  # noqa: S101 - TASTES is not empty
    (_, moved), board, lost = best
    if lost or moved > bounds.best:
        found = polish(board, lost, leaving, bounds.best, effort)
        board, lost, bounds = found.board, found.lost, replace(bounds, packed=found.bound)
    return Aim(board, tuple(lost), bounds)


def proven(fleet: Fleet) -> Bounds:
    """What every plan for this fleet moves at least."""
    return _bounds(fleet, evict(fleet, wide=True))


def _bounds(fleet: Fleet, least: Eviction) -> Bounds:
    return Bounds(least.bound, crowded(fleet, least), routed(fleet, least))


def _tries(fleet: Fleet, leaving: Sequence[int]) -> Iterator[tuple[list[int], Taste, bool]]:
    """Who leaves, a taste, and whether the narrowest go first: those where others make way for a class come first.

    Where even the sums do not fit one try is enough: more would be long in refusing the same.
    """
    found = masses(fleet, leaving) if len(fleet.mask) <= MOST else None
    for share in SHARES:
        way, enough = making_way(fleet, found, leaving, share) if found else ([], True)
        if way:
            yield sorted([*leaving, *way]), TASTES[0], True
            if not enough:
                return
    yield from ((list(leaving), taste, False) for taste in TASTES)


def _placed(fleet: Fleet, gone: list[int], taste: Taste, narrow: bool) -> tuple[Board, list[int]]:
    board = Board(fleet, gone)
    coming = [*gone, *np.flatnonzero(fleet.home < 0).tolist()]
    return board, settle(board, fill(board, coming, taste, narrow))
