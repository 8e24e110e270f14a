"""Who is where while targets are chosen: free room, counts per group, residents; every step can be taken back.

Keeps the books only; it chooses nothing.
"""

from collections.abc import Sequence

import numpy as np

from reconciler.placement.fleet import Bools, Fleet, Group, Ints


class Board:
    """Items on hosts. `free` is room at the end, `direct` room that needs nobody to leave, `inbound` MiB to come."""

    def __init__(self, fleet: Fleet, gone: list[int]) -> None:
        """Everyone at home but `gone`; split items and those nowhere are not on the board."""
        self.fleet = fleet
        self.arrivals = np.array([not host.closed for host in fleet.hosts], dtype=np.bool_)
        self.where = np.where(fleet.home >= 0, fleet.home, -1).tolist()
        self.free: Ints = fleet.room.copy()
        here = fleet.home >= 0
        for r in range(2):
            np.subtract.at(self.free[r], fleet.home[here], fleet.need[r][here])
        self.direct: Ints = fleet.room - fleet.load
        self.inbound: Ints = np.zeros(len(fleet.hosts), dtype=np.int64)
        self.need: list[tuple[int, int]] = list(zip(*fleet.need.tolist(), strict=True))
        self.homes: list[int] = fleet.home.tolist()
        self.cls: list[int] = fleet.cls.tolist()
        self.residents = [set(items) for items in fleet.residents]
        self.domain = {key: domain.tolist() for key, domain in {id(g.domain): g.domain for g in fleet.groups}.items()}
        self.counts: list[dict[int, int]] = [self._counted(group) for group in fleet.groups]
        self.log: list[tuple[int, int, int]] = []
        self.tries, self.most_tries = 0, 1 << 60
        for item in gone:
            self.put(item, -1)

    def _counted(self, group: Group) -> dict[int, int]:
        domains = self.domain[id(group.domain)]
        found: dict[int, int] = {}
        for member in group.members:
            host = self.where[member]
            if host >= 0:
                domain = domains[host]
                found[domain] = found.get(domain, 0) + group.times.get(member, 1)
        return found

    def put(self, item: int, host: int) -> None:
        """Take the item from where it is and put it on `host`; -1 is nowhere."""
        self.log.append((item, self.where[item], host))
        self._take(item)
        self._set(item, host)

    def mark(self) -> int:
        return len(self.log)

    def undo(self, mark: int) -> None:
        """Back to what was when `mark` was taken."""
        while len(self.log) > mark:
            item, before, _ = self.log.pop()
            self._take(item)
            self._set(item, before)

    def _take(self, item: int) -> None:
        host = self.where[item]
        if host < 0:
            return
        self.where[item] = -1
        self.residents[host].discard(item)
        self._book(item, host, -1)

    def _set(self, item: int, host: int) -> None:
        if host < 0:
            return
        self.where[item] = host
        self.residents[host].add(item)
        self._book(item, host, 1)

    def _book(self, item: int, host: int, sign: int) -> None:
        memory, vcpus = self.need[item]
        self.free[0, host] -= sign * memory
        self.free[1, host] -= sign * vcpus
        if host != self.homes[item]:
            self.direct[0, host] -= sign * memory
            self.direct[1, host] -= sign * vcpus
            self.inbound[host] += sign * memory
        for number in self.fleet.of.get(item, ()):
            group, counts = self.fleet.groups[number], self.counts[number]
            domain = self.domain[id(group.domain)][host]
            counts[domain] = counts.get(domain, 0) + sign * group.times.get(item, 1)

    def allowed(self, item: int) -> Bools:
        """Hosts of its reach that its rules leave open as the board is; room is not looked at."""
        mask: Bools = self.fleet.mask[self.cls[item]] & self.arrivals
        home = self.homes[item]
        if home >= 0:
            mask[home] = self.fleet.mask[self.cls[item], home]
        for number in self.fleet.of.get(item, ()):
            group = self.fleet.groups[number]
            times = group.times.get(item, 1)
            for domain, count in self.counts[number].items():
                if count + times > group.most and count:
                    if group.wide:
                        mask &= group.domain != domain
                    else:
                        mask[domain] = False
        return mask

    def fits(self, item: int) -> Bools:
        """Hosts that can take it as they are."""
        memory, vcpus = self.need[item]
        found: Bools = self.allowed(item) & (self.free[0] >= memory) & (self.free[1] >= vcpus)
        return found

    def back(self, items: Sequence[int]) -> list[int] | None:
        """Put items that are nowhere back where they run, and so whoever took the room of one; all of these.

        None, and nobody, where one cannot go back: its guests are on several hosts, or its host is too full as it is.
        """
        mark, todo, done = self.mark(), list(items), []
        while todo:
            item = todo.pop()
            home = self.homes[item]
            done.append(item)
            while home >= 0 and not self._room_at(item, home):
                arrived = [other for other in self.residents[home] if self.homes[other] != home]
                if not arrived:
                    self.undo(mark)
                    return None
                todo.append(max(arrived, key=lambda other: (self.need[other][0], other)))
                self.put(todo[-1], -1)
            if home == -2:
                self.undo(mark)
                return None
            if home >= 0:
                self.put(item, home)
        return done

    def stay(self) -> None:
        """Whoever was to leave and finds that there is no need to, stays; the largest first."""
        forced, away = self.fleet.forced(), []
        for item, host in enumerate(self.where):
            if host >= 0 and self.homes[item] >= 0 and host != self.homes[item] and not forced[item]:
                away.append(item)
        for item in sorted(away, key=lambda item: (-self.need[item][0], item)):
            there = self.where[item]
            self.put(item, -1)
            self.put(item, self.homes[item] if self.fits(item)[self.homes[item]] else there)

    def _room_at(self, item: int, host: int) -> bool:
        """Room and rules let it be there, whether it may stay or not."""
        memory, vcpus = self.need[item]
        if self.free[0, host] < memory or self.free[1, host] < vcpus:
            return False
        for number in self.fleet.of.get(item, ()):
            group = self.fleet.groups[number]
            count = self.counts[number].get(int(group.domain[host]), 0)
            if count + group.times.get(item, 1) > group.most:
                return False
        return True

    def moved(self) -> int:
        """MiB that change their host; items that are nowhere are not counted."""
        fleet, total = self.fleet, 0
        for item, (host, home) in enumerate(zip(self.where, self.homes, strict=True)):
            if host != home and host >= 0:
                total += self.need[item][0] if home >= 0 else fleet.moves(item, host)
        return total

    def movable(self, host: int) -> list[int]:
        """Residents that may be asked to leave, ascending; sticky ones only when they came with this plan."""
        fixed, soft = self.fleet.fixed, self.fleet.soft
        return sorted(
            item for item in self.residents[host] if not fixed[item] and (self.homes[item] != host or not soft[item])
        )
