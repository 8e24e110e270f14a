"""What can be done to a VM, as values: each says what the fleet looks like afterwards, none does anything."""

from dataclasses import dataclass, replace
from typing import ClassVar

from reconciler.kinds.vm.state import Check, CloneDisk, CopyDisk, DomainState, VolumeAt, WantedNic
from reconciler.model.action import Action, Passage
from reconciler.model.fleet import MovePolicy
from reconciler.model.ref import Place
from reconciler.model.snapshot import Migration, Snapshot
from reconciler.model.units import show_size


@dataclass(frozen=True, kw_only=True)
class CloneDomain(Action):
    """Make the VM at `place` a full copy of a shut-off base. The copying happens on `base_host`.

    `result` is the domain as it will be; `again` says that an unfinished clone of ours is cleared away first.
    """

    verb: ClassVar[str] = "clone"
    symbol: ClassVar[str] = "+"
    uuid: str
    base: str
    base_uuid: str
    base_host: str
    disks: tuple[CloneDisk, ...]
    nics: tuple[WantedNic, ...]
    result: DomainState
    again: bool = False

    @property
    def busy(self) -> frozenset[str]:
        return frozenset((self.place.host, self.base_host))

    def effect(self, snapshot: Snapshot) -> Snapshot:
        return snapshot.having(self.place, self.result)

    def explain(self) -> str:
        disks = ", ".join(f"{disk.target} -> {disk.pool}/{disk.volume}" for disk in self.disks)
        again = ", after clearing an unfinished clone" if self.again else ""
        return f"clone {self.base} from {self.base_host}: {disks}{again}"


@dataclass(frozen=True, kw_only=True)
class DefineDomain(Action):
    """Define the VM from libvirt's own XML; on an existing one it takes effect at its next boot."""

    verb: ClassVar[str] = "define"
    symbol: ClassVar[str] = "+"
    uuid: str
    xml: str
    digest: str
    fleet: str
    result: DomainState

    def effect(self, snapshot: Snapshot) -> Snapshot:
        return snapshot.having(self.place, self.result)

    def explain(self) -> str:
        return f"define from its domain XML ({self.result.vcpus} vCPU, {show_size(self.result.memory)})"


@dataclass(frozen=True, kw_only=True)
class _Touch(Action):
    """An action on an existing domain."""

    uuid: str


@dataclass(frozen=True, kw_only=True)
class AdoptDomain(_Touch):
    """Write our mark into the metadata of a domain that is declared but was not made by us."""

    verb: ClassVar[str] = "adopt"
    fleet: str

    def effect(self, snapshot: Snapshot) -> Snapshot:
        return snapshot.changing(self.place, fleet=self.fleet)

    def explain(self) -> str:
        return f"mark the existing domain {self.uuid} as managed"


@dataclass(frozen=True, kw_only=True)
class StartDomain(_Touch):
    """Start it, after asking every host that it runs nowhere; a cold move's mark goes when it runs."""

    verb: ClassVar[str] = "start"
    symbol: ClassVar[str] = "+"

    def effect(self, snapshot: Snapshot) -> Snapshot:
        return snapshot.changing(self.place, power="running", resume=False)

    def explain(self) -> str:
        return "start"


@dataclass(frozen=True, kw_only=True)
class StopDomain(_Touch):
    """Ask the guest to shut down and wait; never a power cut. `wait` is seconds."""

    verb: ClassVar[str] = "stop"
    symbol: ClassVar[str] = "-"
    wait: float = 120.0

    def effect(self, snapshot: Snapshot) -> Snapshot:
        return snapshot.changing(self.place, power="stopped")

    def explain(self) -> str:
        return "shut down gracefully"


@dataclass(frozen=True, kw_only=True)
class SetAutostart(_Touch):
    """Whether the host starts it at boot."""

    verb: ClassVar[str] = "autostart"
    on: bool

    def effect(self, snapshot: Snapshot) -> Snapshot:
        return snapshot.changing(self.place, autostart=self.on)

    def explain(self) -> str:
        return f"autostart {'on' if self.on else 'off'}"


@dataclass(frozen=True, kw_only=True)
class SetResources(_Touch):
    """Other vCPUs or memory in the stored definition."""

    verb: ClassVar[str] = "resources"
    vcpus: int | None = None
    memory: int | None = None

    def effect(self, snapshot: Snapshot) -> Snapshot:
        state = snapshot.get(self.place)
        return snapshot.changing(self.place, vcpus=self.vcpus or state.vcpus, memory=self.memory or state.memory)

    def explain(self) -> str:
        said = [f"{self.vcpus} vCPU"] if self.vcpus else []
        return (
            "set " + " and ".join(said + ([show_size(self.memory)] if self.memory else [])) + ", from the next boot on"
        )


