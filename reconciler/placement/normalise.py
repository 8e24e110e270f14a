"""From a Problem to a Fleet: indices by name, reach and drain as masks, guests that gather on one host contracted.

Decides nothing; which domain a group that gathers over a label goes to is `gathering`'s.
"""

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

import numpy as np

from reconciler.placement.fleet import Bools, Fleet, Group, Ints
from reconciler.placement.problem import Avoid, Gather, Guest, Host, Problem, Spread


def normalise(problem: Problem) -> Fleet:
    """Raises LookupError where a guest names a host or reach that is not there; rules may name guests that are not."""
    hosts = tuple(sorted(problem.hosts, key=attrgetter("name")))
    guests = tuple(sorted(problem.guests, key=attrgetter("name")))
    place = {host.name: index for index, host in enumerate(hosts)}
    index = {guest.name: number for number, guest in enumerate(guests)}
    at = np.array([place[guest.at] if guest.at else -1 for guest in guests], dtype=np.int64)
    items = _items(len(guests), [known(rule.guests, index) for rule in gathers(problem, near=True)])
    need = np.array([[guest.memory for guest in guests], [guest.vcpus for guest in guests]], dtype=np.int64)
    whole = need if len(items) == len(guests) else np.stack([need[:, list(item)].sum(axis=1) for item in items], axis=1)
    mask, cls = _classes(problem, hosts, place, [_wanted(guests, item) for item in items])
    via_mask, via_cls = _classes(problem, hosts, place, [_reached(guests, item) for item in items])
    via_mask &= np.array([not host.closed for host in hosts], dtype=np.bool_)
    whose = {guest: number for number, item in enumerate(items) for guest in item}
    stay = np.array([guest.pinned or guest.cooling for guest in guests], dtype=np.bool_) & (at >= 0)
    soft = np.array([guest.sticky for guest in guests], dtype=np.bool_)
    single = len(items) == len(guests)
    room = np.array([host.room() for host in hosts], dtype=np.int64).reshape(len(hosts), 2).T.copy()
    home = at.copy() if single else np.array([_home(at, item) for item in items], dtype=np.int64)
    fleet = Fleet(
        hosts=hosts,
        guests=guests,
        items=items,
        room=room,
        load=_load(room, need, at),
        need=whole.reshape(2, len(items)),
        home=home,
        at=at,
        residents=_residents(home, len(hosts)),
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


def _load(room: Ints, need: Ints, at: Ints) -> Ints:
    load, here = np.zeros_like(room), at >= 0
    for r in range(2):
        np.add.at(load[r], at[here], need[r, here])
    return load


def _residents(home: Ints, hosts: int) -> tuple[tuple[int, ...], ...]:
    found: list[list[int]] = [[] for _ in range(hosts)]
    for item, host in enumerate(home.tolist()):
        if host >= 0:
            found[host].append(item)
    return tuple(map(tuple, found))


def known(names: Iterable[str], index: dict[str, int]) -> list[int]:
    """Those that are there: a guest that was left out is in no rule any more."""
    return sorted({index[name] for name in names if name in index})


def gathers(problem: Problem, near: bool) -> list[Gather]:
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
        return tuple(zip(range(count)))
    parts: dict[int, list[int]] = {}
    for number in range(count):
        parts.setdefault(find(number), []).append(number)
    return tuple(tuple(part) for part in parts.values())


def _wanted(guests: tuple[Guest, ...], item: tuple[int, ...]) -> tuple[tuple[str, str], ...]:
    """Reach and host of each guest; one that stays calls the others of its item to its host."""
    if len(item) == 1:
        one = guests[item[0]]
        return ((one.reach, one.to),)
    those = [guests[guest] for guest in item]
    split = len({one.at for one in those}) > 1
    return tuple((one.reach, one.at if split and (one.pinned or one.cooling) and one.at else one.to) for one in those)


def _reached(guests: tuple[Guest, ...], item: tuple[int, ...]) -> tuple[tuple[str, str], ...]:
    """The same without the host, for those who only lend room."""
    if len(item) == 1:
        return ((guests[item[0]].reach, ""),)
    return tuple((guests[guest].reach, "") for guest in item)


def _home(at: Ints, item: tuple[int, ...]) -> int:
    found = {int(at[guest]) for guest in item}
    return found.pop() if len(found) == 1 else -2


def _classes(
    problem: Problem, hosts: tuple[Host, ...], place: dict[str, int], wanted: list[tuple[tuple[str, str], ...]]
) -> tuple[Bools, Ints]:
    """One class for each set of reaches and hosts wanted that occurs; a drained host is in none."""
    keep = np.array([not host.drain for host in hosts], dtype=np.bool_)
    known: dict[tuple[tuple[str, str], ...], int] = {}
    cls: list[int] = []
    masks: list[Bools] = []
    for pairs in wanted:
        key = pairs if len(pairs) == 1 else tuple(sorted(set(pairs)))
        if key not in known:
            known[key] = len(masks)
            masks.append(_mask(problem, keep, place, key))
        cls.append(known[key])
    return np.array(masks or [keep], dtype=np.bool_), np.array(cls, dtype=np.int64)


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


def _once(found: dict[str, Ints], hosts: Sequence[Host], over: str) -> Ints:
    if over not in found:
        found[over] = domains(hosts, over)
    return found[over]


def _groups(problem: Problem, hosts: tuple[Host, ...], index: dict[str, int], whose: dict[int, int]) -> Iterator[Group]:
    domain_of: dict[str, Ints] = {}
    for rule in problem.rules:
        if isinstance(rule, Spread):
            domain = _once(domain_of, hosts, rule.over)
            guests = known(rule.guests, index)
            if len(guests) > rule.most:
                yield _group(guests, whose, domain, rule)
        elif isinstance(rule, Avoid):
            domain = _once(domain_of, hosts, "")
            for other in known(rule.others, index):
                if rule.guest in index:
                    yield _group(sorted({index[rule.guest], other}), whose, domain, rule)


def _group(guests: list[int], whose: dict[int, int], domain: Ints, rule: Spread | Avoid) -> Group:
    members = [whose[guest] for guest in guests]
    once = sorted(set(members))
    times = {member: members.count(member) for member in once} if len(once) < len(members) else {}
    most, wide = (rule.most, bool(rule.over)) if isinstance(rule, Spread) else (1, False)
    return Group(tuple(guests), tuple(once), domain, most, rule.always, wide, times)
