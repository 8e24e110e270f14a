"""What is asked: hosts, guests, rules, limits and effort, as plain integers and names.

Says nothing about how it is solved; whoever builds a Problem has already turned policy and blockers into it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Host:
    """One host. `memory` and `reserve` in MiB, ratios in percent, `link` in Mbit/s for each direction.

    `drain`: at the end nothing is left here. `closed`: nothing may come, what is here may stay. `links` are numbers of
    the shared links it hangs on.
    """

    name: str
    memory: int
    vcpus: int
    labels: Mapping[str, str] = field(default_factory=dict)
    drain: bool = False
    closed: bool = False
    link: int = 10_000
    reserve: int = 0
    memory_ratio: int = 100
    vcpu_ratio: int = 100
    links: tuple[int, ...] = ()

    def room(self) -> tuple[int, int]:
        """What guests may take in all: MiB of memory and vCPUs."""
        memory = max(0, self.memory - self.reserve) * self.memory_ratio // 100
        return memory, self.vcpus * self.vcpu_ratio // 100


@dataclass(frozen=True, slots=True)
class Dirty:
    """How a guest writes while it moves: `hot` MiB rewritten every `hot_seconds`, and `cold` MiB/s of new pages."""

    hot: int = 64
    hot_seconds: int = 2
    cold: int = 2

    @classmethod
    def at(cls, rate: int) -> "Dirty":
        """Of a guest of which only the MiB/s it writes are known: as the default one does, so much faster or slower."""
        usual = cls()
        whole = usual.hot + usual.cold * usual.hot_seconds
        return cls(
            rate * usual.hot_seconds * usual.hot // whole,
            usual.hot_seconds,
            rate * usual.hot_seconds * usual.cold // whole,
        )


@dataclass(frozen=True, slots=True)
class Guest:
    """One VM. `memory` in MiB is what it needs and what a move sends, after `disks` MiB of disks that go along; `at` is
    where it runs, empty: nowhere yet.

    `to` is the host it has to end on, where policy names one. `reach` names an entry of `Problem.reaches`: hosts that
    can run it at all, empty: any. `pinned` and `cooling` guests do not move in this
    plan, `sticky` ones only when their own host cannot keep them. A higher `priority` is placed first.
    """

    name: str
    memory: int
    vcpus: int
    at: str = ""
    to: str = ""
    reach: str = ""
    pinned: bool = False
    cooling: bool = False
    sticky: bool = False
    priority: int = 0
    dirty: Dirty = Dirty()
    disks: int = 0


@dataclass(frozen=True, slots=True)
class Spread:
    """At most `most` of the guests on one host, or in one value of the host label `over`.

    `always`: no arrival may break it, also while others move; else it holds at the end. Hosts without the label
    count as a value each.
    """

    guests: tuple[str, ...]
    over: str = ""
    most: int = 1
    always: bool = True


@dataclass(frozen=True, slots=True)
class Gather:
    """All of the guests in one value of the host label `over`, or on one host (`near`). Holds at the end."""

    guests: tuple[str, ...]
    over: str = ""


@dataclass(frozen=True, slots=True)
class Avoid:
    """`guest` never shares a host with any of `others`, who may share one among themselves."""

    guest: str
    others: tuple[str, ...]
    always: bool = True


Rule = Spread | Gather | Avoid


@dataclass(frozen=True, slots=True)
class Link:
    """What several hosts share: `moves` over it at a time, each of at most `mbit` Mbit/s, 0 for no limit.

    A move of which one end hangs on it goes over it. Of an `uplink` only one end: a move within stays below it.
    """

    moves: int = 1
    mbit: int = 0
    uplink: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What one plan may use; 0 is no limit, except `bypass_percent`.

    `moves_in`, `moves_out`: at a time per host. `moves`: at a time in the fleet. `bandwidth`: Mbit/s one move may take;
    without it a move takes all that both links have. `window_moves`, `window_mib`: in this plan altogether, what is
    beyond waits for a later one. `bypass_percent`: memory sent through third hosts,
    of the memory that must move; one guest may always be. `links` are what hosts share, by number.
    """

    moves_in: int = 1
    moves_out: int = 1
    moves: int = 0
    bandwidth: int = 0
    window_moves: int = 0
    window_mib: int = 0
    bypass_percent: int = 50
    links: tuple[Link, ...] = ()

    def crossed(self, source: Host, target: Host) -> tuple[int, ...]:
        """Numbers of the links that a move between the two goes over."""
        if not self.links:
            return ()
        inside = set(source.links) & set(target.links)
        ends = sorted({*source.links, *target.links})
        return tuple(number for number in ends if not (self.links[number].uplink and number in inside))


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to try, in deterministic units of about a second: polish of places, and exact search for an order.

    `exact_moves` is the most moves for which an exact order is looked for.
    """

    polish: float = 0.3
    exact: float = 1.0
    exact_moves: int = 2000


@dataclass(frozen=True, slots=True)
class Problem:
    """All of it. `reaches` gives names of hosts per reach; `survive`: how many hosts may be lost, 0 or 1."""

    hosts: tuple[Host, ...]
    guests: tuple[Guest, ...]
    reaches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    limits: Limits = Limits()
    survive: int = 0
