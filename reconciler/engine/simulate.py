"""A pass carried out on paper: the plan for a saved snapshot, and each host before it and after all its effects. Pure.

Proves nothing about real hosts; what a move needs of them is asked when it is made.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.engine.once import Wanted, placed, think
from reconciler.kind import Kind
from reconciler.model.desired import View
from reconciler.model.placing import Home
from reconciler.model.plan import Plan, Source
from reconciler.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class HostLoad:
    """One host: what runs there, the bytes it takes, and the bytes that may be taken; 0 where that is unknown."""

    host: str
    vms: tuple[str, ...]
    taken: int
    room: int


@dataclass(frozen=True, slots=True)
class Simulated:
    """The plan, and every host before and after it, in order of names."""

    plan: Plan
    before: tuple[HostLoad, ...]
    after: tuple[HostLoad, ...]


def simulate(wanted: Wanted, snapshot: Snapshot, kinds: Sequence[Kind], source: Source) -> Simulated:
    """Raises what planning raises."""
    made = think(wanted, snapshot, kinds, source)
    ended = snapshot
    for action in made.actions:
        ended = action.effect(ended)
    before, after = (loads(placed(wanted, seen, kinds), kinds) for seen in (snapshot, ended))
    return Simulated(made, before, after)


def loads(view: View, kinds: Sequence[Kind]) -> tuple[HostLoad, ...]:
    """What is on each host that answered."""
    found = []
    for tenancy in (kind.tenancy(view) for kind in kinds):
        for home in sorted(tenancy.homes, key=lambda home: home.host):
            here = [tenant for tenant in tenancy.tenants if tenant.at == home.host and tenant.memory]
            names = tuple(sorted(tenant.name for tenant in here))
            found.append(HostLoad(home.host, names, sum(tenant.memory for tenant in here), room(home, view)))
    return tuple(found)


def room(home: Home, view: View) -> int:
    """Bytes that VMs may take there; 0 where that is not known."""
    return view.fleet.room(home.host, home.memory) if home.host in view.fleet.hosts else 0
