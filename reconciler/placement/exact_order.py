"""The shortest timetable for moves whose targets are given, by CP-SAT with intervals; only where ortools is installed.

Knows no bypasses, gives up where a host or rule is broken from the start, and is deterministic: one worker, one seed,
and a limit that counts work and not time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.placement.fleet import Fleet
from reconciler.placement.problem import Limits
from reconciler.placement.tasks import Step, Task, Timetable


@dataclass(frozen=True, slots=True)
class Exact:
    """`table` where a shorter one was found; `proven`: without bypasses none takes fewer seconds than that."""

    table: Timetable | None
    proven: int


def exact(fleet: Fleet, limits: Limits, hint: Timetable, bound: int, work: float) -> Exact:
    """Something shorter than `hint`, within `work`; `bound` is what is known to be the least."""
    try:
        from ortools.sat.python import cp_model
    except ImportError:
        return Exact(None, bound)
    model = _Model(cp_model, fleet, [step.task for step in hint.steps], (bound, hint.seconds - 1))
    if not (model.rooms() and model.rules()):
        return Exact(None, bound)
    model.slots(limits)
    for start, step in zip(model.starts, hint.steps, strict=True):
        model.model.add_hint(start, min(step.start, hint.seconds - 1 - step.task.seconds))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.max_deterministic_time = work
    status = solver.solve(model.model)
    if status == cp_model.INFEASIBLE:
        return Exact(None, hint.seconds)
    proven = max(bound, round(solver.best_objective_bound))
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Exact(None, proven)
    begins = [int(solver.value(start)) for start in model.starts]
    steps = [Step(s.task, begin, begin + s.task.seconds) for s, begin in zip(hint.steps, begins, strict=True)]
    steps.sort(key=lambda step: (step.start, step.task.guest))
    return Exact(Timetable(tuple(steps), (), max(step.end for step in steps), 0), proven)


class _Model:
    """Starts as variables between 0 and the horizon; the objective is the last end."""

    def __init__(self, cp_model: Any, fleet: Fleet, tasks: Sequence[Task], span: tuple[int, int]) -> None:
        self.model, self.fleet, self.tasks, self.horizon = cp_model.CpModel(), fleet, tasks, span[1]
        model, last = self.model, self.model.new_int_var(span[0], span[1], "last")
        self.starts = [model.new_int_var(0, self.horizon - one.seconds, f"s{n}") for n, one in enumerate(tasks)]
        self.spans = [
            model.new_fixed_size_interval_var(start, one.seconds, "")
            for start, one in zip(self.starts, tasks, strict=True)
        ]
        for start, one in zip(self.starts, tasks, strict=True):
            model.add(last >= start + one.seconds)
        model.minimize(last)

    def here(self, number: int) -> Any:
        """While the guest counts on its target: from its start on."""
        start = self.starts[number]
        return self.model.new_interval_var(start, self.horizon - start, self.horizon, "")

    def there(self, number: int) -> Any:
        """While it counts on its source: until its end."""
        end = self.starts[number] + self.tasks[number].seconds
        return self.model.new_interval_var(0, end, end, "")

    def rooms(self) -> bool:
        """Room on hosts where arrivals must wait for departures; False where one is too full already."""
        free = self.fleet.room - self.fleet.load
        for r in range(2):
            comes, goes = self._sides(lambda host: host)
            for host, arrivals in comes.items():
                left = int(free[r, host])
                if left < 0:
                    return False
                if sum(self.tasks[n].need[r] for n in arrivals) <= left:
                    continue
                leaving = goes.get(host, [])
                amounts = [self.tasks[n].need[r] for n in (*arrivals, *leaving)]
                spans = [self.here(n) for n in arrivals] + [self.there(n) for n in leaving]
                self.model.add_cumulative(spans, amounts, left + sum(self.tasks[n].need[r] for n in leaving))
        return True

    def rules(self) -> bool:
        """Groups that hold at every instant; False where one is broken already."""
        number = {one.guest: n for n, one in enumerate(self.tasks)}
        for group in self.fleet.groups:
            moving = [guest for guest in group.guests if guest in number]
            if not group.always or not moving:
                continue
            domain = group.domain
            counts: dict[int, int] = defaultdict(int)
            for guest in group.guests:
                if self.fleet.at[guest] >= 0:
                    counts[int(domain[self.fleet.at[guest]])] += 1
            comes, goes = self._sides(lambda host, d=domain: int(d[host]), [number[guest] for guest in moving])
            for place, arrivals in comes.items():
                leaving = goes.get(place, [])
                if counts[place] > group.most:
                    return False
                spans = [self.here(n) for n in arrivals] + [self.there(n) for n in leaving]
                self.model.add_cumulative(spans, [1] * len(spans), group.most - counts[place] + len(leaving))
        return True

    def _sides(
        self, place: Any, numbers: Sequence[int] | None = None
    ) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
        """Tasks that come to a place and that leave it; those that stay within are neither."""
        comes: dict[int, list[int]] = defaultdict(list)
        goes: dict[int, list[int]] = defaultdict(list)
        for number in numbers if numbers is not None else range(len(self.tasks)):
            one = self.tasks[number]
            if one.source < 0 or place(one.source) != place(one.target):
                comes[place(one.target)].append(number)
                if one.source >= 0:
                    goes[place(one.source)].append(number)
        return comes, goes

    def slots(self, limits: Limits) -> None:
        """Moves at a time and bandwidth, per host and direction, and moves at a time in the fleet."""
        sides: dict[tuple[int, int], list[int]] = defaultdict(list)
        for number, one in enumerate(self.tasks):
            if one.source >= 0:
                sides[0, one.source].append(number)
                sides[1, one.target].append(number)
        for (side, host), numbers in sides.items():
            most = limits.moves_in if side else limits.moves_out
            spans, wires = [self.spans[n] for n in numbers], [self.tasks[n].bandwidth for n in numbers]
            if most == 1:
                self.model.add_no_overlap(spans)
                continue
            if most and len(spans) > most:
                self.model.add_cumulative(spans, [1] * len(spans), most)
            if sum(wires) > self.fleet.hosts[host].link:
                self.model.add_cumulative(spans, wires, self.fleet.hosts[host].link)
        for link, shared in enumerate(limits.links):
            spans = [self.spans[n] for n, one in enumerate(self.tasks) if link in one.links]
            if len(spans) > shared.moves:
                self.model.add_cumulative(spans, [1] * len(spans), shared.moves)
        if limits.moves and len(self.tasks) > limits.moves:
            self.model.add_cumulative(self.spans, [1] * len(self.spans), limits.moves)
