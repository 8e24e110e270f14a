"""What a domain is and what a host has room for, as seen; and what is declared of a VM.

Values only. Memory and sizes are bytes; `power` is running, stopped, paused or another of libvirt's words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.model.fleet import MovePolicy
from reconciler.model.placing import Policy

VOLATILE = {"volatile": True}
LEFT = ("migrating", "starting up")
"""Reasons of a pause that a migration leaves behind; a user's or an I/O error's is not ours to end."""


@dataclass(frozen=True, slots=True, order=True)
class VolumeAt:
    """One volume of one host's pool."""

    host: str
    pool: str
    name: str

    def __str__(self) -> str:
        return f"{self.host}:{self.pool}/{self.name}"


@dataclass(frozen=True, slots=True)
class Disk:
    """One disk device. `path` is the file or device, empty for an empty drive; `kind` is libvirt's disk type.

    `beneath` is the file its image is a layer over, as the running domain says; empty where the image is whole.
    """

    target: str
    path: str
    kind: str = "file"
    format: str = "raw"
    cache: str = ""
    readonly: bool = False
    shareable: bool = False
    beneath: str = ""


@dataclass(frozen=True, slots=True)
class Nic:
    """One interface, on a libvirt network or a bridge."""

    mac: str
    network: str = ""
    bridge: str = ""


@dataclass(frozen=True, slots=True)
class DomainState:
    """A domain on one host. `fleet` is our mark (empty: not ours), `making` the volumes a clone has not finished.
    `copying` are volumes that a move was making, `left` those that moves left behind, on whichever host.

    `immovable` names devices that cannot leave the host; `files` are kernel, initrd and loader paths; `bound` is what
    ties it to the host's own shape (pinning, NUMA, huge pages). `guest` is what hypervisors compare CPUs by, from the
    running XML; `virt` is libvirt's domain type (kvm, qemu). `reason` is why it is so, where that matters.

    `coming` is the host from which an offline move has not quite brought it yet, `boots` the autostart it then gets;
    `resume` says that a cold move shut it down, `prune` that it may be deleted once it is declared nowhere. `keeps` is
    what libvirt stores of it beside its definition, `local` what only a live move takes along. `moved` is when we last
    brought it from another host, in seconds since 1970, 0 for never. `home` is the host in maintenance that it was
    drained from, to which its policy lets it return. `dirty` (bytes of pages written per second) and `downtime`
    (milliseconds) are those of its last live move, `measured` is what its host measured of its writing now, in bytes
    per second, where somebody asked for that; None: not known.
    """

    uuid: str
    power: str
    persistent: bool = True
    autostart: bool = False
    vcpus: int = 1
    memory: int = 0
    arch: str = "x86_64"
    machine: str = ""
    cpu: str = ""
    disks: tuple[Disk, ...] = ()
    nics: tuple[Nic, ...] = ()
    nvram: str = ""
    console: bool = False
    fleet: str = ""
    digest: str = ""
    making: tuple[str, ...] = ()
    copying: tuple[VolumeAt, ...] = ()
    left: tuple[VolumeAt, ...] = ()
    immovable: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    virt: str = ""
    emulator: str = ""
    bound: tuple[str, ...] = ()
    coming: str = ""
    boots: bool = False
    resume: bool = False
    prune: bool = False
    home: str = ""
    keeps: tuple[str, ...] = ()
    local: tuple[str, ...] = ()
    dirty: int | None = field(default=None, metadata=VOLATILE)
    downtime: int | None = field(default=None, metadata=VOLATILE)
    measured: int | None = field(default=None, metadata=VOLATILE)
    guest: str = field(default="", metadata=VOLATILE)
    migrating: bool = field(default=False, metadata=VOLATILE)
    addresses: tuple[str, ...] = field(default=(), metadata=VOLATILE)
    taints: tuple[str, ...] = field(default=(), metadata=VOLATILE)
    label: str = field(default="", metadata=VOLATILE)
    reason: str = field(default="", metadata=VOLATILE)
    moved: int = field(default=0, metadata=VOLATILE)


