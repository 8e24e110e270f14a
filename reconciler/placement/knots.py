"""What is not as asked at the end, in words: guests and hosts by name, why, and what would free it.

Explains a finished plan; it changes nothing.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from reconciler.placement.problem import Avoid, Gather, Guest, Host, Problem, Spread
from reconciler.placement.solution import Knot

Reaches = Mapping[str, frozenset[str]]
Where = tuple[Mapping[str, str], Mapping[str, Host], Reaches]
"""Each guest's host by name, the hosts by name, and the hosts of each reach."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What the planner met: guests that fit nowhere, guests whose rules exclude one another, and waits in a circle.

    `waits` names who waits, with the hosts, and the least MiB that would let one of them go.
    """

    homeless: frozenset[str] = frozenset()
    torn: frozenset[str] = frozenset()
    waits: tuple[tuple[tuple[str, ...], tuple[str, ...], int], ...] = ()


def knots(problem: Problem, on: Mapping[str, str], trouble: Trouble, later: frozenset[str]) -> tuple[Knot, ...]:
    """In a fixed order: circles, then guests, hosts and rules by name."""
    hosts = {host.name: host for host in problem.hosts}
    reaches = {name: frozenset(able) for name, able in problem.reaches.items()}
    memory, vcpus = dict.fromkeys(["", *hosts], 0), dict.fromkeys(["", *hosts], 0)
    for guest in problem.guests:
        memory[on[guest.name]] += guest.memory
        vcpus[on[guest.name]] += guest.vcpus
    found = [_circle(*wait) for wait in trouble.waits]
    told = {name for knot in found for name in knot.guests} | later
    for guest, wrong in _odd(problem.guests, (on, hosts, reaches), trouble):
        if guest.name not in told:
            able = _able(problem, guest, reaches)
            found.append(_guest(guest, on[guest.name], (able, memory), (wrong, trouble)))
            told.add(guest.name)
    found += _hosts(problem, on, (memory, vcpus))
    broken = [(names, what) for names, what in _rules(problem, on, hosts, told) if told.isdisjoint(names)]
    return (*found, *(_rule(names, what, hosts, on) for names, what in broken))


def _circle(guests: tuple[str, ...], hosts: tuple[str, ...], missing: int) -> Knot:
    if missing <= 0:
        reason = f"{', '.join(guests)} wait for one another on {', '.join(hosts)}, and a rule lets none go first"
        return Knot(guests, hosts, reason, "let the rule hold at the end only, or free another host for them")
    reason = f"{', '.join(guests)} wait for one another on {', '.join(hosts)}, and no host has room to lend"
    return Knot(guests, hosts, reason, f"{missing} MiB more free on one of {', '.join(hosts)}")


def _guest(guest: Guest, place: str, room: tuple[list[Host], Mapping[str, int]], why: tuple[str, Trouble]) -> Knot:
    """`room`: the hosts that can run it, and the MiB that are taken on each host."""
    (able, load), (wrong, trouble) = room, why
    if guest.name in trouble.torn:
        reason = f"{guest.name} must share a host with guests it must not share one with"
        return Knot((guest.name,), (place,) if place else (), reason, "take it out of near or out of avoid and spread")
    where = (place,) if place else ()
    wrong = wrong or f"cannot leave {place}"
    if guest.pinned:
        return Knot(
            (guest.name,), where, f"{guest.name} {wrong}, and is pinned", "unpin it, or ask nothing of its host"
        )
    if guest.cooling:
        return Knot(
            (guest.name,), where, f"{guest.name} {wrong}, and moved a short while ago", "wait: its cool-down ends"
        )
    if not able:
        reason = f"{guest.name} {wrong}, and no other host may run it"
        return Knot((guest.name,), where, reason, "widen where it may run")
    roomy = max(able, key=lambda host: (host.room()[0] - load[host.name], host.name))
    short = guest.memory - (roomy.room()[0] - load[roomy.name])
    fix = f"{short} MiB more free on {roomy.name}" if short > 0 else f"vCPUs, or a rule that leaves {roomy.name} open"
    reason = f"{guest.name} {wrong}, and fits on none of {len(able)} hosts, even when others make room"
    return Knot((guest.name,), (*where, roomy.name), reason, fix)


def _able(problem: Problem, guest: Guest, reaches: Reaches) -> list[Host]:
    return [
        host
        for host in problem.hosts
        if not host.drain
        and not host.closed
        and host.name != guest.at
        and guest.to in ("", host.name)
        and (not guest.reach or host.name in reaches[guest.reach])
    ]


def _odd(guests: Sequence[Guest], where: Where, trouble: Trouble) -> list[tuple[Guest, str]]:
    """Who is not as asked, by name, and what is wrong about its host, where it is that."""
    (on, hosts, reaches), named = where, trouble.torn | trouble.homeless
    found = []
    for guest in guests:
        wrong = _misplaced(reaches, guest, hosts.get(on[guest.name]))
        if wrong or guest.name in named:
            found.append((guest, wrong))
    return sorted(found, key=lambda odd: odd[0].name)


def _misplaced(reaches: Reaches, guest: Guest, host: Host | None) -> str:
    if host is None:
        return "runs nowhere"
    if host.drain:
        return f"is on {host.name}, which drains"
    if guest.reach and host.name not in reaches[guest.reach]:
        return f"is on {host.name}, where it should not be"
    if guest.to and guest.to != host.name:
        return f"is on {host.name}, not on {guest.to}"
    return ""


def _hosts(
    problem: Problem, on: Mapping[str, str], load: tuple[Mapping[str, int], Mapping[str, int]]
) -> Iterator[Knot]:
    """`load`: MiB and vCPUs that are taken on each."""
    rooms = {host.name: host.room() for host in problem.hosts}
    for name, room in sorted(rooms.items()):
        over = [max(0, load[r][name] - room[r]) for r in range(2)]
        if any(over):
            stay = tuple(sorted(guest.name for guest in problem.guests if on[guest.name] == name))
            reason = f"{name} is too full by {over[0]} MiB and {over[1]} vCPUs, and not enough of its guests can leave"
            yield Knot(stay, (name,), reason, f"unpin some of {len(stay)} guests, stop one, or give {name} more room")


def _rules(
    problem: Problem, on: Mapping[str, str], hosts: Mapping[str, Host], told: Set[str]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Who breaks each; of those to be avoided, each is a matter of its own, so who is named already is left out."""

    def domain(name: str, over: str) -> tuple[int, str]:
        labels = hosts[on[name]].labels
        return (1, labels[over]) if over in labels else (0, on[name])

    for rule in problem.rules:
        match rule:
            case Gather(guests, over):
                if len({domain(name, over) for name in guests if on[name]}) > 1:
                    yield tuple(sorted(guests)), "are not together"
            case Spread(guests, over, most):
                places = [domain(name, over) for name in set(guests) if on[name]]
                if len(places) - len(set(places)) >= most and max(Counter(places).values(), default=0) > most:
                    yield tuple(sorted(guests)), f"are more than {most} in one {over or 'host'}"
            case Avoid(guest, others):
                near = tuple(o for o in sorted(others) if on[o] and on[o] == on[guest] and o not in told)
                if near:
                    yield (guest, *near), "share a host"


def _rule(names: tuple[str, ...], what: str, hosts: Mapping[str, Host], on: Mapping[str, str]) -> Knot:
    places = tuple(sorted({on[name] for name in names if on[name]}))
    reason = f"{', '.join(names)} {what}, and those that could change it cannot move"
    return Knot(names, places, reason, "unpin one of them, or give them more hosts")
