"""Fewer bytes with the same end: those who were only displaced go home where others can be put elsewhere for nothing.

Never leaves a board worse than it was; where ortools is installed, all hosts are packed anew by patterns, or a few at a
time solved exactly.
"""

from collections.abc import Sequence

from reconciler.placement.board import Board
from reconciler.placement.chains import squeeze
from reconciler.placement.neighbourhoods import neighbourhoods
from reconciler.placement.packing import Repacked, repacked
from reconciler.placement.problem import Effort

ROUNDS = 3
CLOSE = 1.01
"""Nearer to the bound than this nothing is solved exactly."""


def polish(board: Board, lost: list[int], leaving: Sequence[int], bound: int, effort: Effort) -> Repacked:
    """This board or a better one; the bound is 0 where no more is proven than before.

    A board that loses someone is left as it is, unless one is found that does not.
    """
    if not lost:
        _homeward(board, bound)
    if effort.polish <= 0 or (not lost and board.moved() <= bound * CLOSE):
        return Repacked(board, lost, 0, effort.polish)
    found = repacked(board, lost, leaving, effort.polish)
    if found.lost:
        return found
    most = max(bound, found.bound)
    _homeward(found.board, most)
    if found.board.moved() > most * CLOSE:
        neighbourhoods(found.board, displaced(found.board), most, found.work)
    return found


def _homeward(board: Board, bound: int) -> None:
    """Until the bound is reached or a round finds nothing."""
    for _ in range(ROUNDS):
        if board.moved() <= bound or not homeward(board):
            break


def displaced(board: Board) -> list[int]:
    """Items that could have stayed, largest first."""
    forced = board.fleet.forced()
    away = [i for i, h in enumerate(board.where) if h >= 0 and board.homes[i] >= 0 and h != board.homes[i]]
    return sorted((item for item in away if not forced[item]), key=lambda item: (-board.need[item][0], item))


def homeward(board: Board) -> int:
    """MiB saved by sending displaced items home, where that moves less than they do."""
    saved = 0
    for item in displaced(board):
        away, home, mark = board.where[item], board.homes[item], board.mark()
        board.put(item, -1)
        if board.fits(item)[home]:
            board.put(item, home)
            saved += board.need[item][0]
            continue
        price = squeeze(board, item, 2, frozenset(), only=home, ceiling=board.need[item][0])
        if price is None:
            board.undo(mark)
            assert board.where[item] == away  # noqa: S101 - undo is exact
        else:
            saved += board.need[item][0] - price
    return saved
