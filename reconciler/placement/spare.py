"""What the loss of any one host would mean: for each guest a host that takes it when its own is lost.

Largest first by best fit, into what is free: whoever finds a refuge has one, who finds none may still have one. Moves
nobody, and looks at room and reach only: which rules hold after a loss is not asked.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.placement.problem import Guest, Problem


@dataclass(frozen=True, slots=True)
class Spare:
    """`refuges` by guest; `short` by host: the guests of it for which none was found."""

    refuges: Mapping[str, str] = field(default_factory=dict)
    short: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def spare(problem: Problem, on: Mapping[str, str]) -> Spare:
    """With everyone where `on` says. What takes no memory is off, and needs none."""
    guests = {guest.name: guest for guest in problem.guests}
    living: dict[str, list[Guest]] = {}
    for name, host in sorted(on.items()):
        if host and guests[name].memory:
            living.setdefault(host, []).append(guests[name])
    rooms = _Rooms(problem, living)
    refuges: dict[str, str] = {}
    short: dict[str, tuple[str, ...]] = {}
    for host, those in sorted(living.items()):
        found, none = rooms.best(host, those)
        refuges |= found
        if none:
            short[host] = tuple(sorted(none))
    return Spare(refuges, short)


class _Rooms:
    """Free room of the hosts that may take somebody, ascending, by reach."""

    def __init__(self, problem: Problem, living: Mapping[str, Sequence[Guest]]) -> None:
        self.hosts = sorted(host.name for host in problem.hosts if not host.drain and not host.closed)
        self.free: dict[str, tuple[int, int]] = {}
        for host in problem.hosts:
            memory, vcpus = host.room()
            here = living.get(host.name, ())
            self.free[host.name] = (memory - sum(g.memory for g in here), vcpus - sum(g.vcpus for g in here))
        self.reaches = problem.reaches
        self.known: dict[str, tuple[frozenset[str], list[tuple[int, str]]]] = {}

    def of(self, reach: str) -> tuple[frozenset[str], list[tuple[int, str]]]:
        if reach not in self.known:
            able = frozenset(self.hosts).intersection(self.reaches[reach] if reach else self.hosts)
            self.known[reach] = able, sorted((self.free[host][0], host) for host in able)
        return self.known[reach]

    def best(self, lost: str, those: Sequence[Guest]) -> tuple[dict[str, str], list[str]]:
        """Who goes where and who finds no room: largest first, and if that leaves somebody, fewest hosts first."""
        large = sorted(those, key=lambda guest: (-guest.memory, -guest.vcpus, guest.name))
        found = self.without(lost, large)
        if not found[1]:
            return found
        narrow = self.without(lost, sorted(large, key=lambda guest: len(self.of(guest.reach)[0])))
        return narrow if len(narrow[1]) < len(found[1]) else found

    def without(self, lost: str, order: Sequence[Guest]) -> tuple[dict[str, str], list[str]]:
        """Who goes where when this host is lost, and who finds no room."""
        left: dict[str, tuple[int, int]] = {lost: (-1, -1)}
        found: dict[str, str] = {}
        none: list[str] = []
        for guest in order:
            host = self._best(guest, left)
            if not host:
                none.append(guest.name)
                continue
            memory, vcpus = left.get(host, self.free[host])
            left[host] = memory - guest.memory, vcpus - guest.vcpus
            found[guest.name] = host
        return found, none

    def _best(self, guest: Guest, left: Mapping[str, tuple[int, int]]) -> str:
        """The host with the least room that is enough, with what this loss has taken there already."""
        able, rooms = self.of(guest.reach)
        best = [
            (memory, host)
            for host, (memory, vcpus) in left.items()
            if memory >= guest.memory and vcpus >= guest.vcpus and host in able
        ]
        for number in range(bisect_left(rooms, (guest.memory, "")), len(rooms)):
            host = rooms[number][1]
            if host not in left and self.free[host][1] >= guest.vcpus:
                best.append(rooms[number])
                break
        return min(best)[1] if best else ""
