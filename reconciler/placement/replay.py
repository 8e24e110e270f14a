"""Check a plan from the outside, step by step on plain names: room on both ends at every instant, limits, rules, goal.

Shares no code with the planner and repairs nothing: it says what is wrong, and a plan with anything wrong is not shown.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

from reconciler.placement.problem import Avoid, Gather, Guest, Host, Problem, Spread
from reconciler.placement.replay_links import crowded
from reconciler.placement.replay_losses import losses
from reconciler.placement.solution import Move, Solution


def replay(problem: Problem, plan: Solution) -> list[str]:
    """Everything that is wrong with the plan, in order of time; empty for a good one."""
    walk = _Walk(problem, plan)
    events = [(move.end, 0, number, move) for number, move in enumerate(plan.moves)]
    events += [(move.start, 1, number, move) for number, move in enumerate(plan.moves)]
    for when, kind, _, move in sorted(events, key=lambda event: event[:3]):
        if kind:
            walk.begin(when, move)
        else:
            walk.end(when, move)
    walk.wrong += _goal(plan, walk.on) + _ending(problem, plan, walk) + _window(problem, plan)
    walk.wrong += crowded(problem, plan)
    if problem.survive:
        walk.wrong += losses(problem, plan, walk.on)
    return walk.wrong


class _Walk:
    """The fleet at one instant. A guest that moves counts on both hosts from its start to its end."""

    def __init__(self, problem: Problem, plan: Solution) -> None:
        self.problem = problem
        self.hosts = {host.name: host for host in problem.hosts}
        self.guests = {guest.name: guest for guest in problem.guests}
        self.on = {guest.name: guest.at for guest in problem.guests}
        self.memory, self.vcpus = defaultdict[str, int](int), defaultdict[str, int](int)
        for guest in problem.guests:
            self.memory[guest.at] += guest.memory
            self.vcpus[guest.at] += guest.vcpus
        self.moving: dict[str, Move] = {}
        self.wire: Counter[tuple[str, str]] = Counter()
        self.slots: Counter[tuple[str, str]] = Counter()
        self.wrong: list[str] = []
        self.apart: dict[str, list[tuple[tuple[str, ...], str, int]]] = defaultdict(list)
        movers = {move.guest for move in plan.moves}
        self.rules = tuple(_apart(problem))
        for names, over, most, always in self.rules:
            for name in movers.intersection(names) if always else ():
                self.apart[name].append((names, over, most))
        self.reach = {name: frozenset(hosts) for name, hosts in problem.reaches.items()}

    def begin(self, when: int, move: Move) -> None:
        guest, target = self.guests.get(move.guest), self.hosts.get(move.target)
        if guest is None or target is None:
            self.wrong.append(f"{when} s: {move.guest} to {move.target}: no such guest or host")
            return
        for problem in (*self._itself(guest, move, target), *self._rules(move), *self._limits(move, target)):
            self.wrong.append(f"{when} s: {move.guest} {move.source} to {move.target}: {problem}")
        self.moving[move.guest] = move
        self.memory[move.target] += guest.memory
        self.vcpus[move.target] += guest.vcpus
        room = target.room()
        if self.memory[move.target] > room[0] or self.vcpus[move.target] > room[1]:
            self.wrong.append(f"{when} s: {move.guest} comes to {move.target}, which has no room for it")
        if move.source:
            for side, host in (("out", move.source), ("in", move.target)):
                self.wire[side, host] += move.bandwidth
                self.slots[side, host] += 1

    def end(self, when: int, move: Move) -> None:
        if self.moving.pop(move.guest, None) is not move:
            self.wrong.append(f"{when} s: {move.guest} arrives on {move.target} without having left")
            return
        guest = self.guests[move.guest]
        self.on[move.guest] = move.target
        if move.source:
            self.memory[move.source] -= guest.memory
            self.vcpus[move.source] -= guest.vcpus
            for side, host in (("out", move.source), ("in", move.target)):
                self.wire[side, host] -= move.bandwidth
                self.slots[side, host] -= 1

    def _itself(self, guest: Guest, move: Move, target: Host) -> Iterator[str]:
        if move.guest in self.moving or self.on[move.guest] != move.source or move.source == move.target:
            yield f"it is on {self.on[move.guest] or 'no host'}, or moving"
        if move.end <= move.start or move.start < 0:
            yield "it takes no time"
        if (move.memory, move.disks) != (guest.memory, guest.disks):
            yield "its memory or its disks are wrong"
        if (guest.pinned or guest.cooling) and guest.at:
            yield "it must not move"
        if guest.reach and target.name not in self.reach[guest.reach]:
            yield "it cannot run there"
        if target.drain or target.closed:
            yield "nothing may come there"

    def _rules(self, move: Move) -> Iterator[str]:
        for names, over, most in self.apart[move.guest]:
            there = _domain(self.hosts[move.target], over)
            near = 0
            for name in names:
                if name != move.guest:
                    places = {self.on[name], self.moving[name].target} if name in self.moving else {self.on[name]}
                    near += any(place and _domain(self.hosts[place], over) == there for place in places)
            before = bool(move.source) and _domain(self.hosts[move.source], over) == there
            if near + 1 > most and not before:
                yield f"more than {most} of {', '.join(names)} would share {there[1]}"

    def _limits(self, move: Move, target: Host) -> Iterator[str]:
        limits = self.problem.limits
        if limits.moves and len(self.moving) >= limits.moves:
            yield "too many moves at a time"
        if not move.source or move.source not in self.hosts:
            return
        for side, host, most in (("out", self.hosts[move.source], limits.moves_out), ("in", target, limits.moves_in)):
            if most and self.slots[side, host.name] >= most:
                yield f"too many moves {side} of {host.name} at a time"
            if self.wire[side, host.name] + move.bandwidth > host.link:
                yield f"the link {side} of {host.name} is full"
        if move.bandwidth < 1 or (limits.bandwidth and move.bandwidth > limits.bandwidth):
            yield "its bandwidth is not what is allowed"


def _domain(host: Host, over: str) -> tuple[int, str]:
    return (1, host.labels[over]) if over and over in host.labels else (0, host.name)


def _apart(problem: Problem) -> Iterator[tuple[tuple[str, ...], str, int, bool]]:
    for rule in problem.rules:
        if isinstance(rule, Spread):
            yield tuple(dict.fromkeys(rule.guests)), rule.over, rule.most, rule.always
        elif isinstance(rule, Avoid):
            for other in sorted(set(rule.others) - {rule.guest}):
                yield (rule.guest, other), "", 1, rule.always


def _goal(plan: Solution, on: dict[str, str]) -> list[str]:
    astray = [(name, host) for name, host in plan.goal if on.get(name) != host]
    wrong = [f"at the end {name} is on {on.get(name)}, not on {host}" for name, host in astray]
    return wrong if len(plan.goal) == len(on) else [*wrong, "the goal does not name every guest once"]


def _window(problem: Problem, plan: Solution) -> list[str]:
    limits, moves = problem.limits, [move for move in plan.moves if move.source]
    wrong = []
    if limits.window_moves and len(moves) > limits.window_moves:
        wrong.append("more moves than the window allows")
    if limits.window_mib and sum(move.memory + move.disks for move in moves) > limits.window_mib:
        wrong.append("more bytes than the window allows")
    return wrong


def _ending(problem: Problem, plan: Solution, walk: _Walk) -> list[str]:
    """What does not hold at the end and is neither in a knot nor left for later."""
    on, hosts = walk.on, walk.hosts
    excused = {name for knot in plan.knots for name in knot.guests} | set(plan.later)
    waived = {name for knot in plan.knots for name in knot.hosts}
    memory, vcpus = dict.fromkeys(["", *hosts], 0), dict.fromkeys(["", *hosts], 0)
    for guest in problem.guests:
        memory[on[guest.name]] += guest.memory
        vcpus[on[guest.name]] += guest.vcpus
    late = {on[name] for name in plan.later}
    rooms = {host.name: host.room() for host in problem.hosts}
    wrong = [
        f"at the end {name} is too full"
        for name, room in rooms.items()
        if (memory[name] > room[0] or vcpus[name] > room[1]) and name not in waived | late
    ]
    wrong += [f"at the end {name} {what}" for name, what in _misplaced(problem, hosts, on) if name not in excused]
    return wrong + _broken(problem, walk, excused)


def _misplaced(problem: Problem, hosts: dict[str, Host], on: dict[str, str]) -> Iterator[tuple[str, str]]:
    reaches = {name: frozenset(able) for name, able in problem.reaches.items()}
    for guest in problem.guests:
        place = on[guest.name]
        if not place:
            yield guest.name, "is nowhere"
            continue
        if hosts[place].drain:
            yield guest.name, f"is on {place}, which drains"
        if guest.reach and place not in reaches[guest.reach]:
            yield guest.name, f"is on {place}, where it cannot run"
        if guest.to and guest.to != place:
            yield guest.name, f"is not on {guest.to}"


def _broken(problem: Problem, walk: _Walk, excused: set[str]) -> list[str]:
    wrong, on, hosts = [], walk.on, walk.hosts
    for names, over, most, _ in walk.rules:
        if excused.isdisjoint(names):
            each = [_domain(hosts[on[name]], over) for name in names if on[name]]
            shared = Counter(each if len(each) - len(set(each)) >= most else ())
            wrong += [f"at the end more than {most} of {names} share {k[1]}" for k, n in shared.items() if n > most]
    for rule in problem.rules:
        if isinstance(rule, Gather) and excused.isdisjoint(rule.guests):
            places = {_domain(hosts[on[name]], rule.over) for name in rule.guests if on[name]}
            if len(places) > 1:
                wrong.append(f"at the end {rule.guests} are not together")
    return wrong