@dataclass(frozen=True, slots=True)
class RoomPool:
    """A pool of a host as a VM sees it; `volumes` pairs path and bytes taken, `capacities` path and virtual size."""

    name: str
    path: str
    active: bool
    available: int
    volumes: tuple[tuple[str, int], ...] = ()
    capacities: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Room:
    """What one host offers to VMs: architecture, machine types, memory in bytes, networks, bridges, pools.

    `virts` and `emulators` are the domain types and emulators of its architecture; `versions` maps software to version;
    `locks` is qemu.conf's lock_manager, empty where nobody set one; `userfault` is 1 where QEMU may use userfaultfd, as
    post-copy must, 0 where not, empty where unknown.
    """

    arch: str
    memory: int
    machines: tuple[str, ...] = field(default=(), metadata=VOLATILE)
    networks: tuple[str, ...] = ()
    bridges: tuple[str, ...] = field(default=(), metadata=VOLATILE)
    pools: tuple[RoomPool, ...] = field(default=(), metadata=VOLATILE)
    virts: tuple[str, ...] = field(default=(), metadata=VOLATILE)
    emulators: tuple[str, ...] = field(default=(), metadata=VOLATILE)
    versions: Mapping[str, str] = field(default_factory=dict, metadata=VOLATILE)
    locks: str = field(default="", metadata=VOLATILE)
    userfault: str = field(default="", metadata=VOLATILE)
    cpus: int = field(default=0, metadata=VOLATILE)

    def allocation(self, path: str) -> int | None:
        """Bytes a volume takes, or None where no active pool holds it."""
        return next((size for pool in self.pools for p, size in pool.volumes if p == path), None)

    def capacity(self, path: str) -> int | None:
        """A volume's virtual size in bytes, or None where no active pool holds it."""
        return next((size for pool in self.pools for p, size in pool.capacities if p == path), None)

    def pool(self, name: str) -> RoomPool | None:
        return next((pool for pool in self.pools if pool.name == name), None)


@dataclass(frozen=True, slots=True)
class CloneDisk:
    """A disk of a clone: the base's target, and the volume it becomes. `path` is pool target and volume together."""

    target: str
    pool: str
    volume: str
    format: str
    path: str
    shared: bool = False
    min_free: int = 0


@dataclass(frozen=True, slots=True)
class CopyDisk:
    """A disk that a move copies into the pool of the same name there. `size` is what it will take there, in bytes.

    `data` is about what is sent: the bytes that its file takes now.
    """

    target: str
    pool: str
    volume: str
    path: str
    size: int
    min_free: int = 0
    data: int = 0


@dataclass(frozen=True, slots=True)
class LocalPool:
    """A declared pool that is not declared shared; `path` is its folder."""

    name: str
    path: str
    min_free: int = 0


@dataclass(frozen=True, slots=True)
class Check:
    """A proof of life asked from the host: `tcp` opens, `ssh` answers with a banner. `timeout` in seconds."""

    kind: str
    port: int
    timeout: float = 60.0
    address: str = ""


@dataclass(frozen=True, slots=True)
class WantedNic:
    """A declared interface; empty means not said."""

    mac: str = ""
    network: str = ""
    bridge: str = ""


@dataclass(frozen=True, slots=True)
class VmDesired:
    """As declared; None means not managed. `shared` pairs name and target of each pool declared shared, `local` are
    the other declared pools. `policy` says where it may run where no host is declared; `host` is then empty until it
    is placed, and `why` says why there; `declared` stays. `drain` is what happens when it cannot leave a host in
    maintenance live.
    """

    name: str
    host: str
    power: str | None = None
    autostart: bool | None = None
    base: str = ""
    disks: tuple[CloneDisk, ...] = ()
    xml: str = ""
    digest: str = ""
    vcpus: int | None = None
    memory: int | None = None
    nics: tuple[WantedNic, ...] | None = None
    moves: MovePolicy = field(default_factory=MovePolicy)
    checks: tuple[Check, ...] = ()
    shared: tuple[tuple[str, str], ...] = ()
    local: tuple[LocalPool, ...] = ()
    prune: bool = False
    policy: Policy | None = None
    drain: str = "live"
    why: str = ""
    declared: str = ""

    @property
    def placed(self) -> str:
        """Who says that it shall be on its host."""
        return self.why or f"placement says {self.host}"
