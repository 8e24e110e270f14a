"""The fleet as every kind needs to know it: its hosts, how to reach them, and its policy.

Filled by resolve from Fleet and Host specs; knows no YAML and no host's state.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MODES = ("observe", "propose", "apply")
"""What a scheduled pass may do, from nothing at all to everything the limits allow."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""Of a change window, as datetime counts them."""

MODE = "reconciler/mode"
"""The annotation by which one object has a mode of its own; the stricter one counts."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How the reconciler logs in. `host_keys` are pinned lines (`ssh-ed25519 AAAA...`); else known_hosts decides."""

    user: str = "root"
    port: int = 22
    identity_file: str = ""
    known_hosts_file: str = ""
    host_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Overcommit:
    """How many times over a host's memory and CPUs may be given to VMs, in percent; 0: not counted."""

    memory: int = 100
    vcpus: int = 0


@dataclass(frozen=True, slots=True)
class HostCard:
    """One host: name in the specs, FQDN, the address to reach it at, and its migration channel.

    `reserve` is memory in bytes no VM may take; `maintenance`: every VM that may leaves. `overcommit` is None where the
    fleet's counts, `link` the migration network's bytes per second, 0 for unknown; `file` and `line` are where it was
    declared.
    """

    name: str
    fqdn: str
    address: str
    connection: Connection = field(default_factory=Connection)
    labels: Mapping[str, str] = field(default_factory=dict)
    migration_address: str = ""
    migration_ports: tuple[int, int] = (0, 0)
    reserve: int = 0
    maintenance: bool = False
    overcommit: Overcommit | None = None
    link: int = 0
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """What these hosts share: `moves` over it at a time, each of at most `rate` bytes per second, 0 for no limit.

    A move of which one end is among them goes over it. Of an `uplink` only one end: a move within stays below it.
    """

    hosts: frozenset[str]
    moves: int = 1
    rate: int = 0
    uplink: bool = False

    def carries(self, source: str, target: str) -> bool:
        """Does a move between the two go over it?"""
        ends = (source in self.hosts) + (target in self.hosts)
        return ends == 1 if self.uplink else ends > 0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one pass may do unasked. `disruption` is the highest class allowed.

    `moves_per_host` and `moves` at a time; `moves_per_pass` and `bytes_per_pass` in all, 0: as many as there are.
    `cool_down` is how many seconds rules leave a VM alone after it moved, `links` are what hosts share.
    """

    moves_per_host: int = 2
    moves: int = 4
    deletes_per_pass: int = 0
    disruption: str = "move-live"
    moves_per_pass: int = 0
    bytes_per_pass: int = 0
    cool_down: float = 0.0
    links: tuple[Link, ...] = ()

    def rate(self, source: str, target: str, most: int) -> int:
        """Bytes per second of a move between the two, which may be `most`; 0 for no limit."""
        shared = (link.rate for link in self.links if link.carries(source, target))
        return min((rate for rate in (most, *shared) if rate), default=0)


@dataclass(frozen=True, slots=True)
class Suspension:
    """No scheduled pass changes anything until then, seconds UTC (0: until it is taken back), and why."""

    until: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """When scheduled passes may do what disturbs: days it begins on, minutes of the day, a zone of the tz database.

    `end` at or before `start` is on the next day. `disruption` is the highest class inside it.
    """

    days: tuple[str, ...]
    start: int
    end: int
    timezone: str = "UTC"
    disruption: str = "delete"


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """Leases between hosts: key type, lifetime in seconds, and the user who logs in on the destination.

    `mode` is key (the source logs in with a leased one), certificate (so it does, and a certificate lets it in) or none
    (the reconciler drives the move, nobody logs in). `authority_file` is where the reconciler's machine has the private
    half of the authority that signs, `authority_key` its public half, as `TYPE BASE64`.
    """

    key_type: str = "ed25519"
    lifetime: int = 900
    user: str = "root"
    mode: str = "key"
    authority_file: str = ""
    authority_key: str = ""

    @property
    def authority(self) -> str:
        """The public half of the authority every host must trust; empty where nothing is signed."""
        return self.authority_key if self.mode == "certificate" else ""


@dataclass(frozen=True, slots=True)
class MovePolicy:
    """How a VM moves: seconds, bytes per second, zero for libvirt's default. `unsafe` skips libvirt's storage rule.

    `method` is live, cold or auto; `measure` is how long its performance is watched on each side; zero: not at all.
    `storage` is shared or copy: whether disks in pools that are not shared go along; `old_copy` is keep or delete.
    """

    method: str = "live"
    auto_converge: bool = False
    post_copy: bool = False
    max_downtime: float = 0.0
    compress: bool = False
    bandwidth: int = 0
    timeout: float = 600.0
    on_timeout: str = "abort"
    unsafe: bool = False
    measure: float = 2.0
    storage: str = "shared"
    old_copy: str = "keep"
    encrypt: str = "auto"
    connections: int = 0

    def contradictions(self) -> Iterator[tuple[str, str, str]]:
        """What cannot be together: the YAML field, the mistake, its remedy."""
        if self.on_timeout == "post-copy" and not self.post_copy:
            yield "onTimeout", "onTimeout: post-copy without postCopy: true", "allow post-copy, or say abort or suspend"
        if self.post_copy and self.connections:
            yield "connections", "post-copy was not tried over parallel connections", "leave one of the two out"
        if self.compress and self.connections:
            fix = "leave one of the two out"
            yield "compress", "compressed memory goes over one connection only, not over parallel ones", fix


@dataclass(frozen=True, slots=True)
class Fleet:
    """Everything that is not an object on a host: name, mode, limits and the hosts by name.

    `mode`, `interval` (seconds), `suspension` and `windows` are about scheduled passes only. `host_failures` is how
    many hosts may be lost, 0 or 1, with room for their VMs on the others.
    """

    name: str = "default"
    declared: bool = False
    mode: str = "apply"
    interval: float = 300.0
    suspension: Suspension | None = None
    windows: tuple[Window, ...] = ()
    limits: Limits = field(default_factory=Limits)
    access: AccessPolicy = field(default_factory=AccessPolicy)
    migration: MovePolicy = field(default_factory=MovePolicy)
    connection: Connection = field(default_factory=Connection)
    overcommit: Overcommit = field(default_factory=Overcommit)
    host_failures: int = 0
    hosts: Mapping[str, HostCard] = field(default_factory=dict)

    def room(self, host: str, memory: int) -> int:
        """Bytes that VMs may take on a host with so much memory: less its reserve, times its overcommit ratio."""
        card = self.hosts[host]
        return max(0, memory - card.reserve) * (card.overcommit or self.overcommit).memory // 100

    def select(self, selector: Any) -> tuple[str, ...]:
        """Names of the hosts a spec's `hosts` field means, sorted; unknown names are passed over."""
        if selector == "all":
            return tuple(sorted(self.hosts))
        if isinstance(selector, list):
            return tuple(sorted(set(selector) & set(self.hosts)))
        wanted = selector.match_labels.items()
        return tuple(n for n, card in sorted(self.hosts.items()) if all(card.labels.get(k) == v for k, v in wanted))
