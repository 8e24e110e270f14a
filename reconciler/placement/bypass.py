"""Moves over a third host, where nobody else can begin: the smallest guest that makes room is parked and goes on later.

Each guest is parked at most once and all of them together send no more than the limit; everything else is `order`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from reconciler.placement.fleet import Fleet
from reconciler.placement.problem import Limits
from reconciler.placement.tasks import Task, task

if TYPE_CHECKING:
    from reconciler.placement.order import Run

ROOM = ("room", "rule")


class Bypass:
    """`how`: a mode and seconds of patience.

    None; early, from a host whose departures have all been blocked for so long; late, only when nothing runs at all.
    """

    def __init__(self, fleet: Fleet, limits: Limits, tasks: Sequence[Task], how: tuple[str, int]) -> None:
        total = sum(one.need[0] for one in tasks if one.source >= 0)
        largest = max((one.need[0] for one in tasks), default=0)
        self.most = max(total * limits.bypass_percent // 100, largest) if limits.bypass_percent else 0
        self.fleet, self.limits, (self.mode, self.patience) = fleet, limits, how
        self.used = 0
        self.parked: dict[int, int] = {}
        self.once: set[int] = set()
        self.suspects: dict[int, int] = {}
        self.whose = {guest: item for item, guests in enumerate(fleet.items) for guest in guests}
        self.order: list[int] = []

    def look(self, hosts: Iterable[int], now: int) -> None:
        """Hosts at which something changed: their patience begins anew."""
        if self.mode == "early":
            self.suspects |= dict.fromkeys(hosts, now)

    def untie(self, run: Run) -> None:
        """Park one guest on each suspect that waits for room and from which nothing has gone for long enough."""
        limit = 1 << 60
        for host in sorted(self.suspects):
            blocked = host >= 0 and not run.site.out[host] and run.ins.get(host) and run.outs.get(host)
            if blocked and run.now - self.suspects[host] < self.patience:
                continue
            del self.suspects[host]
            if blocked and all(run.site.obstacle(run.waiting[guest], False) in ROOM for guest in run.outs[host]):
                limit = self._park(run, host, limit)

    def last(self, run: Run) -> bool:
        """Nothing runs: park anyone who helps, from the host where most waits. True when something began."""
        if self.mode == "none":
            return False
        hosts = sorted(run.ins, key=lambda host: (-run.work_in[host], host))
        limit = 1 << 60
        for host in hosts:
            if run.ins[host] and run.outs.get(host):
                limit = self._park(run, host, limit)
            if run.running:
                return True
        return any(self._park_any(run, host) for host in hosts if run.ins[host])

    def _park(self, run: Run, host: int, limit: int) -> int:
        """Park the smallest departure that lets the easiest arrival come; the size that found no place, to skip it."""
        short = min(self._short(run, run.waiting[guest]) for guest in run.ins[host])
        leaving = [run.waiting[guest] for guest in run.outs[host] if guest not in self.once]
        ranked = sorted(leaving, key=lambda one: (one.need[0] < short, one.need[0], one.guest))
        for one in ranked[:3]:
            if one.need[0] >= limit or self.used + one.need[0] > self.most:
                continue
            place = self._place(run, one)
            if place >= 0:
                self._go(run, one, place)
                return limit
            limit = min(limit, one.need[0])
        return limit

    def _park_any(self, run: Run, host: int) -> bool:
        """Any waiting guest of the host, smallest first."""
        for one in sorted((run.waiting[guest] for guest in run.outs.get(host, ())), key=lambda t: (t.need[0], t.guest)):
            if one.guest not in self.once and self.used + one.need[0] <= self.most:
                place = self._place(run, one)
                if place >= 0:
                    self._go(run, one, place)
                    return True
        return False

    def _short(self, run: Run, one: Task) -> int:
        return one.need[0] - run.site.memory[one.target]

    def _place(self, run: Run, one: Task) -> int:
        """The roomiest host that may hold it for a while, with what waits to come there taken off; -1 for none."""
        if one.source < 0:
            return -1
        fleet, site = self.fleet, run.site
        mask = fleet.via_mask[fleet.via_cls[self.whose[one.guest]]]
        best, most = -1, -1 << 60
        for host, room in enumerate(site.memory):
            if room < one.need[0] or host in (one.source, one.target) or not mask[host]:
                continue
            worth = room - run.coming.get(host, 0)
            if worth > most:
                hop = task(fleet, self.limits, one.guest, one.source, host)
                if not site.obstacle(hop, False):
                    best, most = host, worth
        return best

    def _go(self, run: Run, one: Task, place: int) -> None:
        run.unwait(one)
        if one.guest in run.direct:
            run.direct.discard(one.guest)
            run.site.held[one.target] -= one.need[0]
            run.site.held_vcpus[one.target] -= one.need[1]
        self.once.add(one.guest)
        self.parked[one.guest] = one.target
        self.used += one.need[0]
        run.begin(task(self.fleet, self.limits, one.guest, one.source, place), bypass=True)
