"""The hosts at one instant of a timetable: what is taken on both ends of what moves now, slots, links and rules.

Answers whether a task can begin and keeps the books; who begins when is `order`'s.
"""

from collections.abc import Sequence

from reconciler.placement.fleet import Fleet
from reconciler.placement.problem import Limits
from reconciler.placement.tasks import Task


class Site:
    """Books by host. `held` is room kept for those who may come without anyone leaving."""

    def __init__(self, fleet: Fleet, limits: Limits, tasks: Sequence[Task]) -> None:
        count = len(fleet.hosts)
        free = fleet.room - fleet.load
        self.memory: list[int] = free[0].tolist()
        self.vcpus: list[int] = free[1].tolist()
        self.held = [0] * count
        self.held_vcpus = [0] * count
        self.out, self.into = [0] * count, [0] * count
        self.link = [host.link for host in fleet.hosts]
        self.out_left, self.in_left = list(self.link), list(self.link)
        self.most_out, self.most_in = limits.moves_out or 1 << 30, limits.moves_in or 1 << 30
        self.most, self.running = limits.moves or 1 << 30, 0
        self.shared = [link.moves for link in limits.links]
        self._rules(fleet, {one.guest for one in tasks})

    def _rules(self, fleet: Fleet, moving: set[int]) -> None:
        """Only groups of some who move whose rule holds at every instant, guest by guest."""
        self.groups: dict[int, list[tuple[list[int], int, dict[int, int], list[int]]]] = {}
        domains: dict[int, list[int]] = {}
        for group in fleet.groups:
            if not group.always or moving.isdisjoint(group.guests):
                continue
            if id(group.domain) not in domains:
                domains[id(group.domain)] = group.domain.tolist()
            domain = domains[id(group.domain)]
            guests = list(group.guests)
            counts: dict[int, int] = {}
            for guest in guests:
                if fleet.at[guest] >= 0:
                    place = domain[int(fleet.at[guest])]
                    counts[place] = counts.get(place, 0) + 1
            for guest in moving.intersection(guests):
                self.groups.setdefault(guest, []).append((domain, group.most, counts, guests))

    def obstacle(self, task: Task, direct: bool) -> str:
        """Why the task cannot begin now: room, rule, slot, link or fleet (shared links too); empty when it can."""
        source, target = task.source, task.target
        memory, vcpus = task.need
        if not direct:
            memory, vcpus = memory + self.held[target], vcpus + self.held_vcpus[target]
        if self.memory[target] < memory or self.vcpus[target] < vcpus:
            return "room"
        for domain, most, counts, _ in self.groups.get(task.guest, ()):
            there = domain[target]
            if counts.get(there, 0) >= most and (source < 0 or domain[source] != there):
                return "rule"
        if self.running >= self.most or any(not self.shared[number] for number in task.links):
            return "fleet"
        if source < 0:
            return ""
        if self.out[source] >= self.most_out or self.into[target] >= self.most_in:
            return "slot"
        if self.out_left[source] < task.bandwidth or self.in_left[target] < task.bandwidth:
            return "link"
        return ""

    def begin(self, task: Task) -> None:
        source, target = task.source, task.target
        self.memory[target] -= task.need[0]
        self.vcpus[target] -= task.need[1]
        self.running += 1
        for domain, _, counts, _ in self.groups.get(task.guest, ()):
            there = domain[target]
            if source < 0 or domain[source] != there:
                counts[there] = counts.get(there, 0) + 1
        if source >= 0:
            self.out[source] += 1
            self.into[target] += 1
            self.out_left[source] -= task.bandwidth
            self.in_left[target] -= task.bandwidth
            for number in task.links:
                self.shared[number] -= 1

    def end(self, task: Task) -> None:
        source, target = task.source, task.target
        self.running -= 1
        if source < 0:
            return
        self.memory[source] += task.need[0]
        self.vcpus[source] += task.need[1]
        for domain, _, counts, _ in self.groups.get(task.guest, ()):
            if domain[source] != domain[target]:
                counts[domain[source]] -= 1
        self.out[source] -= 1
        self.into[target] -= 1
        self.out_left[source] += task.bandwidth
        self.in_left[target] += task.bandwidth
        for number in task.links:
            self.shared[number] += 1

    def awaited(self, task: Task) -> list[int]:
        """Guests that a rule may have kept waiting for this one to leave."""
        found = []
        for domain, _, _, guests in self.groups.get(task.guest, ()):
            if task.source >= 0 and domain[task.source] != domain[task.target]:
                found += guests
        return found
