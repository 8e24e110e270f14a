"""A few hosts at a time solved exactly: everyone on them may be anywhere on them, the least memory away from home.

By CP-SAT, where ortools is installed; deterministic, with a limit that counts work and not time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reconciler.placement.board import Board
from reconciler.placement.counted import solved

SIZE = 8
SHARE = 0.12
"""Work for one neighbourhood, of what is allowed in all at 1.0."""


def neighbourhoods(board: Board, items: list[int], bound: int, work: float) -> int:
    """Around each of the displaced items, until `work` is used up or the bound is reached; MiB saved."""
    try:
        from ortools.sat.python import cp_model
    except ImportError:
        return 0
    saved, before = 0, board.moved()
    for item in items:
        if work <= 0 or before - saved <= bound:
            break
        if board.where[item] == board.homes[item]:
            continue
        gain, used = _solve(cp_model, board, _hosts(board, item), min(SHARE, work))
        saved += gain
        work -= used + 0.01
    return saved


def _hosts(board: Board, item: int) -> list[int]:
    """Its home, where it is, and the roomiest and some more hosts that can run it."""
    fleet, home, away = board.fleet, board.homes[item], board.where[item]
    able = np.flatnonzero(fleet.mask[board.cls[item]] & board.arrivals)
    ranked = able[np.argsort(-board.free[0, able], kind="stable")].tolist()
    start = item % max(1, len(ranked))
    chosen = dict.fromkeys([home, away, *ranked[: SIZE // 2], *ranked[start : start + SIZE]])
    return sorted(list(chosen)[:SIZE])


def _solve(cp_model: Any, board: Board, hosts: list[int], work: float) -> tuple[int, float]:
    """The best of this neighbourhood on the board; MiB saved, and the work it took."""
    fleet, model = board.fleet, cp_model.CpModel()
    items = sorted(i for host in hosts for i in board.residents[host] if not fleet.fixed[i])
    places: dict[tuple[int, int], Any] = {}
    cost = []
    for i in items:
        able = [h for h in hosts if fleet.mask[board.cls[i], h] and (board.arrivals[h] or h == board.homes[i])]
        if fleet.soft[i] and board.where[i] == board.homes[i]:
            able = [board.where[i]]
        for h in {*able, board.where[i]}:
            places[i, h] = model.new_bool_var("")
            if h == board.where[i]:
                model.add_hint(places[i, h], 1)
            weight = 0 if h == board.homes[i] else board.need[i][0] if board.homes[i] >= 0 else fleet.moves(i, h)
            cost.append((weight * 8 + (h != board.where[i])) * places[i, h])
        model.add_exactly_one(places[i, h] for h in hosts if (i, h) in places)
    for h in hosts:
        for r in range(2):
            here = [i for i in items if (i, h) in places]
            room = int(board.free[r, h]) + sum(board.need[i][r] for i in board.residents[h] if not fleet.fixed[i])
            model.add(sum(board.need[i][r] * places[i, h] for i in here) <= room)
    _rules(model, board, (items, hosts), places)
    model.minimize(sum(cost))
    solver, used = solved(cp_model, model, work)
    if solver is None:
        return 0, used
    goal = {i: h for (i, h), place in sorted(places.items()) if solver.value(place)}
    return _take(board, goal), used


def _take(board: Board, goal: dict[int, int]) -> int:
    """Put everyone there if that moves less than before."""
    before, mark = _away(board, goal), board.mark()
    changed = [i for i, h in goal.items() if board.where[i] != h]
    for i in changed:
        board.put(i, -1)
    for i in changed:
        board.put(i, goal[i])
    gain = before - _away(board, goal)
    if gain <= 0:
        board.undo(mark)
        return 0
    return gain


def _away(board: Board, items: dict[int, int]) -> int:
    return sum(
        board.need[i][0] if board.homes[i] >= 0 else board.fleet.moves(i, board.where[i])
        for i in items
        if board.where[i] != board.homes[i]
    )


def _rules(model: Any, board: Board, within: tuple[list[int], list[int]], places: dict[tuple[int, int], Any]) -> None:
    """Groups with a member here: no more in a domain than are allowed besides those who are not asked."""
    items, hosts = within
    for number in sorted({number for i in items for number in board.fleet.of.get(i, ())}):
        group = board.fleet.groups[number]
        members = [i for i in group.members if i in set(items)]
        inside: dict[int, list[Any]] = {}
        here = dict(board.counts[number])
        for i in members:
            times = group.times.get(i, 1)
            here[int(group.domain[board.where[i]])] -= times
            for h in hosts:
                if (i, h) in places:
                    inside.setdefault(int(group.domain[h]), []).append(times * places[i, h])
        for domain, terms in inside.items():
            others = here.get(domain, 0)
            if others + len(terms) > group.most or group.times:
                model.add(sum(terms) <= max(group.most - others, _now(board, number, domain) - others))


def _now(board: Board, number: int, domain: int) -> int:
    """A domain that holds too many already may keep them."""
    return board.counts[number].get(domain, 0)
