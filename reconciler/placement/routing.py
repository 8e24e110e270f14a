"""Whole classes at once: where the hosts of some classes run full, who makes way for those who can go nowhere else.

A small linear program over classes and sorts of hosts, by ortools where it is installed; says who leaves, not where to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reconciler.placement.fleet import Bools, Fleet, Ints

MOST = 64
"""With more classes than these, such as one for every host that guests are told to go to, none is looked at whole."""
NOWHERE = 1000
"""How much heavier a MiB counts that finds no room at all than one that leaves."""


@dataclass(frozen=True, slots=True)
class Masses:
    """MiB by class and by sort of host: hosts that the same classes may come to.

    `sort` of each host; `able`, class x sort: may it come there? `room` of each sort without what never leaves it;
    `stays`, class x sort, may stay or leave; `comes`, by class, has to be put somewhere.
    """

    sort: Ints
    able: Bools
    room: Ints
    stays: Ints
    comes: Ints


def masses(fleet: Fleet, leaving: Sequence[int], wide: bool = False) -> Masses:
    """With `wide`, what every plan is bound to: no choice of a domain, and sticky guests may leave."""
    mask, cls = (fleet.wide_mask, fleet.wide_cls) if wide else (fleet.mask, fleet.cls)
    closed = np.array([host.closed for host in fleet.hosts], dtype=np.bool_)
    able, sort = _sorts(mask & ~closed)
    room, stays = np.zeros(able.shape[1], dtype=np.int64), np.zeros(able.shape, dtype=np.int64)
    comes = np.zeros(len(able), dtype=np.int64)
    gone = fleet.home < 0
    gone[list(leaving)] = True
    kept = ~gone & (fleet.fixed if wide else fleet.fixed | fleet.soft)
    may = ~gone & ~kept
    np.add.at(room, sort, _left(fleet, kept, may))
    np.add.at(stays, (cls[may], sort[fleet.home[may]]), fleet.need[0, may])
    np.add.at(comes, cls[gone], fleet.need[0, gone])
    return Masses(sort, able, room, stays, comes)


def _sorts(able: Bools) -> tuple[Bools, Ints]:
    """The columns that differ, ascending, and which of them each column is; for at most 64 rows."""
    code = np.zeros(able.shape[1], dtype=np.uint64)
    for row in able:
        code = code << 1 | row
    _, first, sort = np.unique(code, return_index=True, return_inverse=True)
    return able[:, first], sort


def _left(fleet: Fleet, kept: Bools, may: Bools) -> Ints:
    """Room of each host without what never leaves it; where that alone is too much, just what is there besides.

    Such a host stays too full whoever leaves, so nobody has to, and it is no other host's debt.
    """
    left, besides = fleet.room[0].copy(), np.zeros(len(fleet.hosts), dtype=np.int64)
    np.subtract.at(left, fleet.home[kept], fleet.need[0, kept])
    np.add.at(besides, fleet.home[may], fleet.need[0, may])
    return np.where(left < 0, besides, left)


def full(found: Masses, share: float) -> bool:
    """Would those who can be nowhere else, and those who are there, take more than that share of a class' hosts?"""
    for hosts in found.able:
        within = ~(found.able & ~hosts).any(axis=1)
        taken = found.comes[within].sum() + found.stays[:, hosts].sum()
        if taken > found.room[hosts].sum() * share:
            return True
    return False


def least(found: Masses, share: float) -> tuple[Ints, bool] | None:
    """MiB that leave so that the most find room in that share of each sort, class x sort; and do all find room?

    None where ortools is not installed.
    """
    try:
        from ortools.linear_solver import pywraplp
    except ImportError:
        return None
    solver: Any = pywraplp.Solver.CreateSolver("GLOP")
    classes, sorts = found.stays.shape
    leave = {(c, s): solver.NumVar(0, int(found.stays[c, s]), "") for c, s in _pairs(found.stays)}
    come = {(c, s): solver.NumVar(0, solver.infinity(), "") for c, s in _pairs(found.able)}
    lost = [solver.NumVar(0, solver.infinity(), "") for _ in range(classes)]
    for c in range(classes):
        put = [variable for (cls, _), variable in come.items() if cls == c]
        left = [variable for (cls, _), variable in leave.items() if cls == c]
        solver.Add(sum(put) + lost[c] - sum(left) == int(found.comes[c]))
    for s in range(sorts):
        put = [variable for (_, sort), variable in come.items() if sort == s]
        left = [variable for (_, sort), variable in leave.items() if sort == s]
        if put:
            solver.Add(sum(put) - sum(left) <= int(found.room[s] * share) - int(found.stays[:, s].sum()))
    solver.Minimize(sum(leave.values()) + NOWHERE * sum(lost))
    if solver.Solve() != solver.OPTIMAL:
        return None
    amounts = np.zeros(found.stays.shape, dtype=np.int64)
    for place, variable in leave.items():
        amounts[place] = int(variable.solution_value())
    return amounts, sum(variable.solution_value() for variable in lost) < 1


def making_way(fleet: Fleet, found: Masses, leaving: Sequence[int], share: float) -> tuple[list[int], bool]:
    """Who leaves besides, so that each class finds room in that share of its hosts; and does each class find it?

    Nobody where none runs full. From as few hosts as will do, so that what gets free there is free in one piece.
    `found` are the masses with these leaving.
    """
    routed = least(found, share) if full(found, share) else None
    if routed is None:
        return [], True
    chosen: list[int] = []
    gone = set(leaving)
    for c, s in _pairs(routed[0]):
        owed = int(routed[0][c, s])
        for items in _by_host(fleet, (c, np.flatnonzero(found.sort == s).tolist()), gone):
            for item in items:
                if owed > 0:
                    owed -= int(fleet.need[0, item])
                    chosen.append(item)
    return sorted(chosen), routed[1]


def _by_host(fleet: Fleet, where: tuple[int, list[int]], gone: set[int]) -> list[list[int]]:
    """Those of one class who may leave, largest first, by host, the host with most of them first."""
    cls, hosts = where
    movable = (fleet.cls == cls) & ~fleet.fixed & ~fleet.soft
    memory = fleet.need[0].tolist()
    found = [[item for item in fleet.residents[host] if movable[item] and item not in gone] for host in hosts]
    found = [sorted(items, key=lambda item: (-memory[item], item)) for items in found]
    return sorted(found, key=lambda items: -sum(memory[item] for item in items))


def _pairs(table: Ints | Bools) -> list[tuple[int, int]]:
    return [(int(c), int(s)) for c, s in zip(*table.nonzero(), strict=True)]
