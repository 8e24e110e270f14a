"""From a Problem to a Fleet: indices by name, reach and drain as masks, gathered guests contracted or given a domain.

Decides nothing about single hosts; the one choice made here is the domain of a group that gathers over a label.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from reconciler.placement.fleet import Bools, Fleet, Group, Ints
from reconciler.placement.problem import Avoid, Gather, Guest, Host, Problem, Spread


def normalise(problem: Problem) -> Fleet:
    """Raises LookupError where a guest names a host or reach that is not there; rules may name guests that are not."""
    hosts = tuple(sorted(problem.hosts, key=lambda host: host.name))
    guests = tuple(sorted(problem.guests, key=lambda guest: guest.name))
    place = {host.name: index for index, host in enumerate(hosts)}
    index = {guest.name: number for number, guest in enumerate(guests)}
    at = np.array([place[guest.at] if guest.at else -1 for guest in guests], dtype=np.int64)
    items = _items(len(guests), [_known(rule.guests, index) for rule in _gathers(problem, near=True)])
    need = np.array([[guest.memory for guest in guests], [guest.vcpus for guest in guests]], dtype=np.int64)
    whole = need if len(items) == len(guests) else np.stack([need[:, list(item)].sum(axis=1) for item in items], axis=1)
    mask, cls = _classes(problem, hosts, place, [_wanted(guests, item) for item in items])
    via_mask, via_cls = _classes(problem, hosts, place, [[(guests[g].reach, "") for g in item] for item in items])
    via_mask &= np.array([not host.closed for host in hosts], dtype=np.bool_)
    whose = {guest: number for number, item in enumerate(items) for guest in item}
    stay = np.array([guest.pinned or guest.cooling for guest in guests], dtype=np.bool_) & (at >= 0)
    soft = np.array([guest.sticky for guest in guests], dtype=np.bool_)
    single = len(items) == len(guests)
    fleet = Fleet(
        hosts=hosts,
        guests=guests,
        items=items,
        room=np.array([host.room() for host in hosts], dtype=np.int64).reshape(len(hosts), 2).T.copy(),
        need=whole.reshape(2, len(items)),
        home=at.copy() if single else np.array([_home(at, item) for item in items], dtype=np.int64),
        at=at,
        cls=cls,
        mask=mask,
        wide_mask=mask,
        wide_cls=cls,
        via_mask=via_mask,
        via_cls=via_cls,
        fixed=stay if single else np.array([stay[list(item)].any() for item in items], dtype=np.bool_),
        soft=soft if single else np.array([soft[list(item)].any() for item in items], dtype=np.bool_),
        groups=tuple(_groups(problem, hosts, index, whose)),
    )
    fleet.fixed &= fleet.home >= 0
    torn = {member for group in fleet.groups for member, times in group.times.items() if times > group.most}
    fleet.torn = tuple(sorted(torn))
    of: dict[int, list[int]] = {}
    for number, group in enumerate(fleet.groups):
        for member in group.members:
            of.setdefault(member, []).append(number)
    fleet.of = {member: tuple(found) for member, found in of.items()}
    return fleet


def _known(names: Iterable[str], index: dict[str, int]) -> list[int]:
    """Those that are there: a guest that was left out is in no rule any more."""
    return sorted({index[name] for name in names if name in index})


def _gathers(problem: Problem, near: bool) -> list[Gather]:
    return [rule for rule in problem.rules if isinstance(rule, Gather) and (not rule.over) == near]


def _items(count: int, together: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """Guests that gather on one host are one item; union-find with the smallest index as the root."""
    root = list(range(count))

    def find(one: int) -> int:
        while root[one] != one:
            root[one] = root[root[one]]
            one = root[one]
        return one

    for members in together:
        for member in members[1:]:
            one, other = sorted((find(members[0]), find(member)))
            root[other] = one
    if not together:
        return tuple((number,) for number in range(count))
    parts: dict[int, list[int]] = {}
    for number in range(count):
        parts.setdefault(find(number), []).append(number)
    return tuple(tuple(part) for part in parts.values())


def _wanted(guests: tuple[Guest, ...], item: tuple[int, ...]) -> list[tuple[str, str]]:
    """Reach and host of each guest; one that stays calls the others of its item to its host."""
    split = len(item) > 1 and len({guests[guest].at for guest in item}) > 1
    stays = [guest.pinned or guest.cooling for guest in (guests[g] for g in item)]
    return [
        (guests[g].reach, guests[g].at if split and stay and guests[g].at else guests[g].to)
        for g, stay in zip(item, stays, strict=True)
    ]


def _home(at: Ints, item: tuple[int, ...]) -> int:
    found = {int(at[guest]) for guest in item}
    return found.pop() if len(found) == 1 else -2


def _classes(
    problem: Problem, hosts: tuple[Host, ...], place: dict[str, int], wanted: list[list[tuple[str, str]]]
) -> tuple[Bools, Ints]:
    """One class for each set of reaches and hosts wanted that occurs; a drained host is in none."""
    keep = np.array([not host.drain for host in hosts], dtype=np.bool_)
    known: dict[tuple[tuple[str, str], ...], int] = {}
    cls = np.zeros(len(wanted), dtype=np.int64)
    masks: list[Bools] = []
    for item, pairs in enumerate(wanted):
        key = tuple(pairs) if len(pairs) == 1 else tuple(sorted(set(pairs)))
        if key not in known:
            known[key] = len(masks)
            masks.append(_mask(problem, keep, place, key))
        cls[item] = known[key]
    return np.array(masks or [keep], dtype=np.bool_), cls


def _mask(problem: Problem, keep: Bools, place: dict[str, int], key: Iterable[tuple[str, str]]) -> Bools:
    mask = keep.copy()
    for reach, to in key:
        for hosts in (problem.reaches[reach] if reach else None, (to,) if to else None):
            if hosts is not None:
                some = np.zeros(len(keep), dtype=np.bool_)
                some[[place[host] for host in hosts if host in place]] = True
                mask &= some
    return mask


def domains(hosts: Sequence[Host], over: str) -> Ints:
    """Each host's domain: its own index, or its label's value by order of names; without the label one of its own."""
    if not over:
        return np.arange(len(hosts), dtype=np.int64)
    keys = [(0, host.labels[over]) if over in host.labels else (1, host.name) for host in hosts]
    number = {key: index for index, key in enumerate(sorted(set(keys)))}
    return np.array([number[key] for key in keys], dtype=np.int64)


def _once(known: dict[str, Ints], hosts: Sequence[Host], over: str) -> Ints:
    if over not in known:
        known[over] = domains(hosts, over)
    return known[over]


def _groups(problem: Problem, hosts: tuple[Host, ...], index: dict[str, int], whose: dict[int, int]) -> Iterator[Group]:
    known: dict[str, Ints] = {}
    for rule in problem.rules:
        if isinstance(rule, Spread):
            domain = _once(known, hosts, rule.over)
            guests = _known(rule.guests, index)
            if len(guests) > rule.most:
                yield _group(guests, whose, domain, rule)
        elif isinstance(rule, Avoid):
            domain = _once(known, hosts, "")
            for other in _known(rule.others, index):
                if rule.guest in index:
                    yield _group(sorted({index[rule.guest], other}), whose, domain, rule)


def _group(guests: list[int], whose: dict[int, int], domain: Ints, rule: Spread | Avoid) -> Group:
    members = [whose[guest] for guest in guests]
    times = {member: members.count(member) for member in set(members)} if len(set(members)) < len(members) else {}
    most, wide = (rule.most, bool(rule.over)) if isinstance(rule, Spread) else (1, False)
    return Group(tuple(guests), tuple(sorted(set(members))), domain, most, rule.always, wide, times)


def choose_domains(fleet: Fleet, problem: Problem) -> list[tuple[str, ...]]:
    """Give each group that gathers over a label the domain that holds most of it; names of groups without any."""
    rules = _gathers(problem, near=False)
    if not rules:
        return []
    index = {guest.name: number for number, guest in enumerate(fleet.guests)}
    whose = {guest: number for number, item in enumerate(fleet.items) for guest in item}
    chooser = _Chooser(fleet)
    lost = []
    for rule in rules:
        members = sorted({whose[guest] for guest in _known(rule.guests, index)})
        if not chooser.choose(members, rule.over):
            lost.append(tuple(sorted(rule.guests)))
    fleet.mask, fleet.cls = np.array(chooser.masks, dtype=np.bool_), np.array(chooser.cls, dtype=np.int64)
    return lost


class _Chooser:
    """Masks that grow by what was chosen; one entry for each class and domain that occurs."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet, self.masks, self.cls = fleet, list(fleet.mask), fleet.cls.tolist()
        self.known: dict[tuple[int, str, int], int] = {}
        self.domains: dict[str, Ints] = {}
        self.free = fleet.room - fleet.loads()

    def choose(self, members: list[int], over: str) -> bool:
        domain = _once(self.domains, self.fleet.hosts, over)
        best = self._best(members, domain)
        if best < 0:
            return False
        for member in members:
            key = (self.cls[member], over, best)
            if key not in self.known:
                self.known[key] = len(self.masks)
                self.masks.append(self.masks[self.cls[member]] & (domain == best))
            self.cls[member] = self.known[key]
        return True

    def _best(self, members: list[int], domain: Ints) -> int:
        """Most memory that may stay, then room for what must come, then most free memory, then the first."""
        stay: dict[int, int] = {}
        for member in members:
            for host, memory in self.fleet.pieces(member).items():
                if self.masks[self.cls[member]][host] or self.fleet.fixed[member]:
                    stay[int(domain[host])] = stay.get(int(domain[host]), 0) + memory
        total = sum(int(self.fleet.need[0, member]) for member in members)
        full = [d for d, memory in stay.items() if memory == total]
        if full:
            return full[0]
        allowed = set(range(int(domain.max()) + 1))
        for cls in sorted({self.cls[member] for member in members if not self.fleet.fixed[member]}):
            allowed &= set(domain[self.masks[cls]].tolist())
        for member in members:
            if self.fleet.fixed[member]:
                allowed &= {int(domain[self.fleet.home[member]])}
        free = np.bincount(domain, weights=np.maximum(self.free[0], 0), minlength=int(domain.max()) + 1)
        ranked = [((free[d] >= total - stay.get(d, 0), stay.get(d, 0), free[d]), -d) for d in sorted(allowed)]
        return -max(ranked)[1] if ranked else -1
