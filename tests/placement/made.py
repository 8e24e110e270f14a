"""Random small fleets with every rule, limit and trouble a Problem can hold, from a seed.

Makes values only; what must hold for their plans is in test_laws.
"""

from dataclasses import replace
from random import Random

from reconciler.placement.problem import Avoid, Dirty, Gather, Guest, Host, Limits, Link, Problem, Rule, Spread

GIB = 1024


def problem(seed: int) -> Problem:
    """3 to 12 hosts; some drain or are closed, some guests are nowhere, some hosts too full."""
    rng = Random(seed)
    hosts = tuple(_host(rng, number) for number in range(rng.randint(3, 12)))
    names = [host.name for host in hosts]
    reaches = {f"r{n}": tuple(sorted(rng.sample(names, rng.randint(1, len(names))))) for n in range(3)}
    tight = rng.choice((0.4, 0.6, 0.8, 0.95))
    guests, free = [], {host.name: list(host.room()) for host in hosts}
    for number in range(rng.randint(4, 60)):
        guest = _guest(rng, f"v{number:02}", reaches, free, tight)
        if guest is not None:
            guests.append(guest)
    rules = tuple(_rule(rng, [guest.name for guest in guests]) for _ in range(rng.randint(0, 6) if guests else 0))
    asked = Problem(hosts, tuple(guests), reaches, rules, _limits(rng), survive=rng.choice((0, 0, 1)))
    return _linked(asked, rng) if rng.random() < 0.4 else asked


def _linked(asked: Problem, rng: Random) -> Problem:
    """One or two links that some of the hosts share."""
    count = rng.randint(1, 2)
    links = tuple(Link(rng.randint(1, 2), rng.choice((0, 500, 5_000)), rng.random() < 0.5) for _ in range(count))
    hosts = (replace(h, links=tuple(n for n in range(count) if rng.random() < 0.5)) for h in asked.hosts)
    return replace(asked, hosts=tuple(hosts), limits=replace(asked.limits, links=links))


def _host(rng: Random, number: int) -> Host:
    return Host(
        f"h{number:02}",
        memory=rng.choice((16, 32, 64)) * GIB,
        vcpus=rng.choice((8, 16, 32)),
        labels={"rack": f"r{rng.randrange(4)}"} if rng.random() < 0.8 else {},
        drain=rng.random() < 0.15,
        closed=rng.random() < 0.05,
        link=rng.choice((1_000, 10_000, 25_000)),
        reserve=rng.choice((0, 0, 2 * GIB)),
        memory_ratio=rng.choice((100, 100, 120)),
        vcpu_ratio=rng.choice((200, 400)),
    )


def _guest(
    rng: Random, name: str, reaches: dict[str, tuple[str, ...]], free: dict[str, list[int]], tight: float
) -> Guest | None:
    reach = rng.choice(("", "", *reaches))
    memory, vcpus = rng.choice((1, 2, 3, 4, 8, 12)) * GIB + rng.choice((0, 0, 100)), rng.choice((1, 2, 4))
    able = list(reaches[reach]) if reach else list(free)
    over = 1.3 if rng.random() < 0.03 else tight
    room = [h for h in able if free[h][0] >= memory and free[h][1] >= vcpus and rng.random() < over]
    if rng.random() < 0.04:
        able = sorted(free)
        room = able if rng.random() < 0.5 else [h for h in able if free[h][0] >= memory and free[h][1] >= vcpus]
    if not room:
        return None
    at = rng.choice(room) if rng.random() < 0.95 else ""
    if at:
        free[at] = [free[at][0] - memory, free[at][1] - vcpus]
    return Guest(
        name,
        memory,
        vcpus,
        at,
        to=rng.choice(able) if rng.random() < 0.06 else "",
        reach=reach,
        pinned=rng.random() < 0.05,
        cooling=rng.random() < 0.03,
        sticky=rng.random() < 0.05,
        priority=rng.randrange(3),
        dirty=Dirty(rng.choice((5, 96)), 2, rng.choice((0, 3, 50))),
    )


def _rule(rng: Random, names: list[str]) -> Rule:
    some = tuple(rng.sample(names, min(len(names), rng.randint(2, 4))))
    match rng.randrange(6):
        case 0:
            return Gather(some[:2])
        case 1:
            return Gather(some, "rack")
        case 2:
            return Avoid(some[0], some[1:], always=rng.random() < 0.7)
        case 3:
            return Spread(some, "rack", rng.randint(1, 2), always=rng.random() < 0.7)
        case _:
            return Spread(some, "", rng.randint(1, 2), always=rng.random() < 0.7)


def _limits(rng: Random) -> Limits:
    return Limits(
        moves_in=rng.choice((0, 1, 2)),
        moves_out=rng.choice((0, 1, 2)),
        moves=rng.choice((0, 0, 1, 4)),
        bandwidth=rng.choice((0, 0, 400)),
        window_moves=rng.choice((0, 0, 0, 5)),
        window_mib=rng.choice((0, 0, 0, 20 * GIB)),
    )
