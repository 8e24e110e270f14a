"""Where VMs may run, what placing has to know of each, and what it decided.

Values only. Kinds fill the first half from specs and snapshot, the engine the second from the planner's answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.model.forecast import Forecast
from reconciler.model.ref import Ref


@dataclass(frozen=True, slots=True)
class Apart:
    """At most `most` of these VMs on one host, or in one value of the host label `over`; `always`, or at the end."""

    vms: tuple[str, ...]
    over: str = ""
    most: int = 1
    always: bool = True


@dataclass(frozen=True, slots=True)
class Together:
    """These VMs on one host, or in one value of the host label `over`; holds at the end, for moves go one by one."""

    vms: tuple[str, ...]
    over: str = ""


@dataclass(frozen=True, slots=True)
class Shun:
    """`vm` on no host with any of `others`, who may share one among themselves; `always`, or at the end."""

    vm: str
    others: tuple[str, ...]
    always: bool = True


Rule = Apart | Together | Shun


@dataclass(frozen=True, slots=True)
class Policy:
    """Where a VM may run: one of these hosts, within these rules.

    A higher `priority` is placed first; a `sticky` one leaves only when its host cannot keep it.
    """

    hosts: tuple[str, ...]
    rules: tuple[Rule, ...] = ()
    priority: int = 0
    sticky: bool = False


@dataclass(frozen=True, slots=True)
class Home:
    """What one host has: memory in bytes and CPUs, 0 where unknown."""

    host: str
    memory: int
    cpus: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """How a guest writes while it moves: bytes of pages per second, milliseconds of silence; None: not known.

    `dirty` and `downtime` are of its last live move, `measured` is what its host says now. `basis` says which of them
    `rate` is: measured, last-move, or default where nothing is known.
    """

    dirty: int | None = None
    downtime: int | None = None
    measured: int | None = None

    @property
    def rate(self) -> int | None:
        return self.dirty if self.measured is None else self.measured

    @property
    def basis(self) -> str:
        if self.measured is not None:
            return "measured"
        return "default" if self.dirty is None else "last-move"


@dataclass(frozen=True, slots=True)
class Tenant:
    """One VM on one host, or on none yet (`at` empty). `memory` in bytes and `vcpus` are what it takes there.

    `wants` is the host it is declared on, empty where a policy decides. `fixed`: this plan moves it nowhere, whatever
    is declared; `unsettled`: because something of it was begun and is not ended. `drain` is its own word for when its
    host is in maintenance: live, cold, stop or stay. `reach` are the hosts that can run it, None: nobody has to know;
    `why` is what keeps it from all others where it can run on none but its own. `moved` is when it last came from
    another host, in seconds since 1970, 0 where nobody knows. `home` is the host that a drain sent it away from, where
    it may return. `pace` is what is known of how it writes; `disks` are bytes of disks that go along.
    """

    name: str
    at: str
    memory: int
    vcpus: int
    wants: str = ""
    policy: Policy | None = None
    fixed: bool = True
    drain: str = "live"
    unsettled: bool = False
    reach: tuple[str, ...] | None = None
    why: str = ""
    home: str = ""
    pace: Pace = Pace()
    disks: int = 0
    moved: int = 0


@dataclass(frozen=True, slots=True)
class Tenancy:
    """All hosts that answered, and all that is on them or shall be."""

    homes: tuple[Home, ...] = ()
    tenants: tuple[Tenant, ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """The arrival of `ref` on `host` needs that `other` has left for `away` before, and well."""

    ref: Ref
    host: str
    other: Ref
    away: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why an object is not where it should be, and what would free it; `shared`: others are part of the reason."""

    reason: str
    fix: str
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Seat:
    """The host an object is to be on, how it gets there: live or cold (if live is impossible), and why there.

    `how` is stop where it stays and is shut down. `why` is empty where a person declared that very host.
    """

    host: str
    how: str = "live"
    why: str = ""


@dataclass(frozen=True, slots=True)
class Placing:
    """What was decided: each object's `seats`; `via` go through a third host first, `waits` is the order.

    `roomy` have their room in this plan. `refused` are not brought where they should be, with the reason; `later` could
    be, and wait for another pass.
    """

    seats: Mapping[Ref, Seat] = field(default_factory=dict)
    roomy: frozenset[Ref] = frozenset()
    via: Mapping[Ref, str] = field(default_factory=dict)
    waits: tuple[Wait, ...] = ()
    refused: Mapping[Ref, Verdict] = field(default_factory=dict)
    later: tuple[Ref, ...] = ()
    forecast: Forecast = field(default_factory=Forecast)
