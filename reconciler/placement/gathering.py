"""Which domain, a rack for instance, each group goes to that gathers over a host label: the one that holds most of it.

Chooses no single host; what was chosen narrows the masks of the Fleet.
"""

import numpy as np

from reconciler.placement.fleet import Fleet, Ints
from reconciler.placement.normalise import domains, gathers, known
from reconciler.placement.problem import Problem


def choose_domains(fleet: Fleet, problem: Problem) -> list[tuple[str, ...]]:
    """Give each group that gathers over a label the domain that holds most of it; names of groups without any."""
    rules = gathers(problem, near=False)
    if not rules:
        return []
    index = {guest.name: number for number, guest in enumerate(fleet.guests)}
    whose = {guest: number for number, item in enumerate(fleet.items) for guest in item}
    chooser = _Chooser(fleet)
    lost = []
    for rule in rules:
        members = sorted({whose[guest] for guest in known(rule.guests, index)})
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
        self.free: dict[str, Ints] = {}
        self.open: dict[tuple[int, str], set[int]] = {}

    def choose(self, members: list[int], over: str) -> bool:
        if over not in self.domains:
            self.domains[over] = domains(self.fleet.hosts, over)
        domain = self.domains[over]
        best = self._best(members, over, domain)
        if best < 0:
            return False
        for member in members:
            key = (self.cls[member], over, best)
            if key not in self.known:
                self.known[key] = len(self.masks)
                self.masks.append(self.masks[self.cls[member]] & (domain == best))
            self.cls[member] = self.known[key]
        return True

    def _rooms(self, over: str, domain: Ints) -> Ints:
        """Free memory of each domain as things are."""
        if over not in self.free:
            free = np.maximum((self.fleet.room - self.fleet.load)[0], 0)
            self.free[over] = np.bincount(domain, weights=free, minlength=int(domain.max()) + 1)
        return self.free[over]

    def _open(self, cls: int, over: str, domain: Ints) -> set[int]:
        """Domains with a host that the class may be on."""
        if (cls, over) not in self.open:
            self.open[cls, over] = set(domain[self.masks[cls]].tolist())
        return self.open[cls, over]

    def _best(self, members: list[int], over: str, domain: Ints) -> int:
        """Most memory that may stay, then room for what must come, then most free memory, then the first."""
        stay: dict[int, int] = {}
        for member in members:
            mask = self.masks[self.cls[member]]
            for host, memory in self.fleet.pieces(member).items():
                if mask[host] or self.fleet.fixed[member]:
                    stay[int(domain[host])] = stay.get(int(domain[host]), 0) + memory
        total = sum(int(self.fleet.need[0, member]) for member in members)
        full = [d for d, memory in stay.items() if memory == total]
        if full:
            return full[0]
        free = self._rooms(over, domain)
        allowed = set(range(len(free)))
        for cls in sorted({self.cls[member] for member in members if not self.fleet.fixed[member]}):
            allowed &= self._open(cls, over, domain)
        for member in members:
            if self.fleet.fixed[member]:
                allowed &= {int(domain[self.fleet.home[member]])}
        ranked = [((free[d] >= total - stay.get(d, 0), stay.get(d, 0), free[d]), -d) for d in sorted(allowed)]
        return -max(ranked)[1] if ranked else -1
