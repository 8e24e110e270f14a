"""Which move begins when: events in time, whoever may begin does so by a rule of rank, several rules tried.

Targets are given; a timetable that leaves tasks stuck says so, and never breaks capacity or a rule to avoid it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush

from reconciler.placement.bypass import Bypass
from reconciler.placement.fleet import Fleet
from reconciler.placement.problem import Limits
from reconciler.placement.site import Site
from reconciler.placement.tasks import Step, Task, Timetable, task

RULES = ("busier", "both", "longest", "opens")
UNTYING = ("share", "both in", "opens", "steps", "short", "busier", "both", "longest")
"""With bypasses: who lets most others come goes first, as it is room that is waited for."""
PATIENCE = (20, 0)
"""Seconds that a host stands still before one of its guests is parked; each rule with the first, then with the next."""
STEP = 8
"""Seconds: nearly the same is the same, so that the longest of these go first."""
SHARES = 1 << 20
"""Parts of a host's room in which what is short of it is counted."""
MODES = ("none", "early", "late")
WORK = 45_000
"""Tasks handled in all the tries together, about; at least one rule is tried in each mode that is needed."""
MANY = 5_000
"""Tasks; with more, the first rule that leaves nobody stuck is enough, as `justify` gains more than other rules do."""


def timetable(fleet: Fleet, limits: Limits, tasks: Sequence[Task], bound: int) -> Timetable:
    """The best of a few rules; bypasses only when without them something never begins."""
    best: Timetable | None = None
    tries = max(1, WORK // max(1, len(tasks)))
    for mode in MODES:
        patience = PATIENCE if mode == "early" else (0,)
        rules = [(rule, wait) for wait in patience for rule in (RULES if mode == "none" else UNTYING)]
        for rule, wait in rules[:tries]:
            found = Run(fleet, limits, tasks, (rule, mode, wait)).table()
            if best is None or found.rank() < best.rank():
                best = found
            if not best.stuck and (best.seconds <= bound or len(tasks) > MANY):
                return best
            if found.stuck and mode == "none":
                break
        if best is not None and not best.stuck and mode != "early":
            break
    assert best is not None  # noqa: S101 - MODES and RULES are not empty
    return best


class Run:
    """One walk through time by one rule. `work_out` and `work_in` are seconds, `coming` MiB, of those who wait."""

    def __init__(self, fleet: Fleet, limits: Limits, tasks: Sequence[Task], how: tuple[str, str, int]) -> None:
        self.fleet, self.limits, self.rule = fleet, limits, how[0]
        self.site = Site(fleet, limits, tasks)
        self.bypass = Bypass(fleet, limits, tasks, how[1:])
        self.waiting: dict[int, Task] = {}
        self.outs: dict[int, dict[int, None]] = defaultdict(dict)
        self.ins: dict[int, dict[int, None]] = defaultdict(dict)
        self.work_out, self.work_in = defaultdict[int, int](int), defaultdict[int, int](int)
        self.coming = defaultdict[int, int](int)
        self.direct: set[int] = set()
        self.stalled: dict[int, None] = {}
        self.running: list[tuple[int, int, Task]] = []
        self.steps: list[Step] = []
        self.rooms: list[int] = fleet.room[0].tolist()
        self.now = 0
        for one in tasks:
            self.wait(one)
        self._hold(tasks)

    def wait(self, one: Task) -> None:
        self.waiting[one.guest] = one
        self.outs[one.source][one.guest] = None
        self.ins[one.target][one.guest] = None
        self.work_out[one.source] += one.seconds
        self.work_in[one.target] += one.seconds
        self.coming[one.target] += one.need[0]

    def unwait(self, one: Task) -> None:
        del self.waiting[one.guest]
        del self.outs[one.source][one.guest]
        del self.ins[one.target][one.guest]
        self.work_out[one.source] -= one.seconds
        self.work_in[one.target] -= one.seconds
        self.coming[one.target] -= one.need[0]

    def _hold(self, tasks: Sequence[Task]) -> None:
        """Keep room for those who can come without anyone leaving, so that nobody takes it in between."""
        site = self.site
        for one in tasks:
            host, (memory, vcpus) = one.target, one.need
            if site.memory[host] - site.held[host] >= memory and site.vcpus[host] - site.held_vcpus[host] >= vcpus:
                self.direct.add(one.guest)
                site.held[host] += memory
                site.held_vcpus[host] += vcpus

    def table(self) -> Timetable:
        self.offer(self.waiting.values())
        while self.running or self.waiting:
            self.bypass.untie(self)
            if not self.running and not self._release() and not self.bypass.last(self):
                break
            self._advance()
        end = max((step.end for step in self.steps), default=0)
        return Timetable(tuple(self.steps), tuple(self.waiting.values()), end, self.bypass.used)

    def _advance(self) -> None:
        """To the next instant at which something ends, and all that ends then."""
        if not self.running:
            return
        self.now = self.running[0][0]
        left: dict[int, None] = {}
        reached: dict[int, None] = {}
        names: dict[int, None] = {}
        while self.running and self.running[0][0] == self.now:
            _, _, done = heappop(self.running)
            self.site.end(done)
            left[done.source] = reached[done.target] = None
            names |= dict.fromkeys(self.site.awaited(done))
            final = self.bypass.parked.pop(done.guest, None)
            if final is not None and final != done.target:
                self.wait(task(self.fleet, self.limits, done.guest, done.target, final))
                names[done.guest] = None
        for host in left:
            names |= self.outs[host] | self.ins[host]
        for host in reached:
            names |= self.ins[host]
        names |= self.stalled
        self.stalled = {}
        self.bypass.look(left | reached, self.now)
        self.offer([self.waiting[guest] for guest in names if guest in self.waiting])

    def offer(self, tasks: Iterable[Task]) -> None:
        """Begin what can begin, by rank. Whatever begins only takes, so who cannot before cannot after it either."""
        able = [one for one in tasks if self._able(one)]
        for one in sorted(able, key=self._rank):
            if self._able(one):
                self.begin(one)

    def _able(self, one: Task) -> bool:
        """Can it begin now? Who waits only for the fleet's own limit is looked at again whenever anything ends."""
        why = self.site.obstacle(one, one.guest in self.direct)
        if why == "fleet":
            self.stalled[one.guest] = None
        return not why

    def begin(self, one: Task, bypass: bool = False) -> None:
        """Now. A bypass is not among those waiting any more."""
        if not bypass:
            self.unwait(one)
            if one.guest in self.direct:
                self.direct.discard(one.guest)
                self.site.held[one.target] -= one.need[0]
                self.site.held_vcpus[one.target] -= one.need[1]
        self.site.begin(one)
        heappush(self.running, (self.now + one.seconds, one.guest, one))
        self.steps.append(Step(one, self.now, self.now + one.seconds, bypass))

    def _release(self) -> bool:
        """Nothing runs: give up the room that is held, and begin what can without it."""
        if not any(self.site.held):
            return False
        self.site.held = [0] * len(self.site.held)
        self.site.held_vcpus = [0] * len(self.site.held)
        self.direct = set()
        self.offer(list(self.waiting.values()))
        return bool(self.running)

    def _rank(self, one: Task) -> tuple[int, int, int]:
        """Lower goes first. Room that the source is short of counts for it, or work that waits at its ends."""
        out, into, behind = self.work_out[one.source], self.work_in[one.target], self.work_in[one.source]
        short = self.coming[one.source] - self.site.memory[one.source] if one.source >= 0 else 0
        match self.rule:
            case "busier":
                first = max(out, into)
            case "both":
                first = out + into
            case "longest":
                first = one.seconds
            case "short":
                first = short
            case "share":
                first = short * SHARES // max(1, self.rooms[one.source])
            case "both in":
                first = short + behind * (one.need[0] // max(1, one.seconds))
            case "steps":
                first = behind // STEP
            case _:
                first = behind
        return -first, -one.seconds, one.guest