@dataclass(frozen=True, kw_only=True)
class MoveLive(_Touch):
    """Move a running VM from `origin` to `place` without stopping it. `pools` are the shared ones its disks lie in.

    `copies` are the disks that go along; `left` is all that will then lie on other hosts. `memory` is what
    it takes, `room` what VMs may take on its destination, in bytes; None where that is unknown.
    """

    verb: ClassVar[str] = "move-live"
    symbol: ClassVar[str] = ">"
    origin: str
    address: str
    policy: MovePolicy
    way: Passage
    pools: tuple[str, ...] = ()
    autostart: bool = False
    copies: tuple[CopyDisk, ...] = ()
    left: tuple[VolumeAt, ...] = ()
    memory: int = 0
    room: int | None = None

    @property
    def passage(self) -> Passage | None:
        return self.way

    @property
    def shared_pools(self) -> tuple[str, ...]:
        return self.pools

    def through(self, passage: Passage) -> "MoveLive":
        return replace(self, way=passage)

    def effect(self, snapshot: Snapshot) -> Snapshot:
        there = Place(self.place.kind, self.origin, self.place.name)
        state = replace(snapshot.get(there), moved=snapshot.taken)
        if self.copies:
            state = replace(state, copying=(), left=self.left)
        return snapshot.lacking(there).having(self.place, state)

    def explain(self) -> str:
        said = {"tls": "TLS", "tunnel": "tunnelled", "plain": "NOT ENCRYPTED"}.get(self.way.channel, "")
        extra = [said] if said else []
        policy = self.policy
        extra += [
            word
            for word, on in (
                ("auto-converge", policy.auto_converge and not policy.post_copy),
                ("post-copy allowed", policy.post_copy),
                (f"{policy.connections} connections", policy.connections),
                ("UNSAFE", policy.unsafe),
            )
            if on
        ]
        extra += [f"copying {disk.target}, {show_size(disk.size)}" for disk in self.copies]
        extra += ["driven from here, no login between the hosts"] if self.way.managed else []
        return f"move live {self.origin} -> {self.place.host}" + (f" ({', '.join(extra)})" if extra else "")


@dataclass(frozen=True, kw_only=True)
class FollowMove(_Touch):
    """Wait for the end of a migration that is under way from `origin` to `place`, and finish it as a move's end is.

    Starts and ends nothing itself. `towards` is the host it was seen to go to, empty while none was; `patience` is the
    seconds it is followed, after which it is left to itself.
    """

    verb: ClassVar[str] = "follow"
    symbol: ClassVar[str] = "?"
    origin: str
    towards: str = ""
    autostart: bool = False
    patience: float = 600.0

    @property
    def busy(self) -> frozenset[str]:
        return frozenset((self.origin, self.place.host))

    @property
    def touches(self) -> frozenset[str]:
        return self.busy | ({self.towards} if self.towards else set())

    @property
    def followed(self) -> Migration:
        return Migration(self.origin, self.place.name, self.uuid)

    def effect(self, snapshot: Snapshot) -> Snapshot:
        """It has arrived, and no job of it runs any more."""
        source = Place(self.place.kind, self.origin, self.place.name)
        state = replace(snapshot.get(source), power="running", migrating=False, autostart=self.autostart)
        state = replace(state, moved=snapshot.taken)
        others = tuple(m for m in snapshot.migrations if (m.host, m.uuid) != (self.origin, self.uuid))
        return replace(snapshot, migrations=others).lacking(source).having(self.place, state)

    def explain(self) -> str:
        where = f"{self.origin} -> {self.towards}" if self.towards else f"away from {self.origin}"
        return f"follow the migration {where} that is under way"


@dataclass(frozen=True, kw_only=True)
class ResumeDomain(_Touch):
    """Let a guest go on that a migration left paused, after asking every host that it is nowhere else."""

    verb: ClassVar[str] = "resume"
    symbol: ClassVar[str] = "+"

    def effect(self, snapshot: Snapshot) -> Snapshot:
        return snapshot.changing(self.place, power="running", reason="")

    def explain(self) -> str:
        return "resume: let it go on where its migration left it paused"


@dataclass(frozen=True, kw_only=True)
class RecoverMove(MoveLive):
    """Take up a post-copy that broke, from `origin` with its paused half to `place` with the half that ran."""

    verb: ClassVar[str] = "recover"

    def effect(self, snapshot: Snapshot) -> Snapshot:
        gone = snapshot.lacking(Place(self.place.kind, self.origin, self.place.name))
        settled = {"autostart": self.autostart, "moved": snapshot.taken}
        return gone.changing(self.place, power="running", reason="", **settled)

    def explain(self) -> str:
        return f"recover the broken post-copy {self.origin} -> {self.place.host}"


@dataclass(frozen=True, kw_only=True)
class FinishMove(_Touch):
    """Clear up after a move that ended without us: it runs at `place`, and libvirt on `origin` says that it left."""

    verb: ClassVar[str] = "finish"
    origin: str
    autostart: bool = False

    @property
    def touches(self) -> frozenset[str]:
        return frozenset((self.origin, self.place.host))

    def effect(self, snapshot: Snapshot) -> Snapshot:
        gone = snapshot.lacking(Place(self.place.kind, self.origin, self.place.name))
        return gone.changing(self.place, reason="", autostart=self.autostart, moved=snapshot.taken)

    def explain(self) -> str:
        return f"finish the move {self.origin} -> {self.place.host}: undefine what it left on {self.origin}"


@dataclass(frozen=True, kw_only=True)
class ProveDomain(_Touch):
    """Prove on every host that it runs on this one only, with the declared resources, and that its checks pass.

    `copies` are disks that came with it: their new volumes are looked up.
    """

    verb: ClassVar[str] = "verify"
    symbol: ClassVar[str] = "?"
    checks: tuple[Check, ...] = ()
    vcpus: int | None = None
    memory: int | None = None
    autostart: bool | None = None
    copies: tuple[CopyDisk, ...] = ()

    def explain(self) -> str:
        names = [f"{check.kind} {check.port}" for check in self.checks]
        return "verify: runs here and nowhere else" + (f"; checks {', '.join(names)}" if names else "")
