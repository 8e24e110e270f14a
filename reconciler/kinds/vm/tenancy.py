"""What each domain takes of its host, which hosts could run it, and whether this plan may move it at all. Pure.

Hosts and VMs of one sort are compared once. Chooses no host; where many want the same room is placing's business.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from operator import attrgetter
from typing import Any

from reconciler.kinds.vm.blockers import unfit
from reconciler.kinds.vm.copying import COPY, copied
from reconciler.kinds.vm.creation import create
from reconciler.kinds.vm.moves import apart
from reconciler.kinds.vm.state import LEFT, Disk, DomainState, Nic, Room, VmDesired
from reconciler.kinds.vm.underway import leaving, towards
from reconciler.model.action import Refusal
from reconciler.model.desired import Desired, View
from reconciler.model.placing import Home, Pace, Seat, Tenancy, Tenant
from reconciler.model.ref import Place

Sightings = Sequence[tuple[Place, DomainState]]
UNKNOWN = Pace()
COLD, STOP, LIVE = "cold", "stop", "live"


def settle(item: Desired, seat: Seat) -> Desired:
    """The VM wanted on that host; a cold way is taken where live is impossible."""
    want: VmDesired = replace(item.value, host=seat.host, why=seat.why)
    if seat.how == COLD and want.moves.method == LIVE:
        want = replace(want, moves=replace(want.moves, method="auto"))
    if seat.how == STOP:
        want = replace(want, power="stopped")
    return replace(item, place=replace(item.place, host=seat.host), value=want)


def tenancy(view: View) -> Tenancy:
    """Every host that answered with its room, every domain seen on one, and the declared VMs that are nowhere yet."""
    homes = tuple(Home(place.host, room.memory, room.cpus) for place, room in view.snapshot.of("room"))
    declared = {item.place.name: item for item in view.of("vm")}
    names = dict.fromkeys(place.name for place, _ in view.snapshot.of("vm"))
    sorts = _Sorts(view)
    found = [t for name in names for t in _seen(declared.get(name), view.snapshot.named("vm", name), view, sorts)]
    found += [_new(item, view, sorts) for name, item in declared.items() if name not in names]
    return Tenancy(homes, tuple(found))


def _seen(item: Desired | None, seen: Sightings, view: View, sorts: "_Sorts") -> Iterator[Tenant]:
    """One for the VM, and one for each further half of it, which only takes room."""
    place, state = leaving(seen) or seen[0]
    want: VmDesired | None = item.value if item else None
    whole, cut = apart(seen)
    waits = state.power == "paused" and state.reason in LEFT
    unsettled = bool(state.migrating or cut is not None or state.making or waits)
    odd = unsettled or len(whole) != 1 or not state.persistent
    foreign = state.fleet not in ("", view.fleet.name)
    if want is None or odd or foreign or state.power not in ("running", "stopped"):
        at = towards(seen) or place.host
        for other, half in seen:
            name = place.name if other.host == at else str(other)
            mine = other.host == at and want is not None
            wants, policy = (want.host, want.policy) if want and mine else ("", None)
            yield Tenant(name, other.host, _takes(half, want), half.vcpus, wants, policy, unsettled=unsettled)
        return
    moves = want.policy is not None or want.host != place.host or view.fleet.hosts[place.host].maintenance
    moves = moves or view.fleet.host_failures > 0
    reach, why = sorts.reach(want, state, place.host) if moves else (None, "")
    wants, needs = want.host, _takes(state, want)
    yield Tenant(
        place.name,
        place.host,
        *(needs, state.vcpus, wants, want.policy, False, want.drain),
        reach=reach,
        why=why,
        moved=state.moved,
        home=state.home if want.policy or want.drain == COLD else "",
        pace=_pace(state),
        disks=sum(disk.data for disk in copied(want, state, place.host, view)) if state.power == "running" else 0,
    )


def _pace(state: DomainState) -> Pace:
    known = (state.dirty, state.downtime, state.measured)
    return UNKNOWN if known == (None, None, None) else Pace(*known)


def _takes(state: DomainState, want: VmDesired | None) -> int:
    """Bytes; none while it is off and stays so."""
    if state.power != "stopped":
        return state.memory
    starts = want is not None and (want.power == "running" or (want.power is None and state.resume))
    return max(state.memory, (want.memory if want else None) or 0) if starts else 0


def _new(item: Desired, view: View, sorts: "_Sorts") -> Tenant:
    """One that is nowhere: while a host is silent it may be there, and then nothing is decided."""
    want: VmDesired = item.value
    silent = any("vm" in s.kinds for s in view.snapshot.silences)
    base = next((state for _, state in view.snapshot.named("vm", want.base)), None) if want.base else None
    memory, vcpus = want.memory or (base.memory if base else 0), want.vcpus or (base.vcpus if base else 1)
    if want.power != "running":
        memory = 0
    asked = want.policy is not None or view.fleet.host_failures > 0
    reach = sorts.birth(item) if asked and not silent else None
    fixed = silent or (want.policy is not None and not reach)
    return Tenant(want.name, "", memory, vcpus, want.host, want.policy, fixed, want.drain, reach=reach)


class _Sorts:
    """Hosts that cannot be told apart by what a VM needs of them, and verdicts that are reached once per sort."""

    def __init__(self, view: View) -> None:
        self._view = view
        pools: dict[str, set[str]] = {}
        for item in view.of("pool"):
            pools.setdefault(item.place.host, set()).add(item.place.name)
        self._numbers: dict[Hashable, int] = {}
        self._sort: Mapping[str, int] = {
            place.host: self._number((_traits(room), frozenset(pools.get(place.host, ()))))
            for place, room in view.snapshot.of("room")
            if place.host in view.fleet.hosts
        }
        self._all = tuple(self._sort)
        self._members: dict[int, frozenset[str]] = {}
        self._verdicts: dict[Hashable, tuple[tuple[str, ...], str]] = {}

    def _number(self, sort: Hashable) -> int:
        """The same for what is equal: so each sort is hashed once, and not with every question about it."""
        return self._numbers.setdefault(sort, len(self._numbers))

    def reach(self, want: VmDesired, state: DomainState, origin: str) -> tuple[tuple[str, ...], str]:
        """Hosts it may run on by its policy (or any), and can get to by the methods it may move by; why no other."""
        hosts = want.policy.hosts if want.policy else self._all
        drained = self._view.fleet.hosts[origin].maintenance or state.home
        ways = "auto" if want.drain == COLD and drained else want.moves.method
        own = want.name if want.moves.storage == COPY else self._number(_character(state))
        key = (own, ways, self._number(want.moves), want.shared, want.power, self._sort.get(origin), id(hosts))
        if key not in self._verdicts:
            self._verdicts[key] = self._verdict(want, state, origin, ways)
        able, why = self._verdicts[key]
        if origin in able or not self._is_of(origin, hosts):
            return able, why if all(host == origin for host in able) else ""
        return self._verdicts.setdefault((key, origin), (tuple(sorted((*able, origin))), why))

    def _is_of(self, host: str, hosts: tuple[str, ...]) -> bool:
        if id(hosts) not in self._members:
            self._members[id(hosts)] = frozenset(hosts)
        return host in self._members[id(hosts)]

    def _verdict(self, want: VmDesired, state: DomainState, origin: str, ways: str) -> tuple[tuple[str, ...], str]:
        """Hosts that can run it, its own only as one of its sort; and all that is said against the others."""
        against: dict[Hashable, tuple[str, ...]] = {}
        found = []
        for host in want.policy.hosts if want.policy else self._all:
            sort = (self._sort.get(host), host if want.moves.storage == COPY else "")
            if sort not in against:
                against[sort] = self._against(replace(want, host=host), state, origin, ways)
            if not against[sort]:
                found.append(host)
        return tuple(found), "; ".join(dict.fromkeys(reason for reasons in against.values() for reason in reasons))

    def _against(self, want: VmDesired, state: DomainState, origin: str, ways: str) -> tuple[str, ...]:
        """What is in the way of every method that it may move by."""
        found = unfit(want, state, origin, self._view)
        against = {blocker.against for blocker in found}
        live, cold = against <= {COLD}, against <= {LIVE}
        off = state.power != "running" or want.power == "stopped"
        able = cold if off or ways == COLD else live or (ways == "auto" and cold)
        return () if able else tuple(blocker.reason for blocker in found)

    def birth(self, item: Desired) -> tuple[str, ...]:
        """Hosts on which it could be made; its declared one is not asked about."""
        want: VmDesired = item.value
        bases = {place.host for place, _ in self._view.snapshot.named("vm", want.base)}
        able: dict[Hashable, bool] = {}
        found = []
        for host in want.policy.hosts if want.policy else self._all:
            if host == want.host:
                found.append(host)
                continue
            sort = (self._sort.get(host), host in bases)
            if sort not in able:
                steps = create(settle(item, Seat(host)), self._view)
                pools = all(self._view.at(Place("pool", host, disk.pool)) for disk in want.disks)
                able[sort] = host in self._sort and pools and not any(isinstance(s, Refusal) for s in steps)
            if able[sort]:
                found.append(host)
        return tuple(found)


def _traits(room: Room) -> Hashable:
    """All that blockers look at, but not how full it is."""
    up = tuple(sorted(pool.name for pool in room.pools if pool.active))
    versions = tuple(sorted(room.versions.items()))
    devices = (room.machines, room.networks, room.bridges, room.virts, room.emulators)
    return (room.arch, *devices, versions, room.locks, room.userfault, up)


def _character(state: DomainState) -> Hashable:
    """The same for VMs that the same hosts can run: nothing of it is its own name, number, size or past."""
    disks = tuple((_OF_DISK(disk), disk.path.rpartition("/")[0]) for disk in state.disks)
    nics = tuple(_OF_NIC(nic) for nic in state.nics)
    return _OF_DOMAIN(state), disks, nics, state.nvram.rpartition("/")[0]


def _all_but(type_: Any, *names: str) -> Callable[[Any], Hashable]:
    return attrgetter(*(field.name for field in fields(type_) if field.name not in names))


_OF_DISK, _OF_NIC = _all_but(Disk, "path", "beneath"), _all_but(Nic, "mac")
_OF_DOMAIN = _all_but(
    DomainState,
    *("uuid", "memory", "vcpus", "digest", "guest", "addresses", "taints", "label", "fleet", "home", "moved"),
    *("dirty", "downtime", "measured", "disks", "nics", "nvram"),
)
