"""What any plan must at least move, and how long these moves take at least; every bound holds for every plan.

Proves, and plans nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from reconciler.placement.durations import OVERHEAD
from reconciler.placement.evict import Eviction
from reconciler.placement.fleet import Fleet, Ints
from reconciler.placement.problem import Limits
from reconciler.placement.routing import MOST, full, least, masses

MOST_SHARES = 50
"""Guests on one host counted singly; beyond, what is left counts at once, which only weakens the bound."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Moved MiB: `evicted` is LB1, `crowded` adds who fits nowhere without others leaving (LB2).

    `routed` adds who makes way where whole classes run full (LB3). `packed` knows how guests fill hosts; it takes
    seconds, so it is 0 where it was not needed.
    """

    evicted: int
    crowded: int
    routed: int
    packed: int = 0

    @property
    def best(self) -> int:
        return max(self.evicted, self.crowded, self.routed, self.packed)


def routed(fleet: Fleet, eviction: Eviction) -> int:
    """LB3: those no host may keep, and the least of all classes that leaves so that these find room.

    Neither how guests fill single hosts nor any rule is looked at. Nothing where no class runs full.
    """
    if len(fleet.wide_mask) > MOST:
        return 0
    found = masses(fleet, eviction.forced, wide=True)
    way = least(found, 1.0) if full(found, 1.0) else None
    if way is None or not way[1]:
        return 0
    return int(fleet.need[0, list(eviction.forced)].sum()) + int(way[0].sum())


def crowded(fleet: Fleet, eviction: Eviction) -> int:
    """LB2: the hosts' own evictions, and what else must make way for forced guests that are larger than any room.

    A host that takes guests of m1, m2, ... MiB with f free after its own eviction must shed at least the sum of each
    m - f. `eviction` must be the wide one.
    """
    load = fleet.load[0]
    owed = np.array(eviction.by_host, dtype=np.int64)
    free = np.maximum(fleet.room[0] - load + owed, 0)
    forced = sorted(eviction.forced)
    if (fleet.home == -2).any():
        return eviction.bound
    most: dict[int, int] = {}
    extra = 0
    for item in forced:
        cls = int(fleet.wide_cls[item])
        if cls not in most:
            most[cls] = int(free[fleet.wide_mask[cls]].max(initial=0))
        if fleet.wide_mask[cls].any() and fleet.home[item] >= 0:
            extra += max(0, int(fleet.need[0, item]) - most[cls])
    return sum(eviction.by_host) + max(extra, shared(fleet, forced, free))


def shared(fleet: Fleet, forced: list[int], free: Ints) -> int:
    """MiB that must make way because the same room serves only once.

    A host with f free that takes k guests of at most m each covers min(f, k x m) of them and sheds the rest, so k
    guests are covered by no more than the k best such shares. Classes that share no host are counted each by itself.
    """
    total = 0
    for items, mask in _islands(fleet, forced):
        sizes = sorted((int(fleet.need[0, item]) for item in items), reverse=True)
        left, shares = free[mask], [np.zeros(0, dtype=np.int64)]
        while len(left) and len(shares) <= MOST_SHARES:
            shares.append(np.minimum(left, sizes[0]))
            left = (left - sizes[0])[left > sizes[0]]
        covered = np.sort(np.concatenate([*shares, left]))[::-1][: len(sizes)]
        covered = np.concatenate([covered, np.zeros(len(sizes) - len(covered), dtype=np.int64)])
        total += max(0, int((np.array(sizes, dtype=np.int64) - covered).cumsum().max()))
    return total


def _islands(fleet: Fleet, forced: list[int]) -> Iterator[tuple[list[int], list[int]]]:
    """Forced items that share hosts, directly or over others, with all their hosts; who has none is left out."""
    island = list(range(len(fleet.hosts)))

    def of(host: int) -> int:
        while island[host] != host:
            island[host] = host = island[island[host]]
        return host

    classes = sorted({int(fleet.wide_cls[item]) for item in forced})
    able = {cls: np.flatnonzero(fleet.wide_mask[cls]).tolist() for cls in classes}
    for hosts in able.values():
        for host in hosts:
            island[of(host)] = of(hosts[0])
    items: dict[int, list[int]] = defaultdict(list)
    for item in forced:
        hosts = able[int(fleet.wide_cls[item])]
        if hosts:
            items[of(hosts[0])].append(item)
    within: dict[int, set[int]] = defaultdict(set)
    for hosts in able.values():
        if hosts:
            within[of(hosts[0])].update(hosts)
    for number, found in items.items():
        yield found, sorted(within[number])


@dataclass(frozen=True, slots=True)
class Leg:
    """What a bound on time needs of one move: hosts by index (-1: none), MiB, seconds and Mbit/s (0: a start)."""

    source: int
    target: int
    memory: int
    seconds: int
    bandwidth: int


def loose(legs: Sequence[Leg], fleet: Fleet, fastest: Callable[[int, int], int]) -> list[Leg]:
    """Each end of each leg for itself, at the most its own link allows: what holds on any way, over third hosts too.

    `fastest` gives the seconds of the leg by its number at so many Mbit/s.
    """
    found = []
    for number, leg in enumerate(legs):
        for side, host in ((0, leg.source), (1, leg.target)):
            if leg.source >= 0:
                seconds = fastest(number, fleet.hosts[host].link)
                ends = (-1, host) if side else (host, -1)
                found.append(Leg(*ends, leg.memory, seconds, leg.memory * OVERHEAD // seconds))
    return found


def makespan(fleet: Fleet, legs: Sequence[Leg], limits: Limits) -> int:
    """Least seconds for these moves in any order: the busiest link or slot, of one host or shared; the longest move."""
    if not legs:
        return 0
    wire: dict[tuple[int, int], int] = defaultdict(int)
    slot: dict[tuple[int, int], int] = defaultdict(int)
    for leg in legs:
        for side, host in ((0, leg.source), (1, leg.target)):
            if host >= 0 and leg.bandwidth:
                wire[side, host] += leg.seconds * leg.bandwidth
                slot[side, host] += leg.seconds
    least = max(leg.seconds for leg in legs)
    for (side, host), work in sorted(wire.items()):
        least = max(least, -(-work // fleet.hosts[host].link))
        at_a_time = limits.moves_in if side else limits.moves_out
        if at_a_time:
            least = max(least, -(-slot[side, host] // at_a_time))
    if limits.moves:
        least = max(least, -(-sum(leg.seconds for leg in legs) // limits.moves))
    return max(least, _over_links(fleet, legs, limits))


def _over_links(fleet: Fleet, legs: Sequence[Leg], limits: Limits) -> int:
    """The same of links that hosts share; of a leg of which only one end is known nothing is."""
    work = [0] * len(limits.links)
    for leg in legs if work else ():
        if leg.source >= 0 and leg.target >= 0:
            for number in limits.crossed(fleet.hosts[leg.source], fleet.hosts[leg.target]):
                work[number] += leg.seconds
    return max((-(-busy // link.moves) for busy, link in zip(work, limits.links, strict=True)), default=0)
