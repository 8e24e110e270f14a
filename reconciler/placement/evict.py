"""Who must leave: for each host that is too full, at odds with a rule or drained, the least memory that mends it.

Says who goes, never where to; hosts that are well are not looked at.
"""

from dataclasses import dataclass

import numpy as np

from reconciler.placement.cover import Row, least
from reconciler.placement.fleet import Bools, Fleet, Group

SOFT = 64
"""How much heavier a sticky guest counts when it is decided who leaves."""


@dataclass(frozen=True, slots=True)
class Eviction:
    """`items` that leave, ascending. `forced`: those no plan can keep. `bound`: MiB any plan moves, of it `by_host`.

    `overfull`: hosts where those that never move are too many already.
    """

    items: tuple[int, ...]
    forced: tuple[int, ...]
    bound: int
    by_host: tuple[int, ...]
    overfull: tuple[int, ...]


def evict(fleet: Fleet, wide: bool = False) -> Eviction:
    """With `wide`, only what every plan must do counts: no choice of a domain, nobody sticky. That gives the bound."""
    forced = fleet.forced(wide)
    load = np.zeros_like(fleet.room)
    stays = (fleet.home >= 0) & ~forced
    for r in range(2):
        np.add.at(load[r], fleet.home[stays], fleet.need[r][stays])
    clashes = _clashes(fleet, forced)
    wrong = set(np.flatnonzero((load > fleet.room).any(axis=0)).tolist()) | clashes.keys()
    by_host = [0] * len(fleet.hosts)
    gone = np.flatnonzero(forced).tolist()
    for item in gone:
        by_host[int(fleet.home[item])] += int(fleet.need[0, item])
    leaving, overfull = list(gone), []
    for host in sorted(wrong):
        items = [item for item in fleet.residents[host] if not forced[item] and not fleet.fixed[item]]
        excess = (load[:, host] - fleet.room[:, host]).tolist()
        chosen, bound, all_well = _from_host(fleet, items, excess, clashes.get(host, []), wide)
        leaving += chosen
        by_host[host] += bound
        if not all_well:
            overfull.append(host)
    apart, more = _apart(fleet, set(leaving), by_host)
    split = sum(_least_gathering(fleet, item) for item in np.flatnonzero(fleet.home == -2).tolist())
    bound = sum(by_host) + more + split
    return Eviction(tuple(sorted([*leaving, *apart])), tuple(gone), bound, tuple(by_host), tuple(overfull))


def same(fleet: Fleet) -> bool:
    """Is it the same with `wide` as without: does no choice that was made send anyone away, and is nobody sticky?"""
    return not fleet.soft.any() and np.array_equal(fleet.forced(), fleet.forced(wide=True))


def _from_host(
    fleet: Fleet, items: list[int], excess: list[int], clashes: list[tuple[Group, int]], wide: bool
) -> tuple[list[int], int, bool]:
    """Who leaves one host; the least memory that must; and whether that mends all that is wrong there."""
    memory = [int(fleet.need[0, item]) for item in items]
    rows: list[Row] = [([int(fleet.need[r, item]) for item in items], excess[r]) for r in range(2)]
    for group, over in clashes:
        rows.append(([group.times.get(item, 1) if item in group.members else 0 for item in items], over))
    within = [(amounts, wanted) for amounts, wanted in rows if sum(amounts) >= wanted]
    weights = memory if wide else [m * SOFT if fleet.soft[i] else m for m, i in zip(memory, items, strict=True)]
    found = least(weights, within)
    if found is None:
        return [], 0, False
    return [items[j] for j in found.chosen], found.bound, len(within) == len(rows)


def _clashes(fleet: Fleet, forced: Bools) -> dict[int, list[tuple[Group, int]]]:
    """Groups with too many on one host, by host, with how many too many."""
    found: dict[int, list[tuple[Group, int]]] = {}
    home, leaves = fleet.home.tolist(), forced.tolist()
    for group in fleet.groups:
        if group.wide:
            continue
        places = [home[m] for m in group.members if home[m] >= 0 and not leaves[m]]
        if not group.times and len(set(places)) == len(places):
            continue
        counts: dict[int, int] = {}
        for member in group.members:
            if home[member] >= 0 and not leaves[member]:
                counts[home[member]] = counts.get(home[member], 0) + group.times.get(member, 1)
        for host, count in counts.items():
            if count > group.most:
                found.setdefault(host, []).append((group, count - group.most))
    return found


def _apart(fleet: Fleet, leaving: set[int], by_host: list[int]) -> tuple[list[int], int]:
    """Who leaves a domain of several hosts that has too many of a group; and memory no plan saves there.

    The bound counts only members on hosts that owe nothing yet, each in one group.
    """
    apart: list[int] = []
    counted: set[int] = set()
    bound = 0
    for group in fleet.groups:
        if not group.wide:
            continue
        here: dict[int, list[int]] = {}
        for member in group.members:
            if fleet.home[member] >= 0:
                here.setdefault(int(group.domain[fleet.home[member]]), []).append(member)
        for members in here.values():
            over = sum(group.times.get(m, 1) for m in members) - group.most
            if over <= 0:
                continue
            ranked = sorted(members, key=lambda m: (fleet.soft[m], fleet.need[0, m], m))
            bound += _owed(fleet, group, ranked, by_host, counted)
            over -= sum(group.times.get(m, 1) for m in members if m in leaving)
            for member in ranked:
                if over > 0 and member not in leaving and not fleet.fixed[member]:
                    apart.append(member)
                    leaving.add(member)
                    over -= group.times.get(member, 1)
    return apart, bound


def _owed(fleet: Fleet, group: Group, members: list[int], by_host: list[int], counted: set[int]) -> int:
    """Least memory that must leave of members on hosts that owe nothing; 0 where items bring several guests."""
    if group.times:
        return 0
    free = [m for m in members if not by_host[int(fleet.home[m])] and m not in counted and not fleet.fixed[m]]
    must = len(members) - group.most - (len(members) - len(free))
    counted.update(free)
    return sum(sorted(int(fleet.need[0, m]) for m in free)[: max(0, must)])


def _least_gathering(fleet: Fleet, item: int) -> int:
    """MiB that move whichever of its guests' hosts a split item gathers on."""
    pieces = fleet.pieces(item)
    return sum(pieces.values()) - max(pieces.values(), default=0)
