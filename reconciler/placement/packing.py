"""The whole fleet as one pattern per host: a bound that knows how guests fill hosts, and a placement near to it.

By ortools, with limits that count work and not time; rules and vCPUs are looked at only when it is put on a board.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reconciler.placement.board import Board
from reconciler.placement.chains import settle
from reconciler.placement.counted import solved
from reconciler.placement.fill import order
from reconciler.placement.fleet import Ints
from reconciler.placement.patterns import Pattern, Patterns

MOST = 200
"""Kinds of guests, at most."""
ROUNDS = 40
"""Rounds of prices, at most; each gives a bound of its own."""
CELLS = 24_000_000
"""Cells of the patterns' tables that are worth one unit of work."""
SHARE = 0.4
"""Of the work, for prices at most, and for choosing at most; the rest is for what comes after."""
USUAL = 16
"""Rounds that are mostly enough: with work for fewer none is begun."""


LOST = 4
"""How much heavier a MiB counts that finds no room than one that leaves."""


@dataclass(frozen=True, slots=True)
class Packing:
    """`bound`: MiB that any plan moves at least, 0 where it is not known. `patterns` to choose from, one per host.

    `least`: MiB that are moved at least by those that leave only for these patterns. `short`: they do not take in all.
    """

    bound: int
    least: int
    short: bool
    patterns: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Repacked:
    """The board, the items that are nowhere on it, MiB that any plan moves (0: not known), and the work left."""

    board: Board
    lost: list[int]
    bound: int
    work: float


def repacked(board: Board, lost: list[int], leaving: Sequence[int], work: float) -> Repacked:
    """This board, or one by patterns where that loses nobody, and fewer than before or moves less."""
    fleet, patterns = board.fleet, Patterns(board.fleet, leaving)
    a_round, hint = patterns.cells / CELLS, of_board(patterns, board)
    if len(patterns.size) > MOST or (fleet.home == -2).any() or a_round * USUAL > work * SHARE:
        return Repacked(board, lost, 0, work)
    found = packing(patterns, hint, min(ROUNDS, int(work * SHARE / max(a_round, 1e-6))))
    if found is None or found.short or (not lost and board.moved() <= found.bound):
        return Repacked(board, lost, found.bound if found and not lost else 0, work)
    chosen, used = choose(patterns, found, hint, work * SHARE)
    work = max(0.0, work * (1 - SHARE) - used)
    other, left = placed(patterns, chosen)
    if not left and (lost or other.moved() < board.moved()):
        board, lost = other, left
    return Repacked(board, lost, 0 if lost else found.bound, work)


def packing(patterns: Patterns, first: list[Pattern], rounds: int) -> Packing | None:
    """Prices for room until no host has a better pattern; begins with the patterns of a board. None without ortools."""
    try:
        from ortools.linear_solver import pywraplp
    except ImportError:
        return None
    master = _Master(pywraplp, patterns)
    known: dict[Pattern, None] = {}
    fresh, bound, least = first, 0, 0.0
    for _ in range(rounds):
        master.add(fresh)
        known |= dict.fromkeys(fresh)
        price, least = master.prices()
        gains, found = patterns.best(price)
        bound = max(bound, int((price * patterns.wanted).sum() - gains.sum()))
        fresh = [one for one in found if one not in known]
        if not fresh or bound >= least - 0.5:
            break
    leaving = int(patterns.fleet.need[0, list(patterns.leaving)].sum())
    proven = leaving + bound if patterns.sure else 0
    return Packing(proven, max(0, int(least - 0.5)), master.short(), tuple(known))


