"""Where everyone ends: who must leave leaves, then a few tastes of filling are tried, with chains where it is tight.

Chooses targets only; in which order they are reached is `order`'s.
"""

from dataclasses import dataclass

import numpy as np

from reconciler.placement.board import Board
from reconciler.placement.bounds import Bounds, crowded
from reconciler.placement.chains import settle
from reconciler.placement.evict import Eviction, evict
from reconciler.placement.fill import TASTES, fill
from reconciler.placement.fleet import Fleet
from reconciler.placement.polish import polish
from reconciler.placement.problem import Effort


@dataclass(frozen=True, slots=True)
class Aim:
    """The board with everyone on their target; `lost`: items that fit nowhere; what is proven about moved memory."""

    board: Board
    lost: tuple[int, ...]
    bounds: Bounds


def aim(fleet: Fleet, effort: Effort) -> Aim:
    """The best of the tastes; stops at the first that is proven to be the least."""
    leaving, proven = evict(fleet), evict(fleet, wide=True)
    bounds = Bounds(proven.bound, crowded(fleet, proven))
    best: tuple[tuple[int, int], Board, list[int]] | None = None
    for taste in TASTES:
        board, lost = _placed(fleet, leaving, taste)
        rank = (len(lost), board.moved())
        if best is None or rank < best[0]:
            best = (rank, board, lost)
        if best[0] <= (0, bounds.best):
            break
    assert best is not None  # noqa: S101 - TASTES is not empty
    (_, moved), board, lost = best
    if not lost and moved > bounds.best:
        polish(board, bounds.best, effort)
    return Aim(board, tuple(lost), bounds)


def _placed(fleet: Fleet, leaving: Eviction, taste: tuple[str, ...]) -> tuple[Board, list[int]]:
    board = Board(fleet, list(leaving.items))
    coming = [*leaving.items, *np.flatnonzero(fleet.home < 0).tolist()]
    return board, settle(board, fill(board, coming, taste))
