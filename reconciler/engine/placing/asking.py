"""The question: of all that takes room, what may move, where to, and within which rules. Pure; answers nothing.

What this plan does not move is only counted: its memory is taken off its host's room.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Set
from dataclasses import dataclass, field, replace

from reconciler.engine.placing.resting import Ends, cooled, resting
from reconciler.model.fleet import Fleet, HostCard
from reconciler.model.placing import Apart, Home, Policy, Rule, Shun, Tenancy, Tenant, Together
from reconciler.placement.problem import Avoid, Dirty, Gather, Guest, Host, Limits, Link, Problem, Spread
from reconciler.placement.problem import Rule as Asked

MIB = 2**20
LINK = 1_000
"""Mbit/s of a migration network nobody described."""
_UNCOUNTED = 10**6


@dataclass(frozen=True, slots=True)
class Question:
    """`problem` for the planner, and all tenants by name; `asked` are the names of those it may move or start.

    `named` are the only ones this plan is about, if any; `resting` says until when a cool-down lasts, and `cooling` are
    those that it keeps where they are.
    """

    problem: Problem
    tenants: Mapping[str, Tenant]
    asked: frozenset[str]
    named: frozenset[str] = frozenset()
    resting: Ends = field(default_factory=dict)
    cooling: frozenset[str] = frozenset()


def question(tenancy: Tenancy, fleet: Fleet, named: frozenset[str], still: frozenset[str], now: int = 0) -> Question:
    """`named`: with `--target`, the only ones to move; empty: all. `still` are not to be moved, whoever asks."""
    homes = {home.host: home for home in tenancy.homes if home.host in fleet.hosts}
    free = {name: card for name, card in fleet.hosts.items() if name in homes}
    asked = {t.name: t for t in tenancy.tenants if t.name not in still and _asks(t, free, named)}
    moving = {t.name for t in tenancy.tenants if t.unsettled}
    shared = [rule for rule in _shared(tenancy.tenants) if _asked_now(rule, asked.keys(), moving)]
    ruled = {name for rule in shared for name in names_of(rule)}
    beside = [t for t in tenancy.tenants if t.name not in asked and t.at in homes and _counts(t, fleet, ruled)]
    counted = {t.name for t in beside} | set(asked)
    rules = tuple(_asked(rule, counted) for rule in shared)
    taken = _taken((t.at, t.memory, t.vcpus if t.memory else 0) for t in tenancy.tenants if t.name not in counted)
    reaches: dict[str, tuple[str, ...]] = {}
    guests = [_guest(t, free, reaches) for t in asked.values()] + [_pinned(t, free, reaches) for t in beside]
    least = _taken((guest.at, guest.memory, guest.vcpus) for guest in guests[len(asked) :])
    hosts = tuple(_host(homes[name], card, fleet, taken[name], least[name]) for name, card in sorted(free.items()))
    ends = resting(asked.values(), fleet, now)
    known = cooled(sorted(guests, key=lambda g: g.name), hosts, ends)
    problem = Problem(hosts, known, reaches, rules, _limits(fleet), fleet.host_failures)
    cooling = frozenset(guest.name for guest in known if guest.cooling)
    return Question(problem, {t.name: t for t in tenancy.tenants}, frozenset(asked), named, ends, cooling)


def _taken(those: Iterable[tuple[str, int, int]]) -> Mapping[str, list[int]]:
    """Memory and vCPUs by host."""
    taken: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for host, memory, vcpus in those:
        taken[host][0] += memory
        taken[host][1] += vcpus
    return taken


def _asks(tenant: Tenant, homes: Mapping[str, HostCard], named: frozenset[str]) -> bool:
    """Is it for the planner to say where this goes? Not where it is fixed, at home, or its host did not answer."""
    if tenant.fixed or (named and tenant.name not in named) or (tenant.at and tenant.at not in homes):
        return False
    drains = bool(tenant.at) and homes[tenant.at].maintenance
    if drains and tenant.drain == "stay":
        return False
    if tenant.policy:
        return True
    if tenant.wants not in homes:
        return False
    return drains or (tenant.wants != tenant.at and not homes[tenant.wants].maintenance)


def _guest(tenant: Tenant, homes: Mapping[str, HostCard], reaches: dict[str, tuple[str, ...]]) -> Guest:
    policy = tenant.policy or Policy(())
    reach = _reach(tenant, homes, reaches)
    to = "" if tenant.policy or homes[tenant.wants].maintenance else tenant.wants
    memory, vcpus = _mib(tenant.memory), tenant.vcpus if tenant.memory else 0
    guest = Guest(tenant.name, memory, vcpus, tenant.at, to, reach, sticky=policy.sticky, priority=policy.priority)
    rate = tenant.pace.rate
    if rate is None and not tenant.disks:
        return guest
    dirty = guest.dirty if rate is None else Dirty.at(_mib(rate))
    return replace(guest, dirty=dirty, disks=_mib(tenant.disks))


def _pinned(tenant: Tenant, homes: Mapping[str, HostCard], reaches: dict[str, tuple[str, ...]]) -> Guest:
    """Where it may go is asked only for when its host is lost; that it may be where it is, is not asked."""
    reach = _reach(tenant, homes, reaches)
    if reach and tenant.at not in reaches[reach]:
        reaches.setdefault(f"{reach} {tenant.at}", (*reaches[reach], tenant.at))
        reach = f"{reach} {tenant.at}"
    vcpus = tenant.vcpus if tenant.memory else 0
    return Guest(tenant.name, _mib(tenant.memory), vcpus, tenant.at, tenant.at, reach, pinned=True)


def _reach(tenant: Tenant, homes: Mapping[str, HostCard], reaches: dict[str, tuple[str, ...]]) -> str:
    """The name of its hosts, which many share; empty for any."""
    if tenant.reach is None:
        return ""
    reach = str(id(tenant.reach))
    if reach not in reaches:
        reaches[reach] = tuple(host for host in tenant.reach if host in homes)
    return reach


def _counts(tenant: Tenant, fleet: Fleet, ruled: Container[str]) -> bool:
    """Must the planner know it, though it does not move it? For rules, and for what the loss of its host would mean."""
    survives = bool(fleet.host_failures) and not tenant.fixed and bool(tenant.wants or tenant.policy)
    return tenant.name in ruled or survives


def _mib(memory: int) -> int:
    return -(-memory // MIB)


def _host(home: Home, card: HostCard, fleet: Fleet, taken: list[int], least: list[int]) -> Host:
    """With the room that is left to guests; what stays there anyway is not held against the host."""
    over = card.overcommit or fleet.overcommit
    memory = fleet.room(card.name, home.memory) // MIB - _mib(taken[0])
    vcpus = home.cpus * over.vcpus // 100 - taken[1] if over.vcpus and home.cpus else _UNCOUNTED
    room = max(memory, least[0], 0) if home.memory else _UNCOUNTED * 1024
    link = card.link * 8 // 10**6 or LINK
    shared = tuple(number for number, one in enumerate(fleet.limits.links) if card.name in one.hosts)
    return Host(card.name, room, max(vcpus, least[1], 0), card.labels, card.maintenance, link=link, links=shared)


def _shared(tenants: Iterable[Tenant]) -> list[Rule]:
    """Each rule once, though many share it."""
    shared: dict[int, Rule] = {}
    for tenant in tenants:
        for rule in tenant.policy.rules if tenant.policy else ():
            shared.setdefault(id(rule), rule)
    return list(shared.values())


def _asked_now(rule: Rule, asked: Set[str], unsettled: Set[str]) -> bool:
    """Nobody follows a VM whose own move is not over; keeping away from it is asked all the same."""
    names = names_of(rule)
    return not asked.isdisjoint(names) and not (isinstance(rule, Together) and not unsettled.isdisjoint(names))


def _asked(rule: Rule, known: Container[str]) -> Asked:
    """Without those that are nowhere to be counted, such as on a host that did not answer."""
    match rule:
        case Apart(vms, over, most, always):
            return Spread(tuple(vm for vm in vms if vm in known), over, most, always)
        case Together(vms, over):
            return Gather(tuple(vm for vm in vms if vm in known), over)
        case Shun(vm, others, always):
            return Avoid(vm, tuple(other for other in others if other in known), always)


def names_of(rule: Rule) -> tuple[str, ...]:
    """Every VM that it is about."""
    return (rule.vm, *rule.others) if isinstance(rule, Shun) else rule.vms


def _limits(fleet: Fleet) -> Limits:
    limits, most = fleet.limits, fleet.migration.bandwidth
    return Limits(
        limits.moves_per_host,
        limits.moves_per_host,
        limits.moves,
        -(-most * 8 // 10**6),
        limits.moves_per_pass,
        limits.bytes_per_pass // MIB,
        links=tuple(Link(link.moves, link.rate * 8 // 10**6, link.uplink) for link in limits.links),
    )
