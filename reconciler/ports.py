"""The seven doors to the outside, as small Protocols and the plain values that pass through them.

No behaviour: adapters implement these, tests fake them, and one contract suite holds both to the same word.
Every call names the host by its card, takes a deadline in seconds, and raises Unreachable or Refused.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from reconciler.model.fleet import HostCard


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


class Shell(Protocol):
    """Commands on hosts. Arguments are never seen by a shell of ours as anything but words."""

    def run(self, host: HostCard, argv: Sequence[str], *, stdin: str = "", deadline: float = 30.0) -> Reply: ...

    def batch(
        self, host: HostCard, commands: Mapping[str, Sequence[str]], *, deadline: float = 30.0
    ) -> Mapping[str, Reply]: ...


class Hypervisor(Protocol):
    """libvirt on hosts. Domains by UUID, pools and volumes by name. XML in and out is text."""

    def inventory(self, host: HostCard, *, deadline: float = 30.0) -> Inventory: ...

    def domain(self, host: HostCard, uuid: str) -> DomainReading | None: ...

    def domain_xml(self, host: HostCard, uuid: str) -> str: ...

    def compare_cpu(self, host: HostCard, xml: str) -> str:
        """The CPU of a (partial) domain XML beside what the host's hypervisor can give; changes nothing.

        identical, superset (it can give more), incompatible, or unknown where it cannot tell.
        """
        ...

    def define_domain(self, host: HostCard, xml: str) -> str: ...

    def undefine_domain(self, host: HostCard, uuid: str) -> None: ...

    def start_domain(self, host: HostCard, uuid: str) -> None: ...

    def shutdown_domain(self, host: HostCard, uuid: str) -> None: ...

    def resume_domain(self, host: HostCard, uuid: str) -> None:
        """Let a paused guest go on where it is; raises Refused when it is not paused."""
        ...

    def set_autostart(self, host: HostCard, uuid: str, on: bool) -> None: ...

    def set_metadata(self, host: HostCard, uuid: str, uri: str, element: str) -> None:
        """Our element of that URI, now and at the next boot; an empty text takes it away."""
        ...

    def define_pool(self, host: HostCard, xml: str) -> None: ...

    def build_pool(self, host: HostCard, pool: str) -> None: ...

    def start_pool(self, host: HostCard, pool: str) -> None: ...

    def stop_pool(self, host: HostCard, pool: str) -> None: ...

    def set_pool_autostart(self, host: HostCard, pool: str, on: bool) -> None: ...

    def refresh_pool(self, host: HostCard, pool: str) -> None: ...

    def volume_xml(self, host: HostCard, path: str) -> str: ...

    def copy_volume(
        self, host: HostCard, source_path: str, pool: str, xml: str, watch: Callable[[int], None]
    ) -> None: ...

    def delete_volume(self, host: HostCard, pool: str, volume: str) -> None: ...

    def counters(self, host: HostCard, uuid: str) -> Counters | None:
        """None where it is not running."""
        ...

    def finished_job(self, host: HostCard, uuid: str) -> JobNumbers | None: ...

    def running_job(self, host: HostCard, uuid: str) -> JobNumbers | None:
        """Numbers of the migration by which that domain leaves this host now; None where there is none."""
        ...

    def migrate(
        self,
        host: HostCard,
        request: MigrationRequest,
        watch: Watch,
        there: HostCard | None = None,
    ) -> JobNumbers:
        """Blocks until it has ended. `there` is the destination of a managed one, which ends with its caller."""
        ...


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


class Signer(Protocol):
    """The authority's private half, on the reconciler's own machine; its text never leaves the file."""

    def sign(self, authority: str, public: str, terms: CertificateTerms) -> str:
        """The certificate for that public key, one line; `authority` is a path. Raises ValueError saying why not."""
        ...


class NoSigner:
    """Signs nothing: for passes that change nothing, and for tests."""

    def sign(self, authority: str, public: str, terms: CertificateTerms) -> str:
        raise NotImplementedError


class Locks(Protocol):
    """Locks that hosts hold for a run: while it has them no other run changes anything there."""

    def looking(self) -> None:
        """An observation begins."""
        ...

    def held(self, hosts: Sequence[HostCard]) -> AbstractContextManager[Sequence[str]]:
        """All of them, or Locked; gives the names of hosts that another run left since `looking` was last called.

        Inside, any call may raise LockLost: the host has ended the lock, and does nothing more for this run.
        """
        ...

    def unlock(self, host: HostCard, run: str) -> bool:
        """End that run's lock on a host, and what it still does there. False: no lock; another's raises Locked."""
        ...


class NoLocks:
    """Locks for passes that need none: over a saved snapshot, or in tests."""

    def looking(self) -> None:
        return

    def held(self, hosts: Sequence[HostCard]) -> AbstractContextManager[Sequence[str]]:
        return nullcontext(())

    def unlock(self, host: HostCard, run: str) -> bool:
        return False


class SpecSource(Protocol):
    """A tree of YAML: its files in order, any file beside them, and the commit it is at."""

    def files(self) -> Sequence[tuple[str, str]]: ...

    def read(self, beside: str, relative: str) -> str: ...

    def commit(self) -> tuple[str, bool]: ...


class Clock(Protocol):
    """Time: seconds since 1970, and waiting."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class Journal(Protocol):
    """What was intended and what came of it, in order, kept. It explains; nothing is ever decided from it (law 9)."""

    @property
    def run(self) -> str: ...

    def write(self, event: str, **fields: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Hands:
    """What an action's `run` may use. `tell(phase, done, total, facts)` reports progress; `at` is a named failpoint.

    `facts` are those of an action that has ended in this walk, by its id; `hurried`: others wait for this one only.
    `insist` tries again what may be repeated, while a host does not answer.
    `silent` are hosts whose hypervisor did not answer when the plan was made: they are reported, not asked again.
    """

    hosts: Mapping[str, HostCard]
    hypervisor: Hypervisor
    shell: Shell
    clock: Clock
    tell: Callable[[str, int, int, Mapping[str, Any]], None] = field(default=lambda *_: None)
    at: Callable[[str], None] = field(default=lambda _: None)
    silent: frozenset[str] = frozenset()
    facts: Callable[[str], Mapping[str, Any]] = field(default=lambda _: {})
    hurried: Callable[[], bool] = field(default=lambda: False)
    insist: Callable[[Callable[[], Any]], Any] = field(default=lambda attempt: attempt())
    signer: Signer = field(default_factory=NoSigner)

    def others(self, host: str) -> Sequence[HostCard]:
        """Every host with an answering hypervisor but this one."""
        return [card for name, card in sorted(self.hosts.items()) if name != host and name not in self.silent]
