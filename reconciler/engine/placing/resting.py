"""Who moved so short a while ago that rules leave it alone for now, and until when. Pure.

A person's word goes before: a host that is declared, a drain, hosts that a policy names no more. Moves nobody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from reconciler.model.fleet import Fleet
from reconciler.model.placing import Tenant
from reconciler.model.units import show_duration
from reconciler.placement.problem import Guest, Host

Ends = Mapping[str, int]


def resting(tenants: Iterable[Tenant], fleet: Fleet, now: int) -> Ends:
    """By name, the second at which its cool-down ends. One that came in the future is of a clock that is wrong."""
    rest = int(fleet.limits.cool_down)
    if not rest:
        return {}
    return {t.name: t.moved + rest for t in tenants if t.moved and abs(now - t.moved) < rest and _may_rest(t, fleet)}


def _may_rest(tenant: Tenant, fleet: Fleet) -> bool:
    card = fleet.hosts.get(tenant.at)
    if tenant.policy is None or card is None or card.maintenance:
        return False
    return tenant.at in tenant.policy.hosts


def cooled(guests: Iterable[Guest], hosts: Iterable[Host], ends: Ends) -> tuple[Guest, ...]:
    """The guests, those that rest as cooling; on a host that is too full they are only the last to leave."""
    known = tuple(guests)
    if not ends:
        return known
    rooms = {host.name: host.room() for host in hosts}
    taken = {name: [0, 0] for name in rooms}
    for guest in known:
        if guest.at:
            taken[guest.at][0] += guest.memory
            taken[guest.at][1] += guest.vcpus
    full = {name for name, (memory, vcpus) in taken.items() if memory > rooms[name][0] or vcpus > rooms[name][1]}
    return tuple(
        guest
        if guest.name not in ends or guest.pinned
        else replace(guest, sticky=True)
        if guest.at in full
        else replace(guest, cooling=True)
        for guest in known
    )


def rests(name: str, ends: Ends, fleet: Fleet) -> str:
    """What the plan says of one that would move, or let others be, if it did not rest."""
    until = datetime.fromtimestamp(ends[name], UTC).strftime("%Y-%m-%d %H:%M UTC")
    rest = show_duration(fleet.limits.cool_down)
    return f"{name} moved less than {rest} ago, and rules leave it alone until {until} (Fleet.limits.coolDown)"
