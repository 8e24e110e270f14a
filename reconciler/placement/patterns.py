"""What a host may do as a pattern: who leaves it, and how many of each kind come; the best at given prices.

Looks at memory and reach only, never at rules or vCPUs, and rounds so that no real plan is left out; makes no prices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

import numpy as np

from reconciler.placement.fleet import Bools, Fleet, Ints

STATES = 512
"""Steps of room on the largest host, at most; where memory comes in even sizes there are far fewer."""
NEVER = -(1 << 50)


@dataclass(frozen=True, slots=True)
class Pattern:
    """On one host: items that leave, how many come by kind, what leaves less what comes in `net`, MiB newly moved."""

    host: int
    out: tuple[int, ...]
    into: tuple[tuple[int, int], ...]
    net: tuple[tuple[int, int], ...]
    cost: int


class Patterns:
    """`kind` of each item: its reach and its size. `wanted`: how many of each kind have to be put somewhere.

    `leaving`: who leaves whatever others do. `sure`: no plan can keep them, so that prices prove a bound.
    """

    def __init__(self, fleet: Fleet, leaving: Sequence[int]) -> None:
        self.fleet, self.leaving = fleet, tuple(leaving)
        gone = np.isin(np.arange(len(fleet.items)), self.leaving)
        self.sure = not (gone & ~fleet.forced(wide=True)).any()
        memory, comes = fleet.need[0], gone | (fleet.home < 0)
        even = gcd(*memory[comes | ~fleet.fixed].tolist(), 0)
        self.unit = max(even, -(-int(fleet.room[0].max(initial=1)) // STATES), 1)
        kinds, kind = np.unique(np.stack([fleet.wide_cls, memory // self.unit], axis=1), axis=0, return_inverse=True)
        self.kind: Ints = kind.reshape(-1)
        self.cls, self.size = kinds[:, 0], kinds[:, 1]
        self.wanted = np.bincount(self.kind[comes], minlength=len(kinds))
        closed = np.array([host.closed for host in fleet.hosts], dtype=np.bool_)
        self.able, sort = np.unique(fleet.wide_mask & ~closed, axis=1, return_inverse=True)
        self.sort: Ints = sort.reshape(-1)
        self._homes(~comes & ~fleet.fixed, self.unit == even)

    def _homes(self, leaves: Bools, even: bool) -> None:
        """Those who may leave each host, padded with -1, and the room on it beside all that stay if nobody does.

        Broken steps of room are lost where all memory is `even`, else they count as whole ones.
        """
        fleet = self.fleet
        here = [[i for i in items if leaves[i]] for items in fleet.residents]
        widest = max(map(len, here), default=0)
        self.here = np.array([[*items, *[-1] * (widest - len(items))] for items in here], dtype=np.int64)
        load = np.zeros(len(fleet.hosts), dtype=np.int64)
        stays = (fleet.home >= 0) & (leaves | fleet.fixed)
        stays[list(self.leaving)] = False
        np.add.at(load, fleet.home[stays], fleet.need[0][stays])
        self.cost: Ints = np.where(self.here >= 0, fleet.need[0][self.here], 0)
        self.steps: Ints = -(-self.cost // self.unit)
        left = np.maximum(fleet.room[0] - load, 0)
        self.free: Ints = left // self.unit if even else -(-left // self.unit)
        self.states = int((self.free + self.steps.sum(axis=1)).max(initial=0)) + 1
        self.cells = self.states * self.here.size

    def best(self, price: Ints) -> tuple[Ints, list[Pattern]]:
        """What each host gains at most at these prices by kind, and the patterns of those that gain."""
        arrive, picks = self._arrivals(price)
        value, taken = self._departures(price)
        after = np.minimum(self.free[:, None] + np.arange(self.states)[None, :], self.states - 1)
        total = value + arrive[self.sort[:, None], after]
        chosen = total.argmax(axis=1)
        gains = total[np.arange(len(chosen)), chosen]
        return gains, [
            self._pattern(host, int(chosen[host]), taken, picks) for host in np.flatnonzero(gains > 0).tolist()
        ]

    def _departures(self, price: Ints) -> tuple[Ints, list[Bools]]:
        """By host and steps freed: the least that it costs as a negative; and by place who leaves for it."""
        value = np.full((len(self.free), self.states), NEVER, dtype=np.int64)
        value[:, 0] = 0
        taken = []
        rows, room = np.arange(len(self.free))[:, None], np.arange(self.states)[None, :]
        for place in range(self.here.shape[1]):
            item = self.here[:, place]
            worth = np.where(item >= 0, -self.cost[:, place] - price[self.kind[item]], NEVER)
            before = room - self.steps[:, place][:, None]
            leaves = np.where(before >= 0, value[rows, np.maximum(before, 0)], NEVER) + worth[:, None]
            better = leaves > value
            value = np.where(better, leaves, value)
            taken.append(better)
        return value, taken

    def _arrivals(self, price: Ints) -> tuple[Ints, Ints]:
        """By sort of host and room: the most that can come in, and the kind to take first (-1: leave a step free)."""
        sorts = self.able.shape[1]
        value = np.zeros((sorts, self.states), dtype=np.int64)
        picks = np.full((sorts, self.states), -1, dtype=np.int64)
        for sort in range(sorts):
            kinds = [k for k in np.flatnonzero(price > 0).tolist() if self.able[self.cls[k], sort]]
            offers = [(k, int(self.size[k]), int(price[k])) for k in kinds]
            best, pick = [0] * self.states, [-1] * self.states
            for room in range(1, self.states):
                best[room] = best[room - 1]
                for k, size, worth in offers:
                    if 0 < size <= room and best[room - size] + worth > best[room]:
                        best[room], pick[room] = best[room - size] + worth, k
            value[sort], picks[sort] = best, pick
        return value, picks

    def _pattern(self, host: int, room: int, taken: list[Bools], picks: Ints) -> Pattern:
        """Read back who leaves and who comes."""
        out, left = [], room
        for place in range(len(taken) - 1, -1, -1):
            if taken[place][host, left]:
                out.append(int(self.here[host, place]))
                left -= int(self.steps[host, place])
        into: dict[int, int] = {}
        left, pick = min(int(self.free[host]) + room, self.states - 1), picks[self.sort[host]]
        while left > 0:
            k = int(pick[left])
            if k < 0:
                left -= 1
            else:
                into[k] = into.get(k, 0) + 1
                left -= int(self.size[k])
        return self.made(host, sorted(out), into)

    def made(self, host: int, out: list[int], into: dict[int, int]) -> Pattern:
        net = dict(into)
        for item in out:
            kind = int(self.kind[item])
            net[kind] = net.get(kind, 0) - 1
        cost = int(self.fleet.need[0][out].sum()) if out else 0
        return Pattern(host, tuple(out), tuple(sorted(into.items())), tuple(sorted(net.items())), cost)
