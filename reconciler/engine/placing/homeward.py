"""Who was drained from a host goes home when it may: only where it fits beside all that the plan does anyway. Pure.

Never sends anyone away, and asks nobody else to move for it: where it does not fit, it stays, and the reason is told.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.engine.placing.asking import Question
from reconciler.engine.placing.resting import rests
from reconciler.model.fleet import Fleet
from reconciler.placement.problem import Avoid, Gather, Guest, Problem, Rule, Spread
from reconciler.placement.solution import Solution

Solve = Callable[[Problem], Solution]
_ROOM = "has no room for it"
_RULE = "is not open to it: a rule of its or of others' placement keeps it away"
_ORDER = "is not reached without moving others"


@dataclass(frozen=True, slots=True)
class Homeward:
    """The question with those who go home called there, its answer, and of all others why they do not."""

    asked: Question
    solution: Solution
    away: tuple[tuple[str, str], ...] = ()


def homeward(asked: Question, fleet: Fleet, solve: Solve) -> Homeward:
    """As long as somebody fits at home beside what is decided already, that is decided too."""
    solution = solve(asked.problem)
    homes = dict(_homes(asked, fleet))
    if not homes:
        return Homeward(asked, solution, tuple(_unable(asked, fleet, homes)))
    while True:
        ending = _Ending(asked.problem, dict(solution.goal))
        coming, why = ending.coming(homes)
        if not coming:
            break
        bolder = replace(asked, problem=_called(asked.problem, coming))
        found = solve(bolder.problem)
        if _dearer(found, solution, coming):
            why |= dict.fromkeys(coming, _ORDER)
            break
        asked, solution = bolder, found
    away = {name: f"{homes[name]} {reason}" for name, reason in why.items()}
    return Homeward(asked, solution, tuple(sorted({**away, **dict(_unable(asked, fleet, homes))}.items())))


def _homes(asked: Question, fleet: Fleet) -> Iterator[tuple[str, str]]:
    """Of those that the planner may move: whose home is declared, answers, is in no maintenance, and can run it."""
    hosts = {host.name for host in asked.problem.hosts if not (host.drain or host.closed)}
    for guest in asked.problem.guests:
        tenant = asked.tenants[guest.name]
        if not tenant.home or not tenant.policy or guest.name not in asked.asked or not _free(guest):
            continue
        able = tenant.reach is None or tenant.home in tenant.reach
        if tenant.home in hosts and tenant.home in tenant.policy.hosts and able and tenant.home != tenant.at:
            yield guest.name, tenant.home


def _free(guest: Guest) -> bool:
    return bool(guest.at) and not (guest.pinned or guest.cooling)


def _unable(asked: Question, fleet: Fleet, homes: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Whose home is there again, and cannot run it any more, or who moved too short a while ago."""
    for name in sorted(asked.asked - homes.keys()):
        tenant = asked.tenants[name]
        card = fleet.hosts.get(tenant.home)
        if card is None or card.maintenance or not tenant.policy or tenant.home not in tenant.policy.hosts:
            continue
        if tenant.reach is not None and tenant.home not in tenant.reach and tenant.home != tenant.at:
            yield name, f"{tenant.home} cannot run it now (`reconciler explain vm/{name}`)"
        elif name in asked.cooling and tenant.home != tenant.at:
            yield name, rests(name, asked.resting, fleet)


def _called(problem: Problem, coming: Mapping[str, str]) -> Problem:
    guests = tuple(replace(g, to=coming[g.name]) if g.name in coming else g for g in problem.guests)
    return replace(problem, guests=guests)


def _dearer(found: Solution, before: Solution, coming: Mapping[str, str]) -> bool:
    """Does anybody else move for it, or is anybody refused or put off?"""
    new = {move.guest for move in found.moves} - {move.guest for move in before.moves}
    new |= set(found.later) - set(before.later)
    return not new <= coming.keys() or not _refused(found) <= _refused(before)


def _refused(solution: Solution) -> set[str]:
    return {name for knot in solution.knots for name in knot.guests}


class _Ending:
    """Where everyone is at the end: what is taken of each host, and which rules hold."""

    def __init__(self, problem: Problem, on: dict[str, str]) -> None:
        self._problem, self._on = problem, on
        self._guests = {guest.name: guest for guest in problem.guests}
        self._labels = {host.name: host.labels for host in problem.hosts}
        self._free = {host.name: list(host.room()) for host in problem.hosts}
        for name, host in on.items():
            if host:
                self._take(host, self._guests[name], -1)
        self._rules: dict[str, list[Rule]] = defaultdict(list)
        for rule in problem.rules:
            for name in _names(rule):
                self._rules[name].append(rule)

    def coming(self, homes: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        """Who fits at home, until nobody more does; and of all others why not. Those of a Gather go together."""
        found: dict[str, str] = {}
        while True:
            why: dict[str, str] = {}
            gone = len(found)
            for group in self._groups([name for name in homes if self._on.get(name) != homes[name]]):
                reason = self._obstacle(group, homes)
                if reason:
                    why |= dict.fromkeys(group, reason)
                else:
                    found |= {name: homes[name] for name in group}
            if len(found) == gone:
                return found, why

    def _groups(self, names: Sequence[str]) -> list[tuple[str, ...]]:
        """By priority, then name; whoever gathers with others, with those of them who go home too."""
        left = dict.fromkeys(sorted(names, key=lambda name: (-self._guests[name].priority, name)))
        groups = []
        while left:
            group, news = dict[str, None](), [next(iter(left))]
            while news:
                name = news.pop()
                if name in left:
                    del left[name]
                    group[name] = None
                    news += [n for r in self._rules[name] if isinstance(r, Gather) for n in r.guests if n in left]
            groups.append(tuple(group))
        return groups

    def _obstacle(self, group: Iterable[str], homes: Mapping[str, str]) -> str:
        """Moves them, and back again where something is against it."""
        before = {name: self._on[name] for name in group}
        self._go({name: homes[name] for name in before})
        rules = {id(rule): rule for name in before for rule in self._rules[name]}
        full = any(min(self._free[homes[name]]) < 0 for name in before)
        broken = any(self._broken(rule) for rule in rules.values())
        if full or broken:
            self._go(before)
        return _ROOM if full else _RULE if broken else ""

    def _go(self, to: Mapping[str, str]) -> None:
        for name, host in to.items():
            self._take(self._on[name], self._guests[name], 1)
            self._take(host, self._guests[name], -1)
            self._on[name] = host

    def _take(self, host: str, guest: Guest, sign: int) -> None:
        free = self._free[host]
        free[0] += sign * guest.memory
        free[1] += sign * guest.vcpus

    def _broken(self, rule: Rule) -> bool:
        match rule:
            case Spread(guests, over, most, _):
                return max(Counter(self._domains(guests, over)).values(), default=0) > most
            case Gather(guests, over):
                return len(set(self._domains(guests, over))) > 1
            case Avoid(guest, others, _):
                return self._on.get(guest, "") in {self._on[other] for other in others if self._on.get(other)}

    def _domains(self, guests: Iterable[str], over: str) -> list[str]:
        hosts = [self._on[name] for name in guests if self._on.get(name)]
        return [f"={self._labels[h][over]}" if over and over in self._labels[h] else h for h in hosts]


def _names(rule: Rule) -> tuple[str, ...]:
    return (rule.guest, *rule.others) if isinstance(rule, Avoid) else rule.guests
