"""The plain values that pass through the doors in ports.py: what hosts answered, and what is asked of them.

No behaviour, and no door: who only reads what was seen imports this file and cannot reach a host with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command left behind. Texts are cut at the adapter's cap."""

    code: int
    out: str
    err: str = ""


FAILED_POST_COPY = "post-copy failed"
"""The reason of both halves of a domain whose post-copy broke: each has memory that the other has not."""


@dataclass(frozen=True, slots=True)
class DomainReading:
    """One domain as libvirt gives it; `state` is libvirt's word (running, paused, shutoff, ...).

    `reason` is libvirt's word for why, where it matters: migrating, migrated, post-copy, post-copy failed, starting up,
    user, I/O error.
    `config` is the inactive XML, `live` the running one or empty; `addresses` pairs MAC and address. `keeps` names what
    libvirt stores of it beside its definition: a managed save image, snapshots, checkpoints.
    """

    uuid: str
    name: str
    state: str
    config: str
    live: str = ""
    persistent: bool = True
    autostart: bool = False
    migrating: bool = False
    addresses: tuple[tuple[str, str], ...] = ()
    taints: tuple[str, ...] = ()
    reason: str = ""
    keeps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VolumeReading:
    """One volume; sizes in bytes."""

    name: str
    path: str
    capacity: int
    allocation: int


@dataclass(frozen=True, slots=True)
class PoolReading:
    """One storage pool; sizes in bytes, zero while it is inactive."""

    name: str
    xml: str
    active: bool
    autostart: bool
    capacity: int = 0
    allocation: int = 0
    available: int = 0
    volumes: tuple[VolumeReading, ...] = ()


@dataclass(frozen=True, slots=True)
class NetworkReading:
    """One libvirt network and the bridge behind it."""

    name: str
    active: bool
    bridge: str = ""


@dataclass(frozen=True, slots=True)
class Inventory:
    """All of one hypervisor in one bulk read; `machines` are machine types of its architecture, memory is bytes.

    `virts` and `emulators` are that architecture's domain types and emulators; `versions` pairs software and version.
    """

    hostname: str
    arch: str = ""
    memory: int = 0
    cpus: int = 0
    machines: tuple[str, ...] = ()
    domains: tuple[DomainReading, ...] = ()
    pools: tuple[PoolReading, ...] = ()
    networks: tuple[NetworkReading, ...] = ()
    virts: tuple[str, ...] = ()
    emulators: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Counters:
    """What libvirt has counted of a running domain since its QEMU began, at `at` (seconds of a clock that only grows).

    Sums over all vCPUs, disks and NICs; `_ns` are nanoseconds. `delay_ns` is time a vCPU could run and was not let to;
    `drops` are packets dropped or broken. `rss` is no counter but the host memory its QEMU takes, in bytes.
    """

    at: float
    vcpu_ns: int = 0
    delay_ns: int = 0
    reads: int = 0
    read_bytes: int = 0
    read_ns: int = 0
    writes: int = 0
    write_bytes: int = 0
    write_ns: int = 0
    flushes: int = 0
    flush_ns: int = 0
    rx_bytes: int = 0
    tx_bytes: int = 0
    drops: int = 0
    rss: int = 0


@dataclass(frozen=True, slots=True)
class JobNumbers:
    """A migration job's statistics: bytes, bytes per second, milliseconds; `disks` are bytes of disks.

    `post_copy` says that it runs at the destination already.
    """

    phase: str = ""
    total: int = 0
    processed: int = 0
    remaining: int = 0
    rate: int = 0
    dirty_rate: int = 0
    iteration: int = 0
    elapsed_ms: int = 0
    downtime_ms: int = 0
    disks: int = 0
    post_copy: bool = False


@dataclass(frozen=True, slots=True)
class Nudge:
    """What to do to a running migration: allow `milliseconds` of downtime, switch to post-copy, suspend, or abort."""

    what: Literal["downtime", "post-copy", "suspend", "abort"]
    milliseconds: int = 0


Watch = Callable[[JobNumbers], Nudge | None]
"""Hears of every look at a running migration, and may answer with what is to be done to it."""


@dataclass(frozen=True, slots=True)
class MigrationRequest:
    """A live migration: peer to peer by the URI the source's libvirtd opens, or `managed`, with both libvirtds spoken
    to from here and `destination` empty. `data` is the URI of the memory channel.

    `disks` are targets of disks that are copied too, through `disks_port` of the destination; all others stay where
    they are. Zero or empty means: leave libvirt's default. `channel` is plain, tls or tunnel; a tunnel has no `data`.
    `tls_name` is the name to look for in the destination's certificate instead of the address in `data`.
    `connections` above zero copies over so many. `timeout` is seconds after which it is aborted whatever `watch`
    says, unless it is in post-copy. `resume` takes up a broken post-copy: all else must be as it was.
    """

    uuid: str
    destination: str
    data: str
    bandwidth: int = 0
    max_downtime_ms: int = 0
    auto_converge: bool = False
    post_copy: bool = False
    compress: bool = False
    unsafe: bool = False
    timeout: float = 600.0
    disks: tuple[str, ...] = ()
    disks_port: int = 0
    managed: bool = False
    channel: str = "plain"
    tls_name: str = ""
    connections: int = 0
    resume: bool = False


@dataclass(frozen=True, slots=True)
class CertificateTerms:
    """What a user certificate permits: one command as one user from one IPv4 address, `lifetime` seconds from now on.

    `identity` and `serial` are what sshd writes into its log.
    """

    identity: str
    serial: int
    user: str
    source: str
    command: str
    lifetime: int
