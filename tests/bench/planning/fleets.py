"""Made-up fleets of any size by a seed: three sizes of hosts, eight classes, groups that spread, pinned guests.

Every fleet made here keeps its own rules before anything is asked of it.
"""

import random
from dataclasses import dataclass, replace

from reconciler.placement.problem import Guest, Host, Limits, Problem, Spread

SIZES, WEIGHTS = (2, 4, 8, 16, 32), (20, 30, 25, 17, 8)
STORES, GENERATIONS = 4, 2
GIB = 1024


@dataclass
class _Hosts:
    """Free room while a fleet is filled."""

    hosts: list[Host]
    memory: list[int]
    vcpus: list[int]
    by_class: dict[tuple[int, int], list[int]]


def fleet(hosts: int, util: float, seed: int = 1, newer: float = 0.3) -> Problem:
    """Ten guests per host with `util` of all memory taken; `newer`: share that needs the newer half of the hosts."""
    rng = random.Random(seed)
    sizes = rng.choices(SIZES, WEIGHTS, k=hosts * 10)
    unit = sum(sizes) / util / hosts
    made = _hosts(rng, hosts, unit)
    guests, rules = _guests(rng, made, sizes, newer)
    reaches = {f"s{s}g{g}": tuple(made.hosts[h].name for h in made.by_class[s, g]) for s, g in sorted(made.by_class)}
    return Problem(tuple(made.hosts), tuple(guests), reaches, tuple(rules), Limits())


def _hosts(rng: random.Random, count: int, unit: float) -> _Hosts:
    found, where = [], dict[tuple[int, int], list[int]]()
    for number in range(count):
        memory = max(40, int(unit * (0.6, 1.0, 1.4)[number % 3] / 2) * 2)
        store, generation = number % STORES, number // STORES % GENERATIONS
        labels = {"rack": f"r{number // 20:03}"}
        found.append(Host(f"h{number:05}", memory * GIB, memory, labels))
        for least in range(generation + 1):
            where.setdefault((store, least), []).append(number)
    return _Hosts(found, [host.memory for host in found], [host.vcpus for host in found], where)


def _guests(rng: random.Random, made: _Hosts, sizes: list[int], newer: float) -> tuple[list[Guest], list[Spread]]:
    guests: list[Guest] = []
    rules: list[Spread] = []
    group: list[tuple[str, int]] = []
    left, kind = 0, (0, 0)
    for number, size in enumerate(sorted(sizes, reverse=True)):
        if not left:
            left, kind = (
                (rng.randint(3, 5) if rng.random() < 0.1 else 1),
                (rng.randrange(STORES), int(rng.random() < newer)),
            )
            group = []
        host = _room(rng, made, kind, size, {where for _, where in group})
        if host < 0:
            left = 0
            continue
        left -= 1
        name = f"v{number:06}"
        group.append((name, host))
        if not left and len(group) > 1:
            rules.append(Spread(tuple(one for one, _ in group)))
        made.memory[host] -= size * GIB
        made.vcpus[host] -= max(1, size // 4)
        reach = f"s{kind[0]}g{kind[1]}"
        pinned = rng.random() < 0.02
        guests.append(Guest(name, size * GIB, max(1, size // 4), made.hosts[host].name, reach=reach, pinned=pinned))
    return guests, rules


def _room(rng: random.Random, made: _Hosts, kind: tuple[int, int], size: int, taken: set[int]) -> int:
    """The emptiest of some hosts of the class by share, else any with room; -1 for none."""
    able = made.by_class[kind]

    def fits(host: int) -> bool:
        return host not in taken and made.memory[host] >= size * GIB and made.vcpus[host] >= max(1, size // 4)

    some = [host for host in rng.choices(able, k=4) if fits(host)]
    if not some:
        some = [host for host in able if fits(host)]
    return max(some, key=lambda host: (made.memory[host] / made.hosts[host].memory, -host), default=-1)


def drained(problem: Problem, share: float, seed: int = 1) -> Problem:
    """A share of the hosts drains; guests pinned to them are not pinned any more."""
    rng = random.Random(seed)
    names = set(rng.sample([host.name for host in problem.hosts], round(len(problem.hosts) * share)))
    hosts = tuple(replace(host, drain=host.name in names) for host in problem.hosts)
    guests = tuple(replace(guest, pinned=guest.pinned and guest.at not in names) for guest in problem.guests)
    return replace(problem, hosts=hosts, guests=guests)


def grown(problem: Problem, share: float, seed: int = 1) -> Problem:
    """A share of the guests grows by half."""
    rng = random.Random(seed)
    names = set(rng.sample([guest.name for guest in problem.guests], round(len(problem.guests) * share)))
    guests = tuple(
        replace(guest, memory=guest.memory * 3 // 2) if guest.name in names else guest for guest in problem.guests
    )
    return replace(problem, guests=guests)


def mixed(problem: Problem, seed: int = 1) -> Problem:
    """5 % of the hosts drain, 1 % of the guests grow, and as many new spreads as a tenth of the hosts."""
    rng = random.Random(seed)
    asked = grown(drained(problem, 0.05, seed), 0.01, seed)
    free = sorted({guest.name for guest in asked.guests if not guest.pinned})
    rules = [Spread(tuple(rng.sample(free, 3))) for _ in range(max(1, len(problem.hosts) // 10))]
    return replace(asked, rules=(*asked.rules, *rules))


def reshuffled(problem: Problem, seed: int = 1, full: bool = False) -> Problem:
    """The same guests on the same hosts otherwise, each with the host it has to go to; nobody pinned, no spreads.

    `full`: who finds no room in the draw may go anywhere, so that some of it cannot be done.
    """
    rng = random.Random(seed)
    able = {name: list(hosts) for name, hosts in problem.reaches.items()}
    free = {host.name: list(host.room()) for host in problem.hosts}
    guests = []
    for guest in sorted(problem.guests, key=lambda one: (-one.memory, rng.random())):
        where = able[guest.reach]
        fits = [h for h in rng.choices(where, k=8) if _has(free[h], guest)] or [
            h for h in where if _has(free[h], guest)
        ]
        to = next((host for host in fits if host != guest.at), fits[0] if fits else "")
        if not to and full:
            to = max(where, key=lambda host: free[host][0])
        if not to:
            raise ValueError("the fleet is too full to be shuffled")
        free[to] = [free[to][0] - guest.memory, free[to][1] - guest.vcpus]
        guests.append(replace(guest, to=to, pinned=False))
    return replace(problem, guests=tuple(guests), rules=())


def _has(free: list[int], guest: Guest) -> bool:
    return free[0] >= guest.memory and free[1] >= guest.vcpus