class _Master:
    """The linear program: each kind is taken in as often as it has to leave, each host has one pattern at most."""

    def __init__(self, pywraplp: Any, patterns: Patterns) -> None:
        self.solver = pywraplp.Solver.CreateSolver("GLOP")
        infinity = self.solver.infinity()
        self.goal = self.solver.Objective()
        self.goal.SetMinimization()
        self.kinds = [self.solver.Constraint(int(wanted), infinity) for wanted in patterns.wanted]
        self.hosts = [self.solver.Constraint(-infinity, 1) for _ in patterns.free]
        self.lost: list[Any] = []
        for kind, row in enumerate(self.kinds):
            lost = self.solver.NumVar(0, infinity, "")
            row.SetCoefficient(lost, 1)
            self.goal.SetCoefficient(lost, LOST * int(patterns.size[kind] + 1) * patterns.unit)
            self.lost.append(lost)
        self.some = patterns.size > 0

    def add(self, found: list[Pattern]) -> None:
        infinity = self.solver.infinity()
        for one in found:
            column = self.solver.NumVar(0, infinity, "")
            self.hosts[one.host].SetCoefficient(column, 1)
            self.goal.SetCoefficient(column, one.cost)
            for kind, count in one.net:
                self.kinds[kind].SetCoefficient(column, count)

    def prices(self) -> tuple[Ints, float]:
        """Whole MiB per guest of each kind, and what is moved beside the forced at least with the patterns so far.

        Any prices give a bound, so rounding costs a little and breaks nothing; guests below a step come for nothing.
        """
        self.solver.Solve()
        price = np.array([max(0, round(row.dual_value())) for row in self.kinds], dtype=np.int64)
        return np.where(self.some, price, 0), float(self.goal.Value())

    def short(self) -> bool:
        """Is there one at least that no pattern takes in? Guests below a step are left out, as they are everywhere."""
        lost = sum(one.solution_value() for one, some in zip(self.lost, self.some, strict=True) if some)
        return bool(lost > 0.5)


def of_board(patterns: Patterns, board: Board) -> list[Pattern]:
    """What a board does, host by host."""
    out: dict[int, list[int]] = defaultdict(list)
    into: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    leaves = set(patterns.here[patterns.here >= 0].tolist())
    for item, host in enumerate(board.where):
        if host < 0 or host == board.homes[item]:
            continue
        if item in leaves:
            out[board.homes[item]].append(item)
        into[host][int(patterns.kind[item])] += 1
    return [patterns.made(host, out[host], dict(into[host])) for host in sorted({*out, *into})]


def choose(patterns: Patterns, found: Packing, hint: list[Pattern], work: float) -> tuple[list[Pattern], float]:
    """One pattern at most for each host, the least memory in all; the hint when nothing was found; the work it took."""
    from ortools.sat.python import cp_model

    model, hinted = cp_model.CpModel(), set(hint)
    take = [model.new_bool_var("") for _ in found.patterns]
    hosts: dict[int, list[Any]] = defaultdict(list)
    terms: dict[int, list[Any]] = defaultdict(list)
    for one, variable in zip(found.patterns, take, strict=True):
        model.add_hint(variable, one in hinted)
        hosts[one.host].append(variable)
        for kind, count in one.net:
            terms[kind].append(count * variable)
    for variables in hosts.values():
        model.add_at_most_one(variables)
    for kind, wanted in enumerate(patterns.wanted.tolist()):
        if patterns.size[kind] and (wanted or terms[kind]):
            model.add(sum(terms[kind]) >= wanted)
    cost = sum(one.cost * variable for one, variable in zip(found.patterns, take, strict=True))
    model.add(cost >= found.least)
    model.minimize(cost)
    solver, used = solved(cp_model, model, work)
    if solver is None:
        return hint, used
    return [one for one, variable in zip(found.patterns, take, strict=True) if solver.value(variable)], used


def placed(patterns: Patterns, chosen: list[Pattern]) -> tuple[Board, list[int]]:
    """A board with these patterns on it, as far as rules and vCPUs allow; and the items that fit nowhere."""
    fleet = patterns.fleet
    out = {item for one in chosen for item in one.out if not fleet.soft[item]}
    gone = sorted({*patterns.leaving, *out})
    board = Board(fleet, gone)
    slots: dict[int, dict[int, int]] = defaultdict(dict)
    for one in chosen:
        for kind, count in one.into:
            slots[kind][one.host] = count
    left = []
    for item in order(board, [*gone, *np.flatnonzero(fleet.home < 0).tolist()]):
        open_slots, fits = slots[int(patterns.kind[item])], board.fits(item)
        able = [host for host, count in open_slots.items() if count and fits[host]]
        if able:
            host = min(able, key=lambda h: (board.direct[0, h] < board.need[item][0], board.inbound[h], h))
            open_slots[host] -= 1
            board.put(item, host)
        else:
            left.append(item)
    return board, settle(board, left)
