"""What can be done to a pool: define, build, start, stop, start at boot, and prove that hosts share its files."""

from dataclasses import dataclass, replace
from typing import ClassVar

from reconciler.kinds.pool.state import PoolState
from reconciler.kinds.pool.wire import read_pool
from reconciler.model.action import Action
from reconciler.model.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class DefinePool(Action):
    """Define the pool, or define it anew while it is inactive; `xml` is libvirt's."""

    verb: ClassVar[str] = "define"
    symbol: ClassVar[str] = "+"
    xml: str

    def effect(self, snapshot: Snapshot) -> Snapshot:
        before: PoolState | None = snapshot.get(self.place)
        _, uuid, definition = read_pool(self.xml)
        state = PoolState(uuid, definition) if before is None else replace(before, definition=definition)
        return snapshot.having(self.place, state)

    def explain(self) -> str:
        _, _, pool = read_pool(self.xml)
        origin = f" from {pool.host}:{pool.dir} ({pool.format})" if pool.host else ""
        return f"define pool of type {pool.type}{origin} at {pool.target}"


@dataclass(frozen=True, kw_only=True)
class BuildPool(Action):
    """Make the target directory; what is there stays."""

    verb: ClassVar[str] = "build"
    symbol: ClassVar[str] = "+"
    target: str

    def explain(self) -> str:
        return f"make the directory {self.target} if it is not there"


@dataclass(frozen=True, kw_only=True)
class StartPool(Action):
    """Start the pool; a network pool is mounted by this. `source` is what must then be mounted, empty for a folder."""

    verb: ClassVar[str] = "start"
    target: str
    fstype: str = ""
    source: str = ""

    def effect(self, snapshot: Snapshot) -> Snapshot:
        if self.source:
            fstype = snapshot.get(self.place).mounted_type or self.fstype
            snapshot = snapshot.changing(self.place, mounted_type=fstype, mounted_source=self.source)
        return snapshot.changing(self.place, active=True)

    def explain(self) -> str:
        return f"start the pool, mounting {self.source} at {self.target}" if self.source else "start the pool"


@dataclass(frozen=True, kw_only=True)
class StopPool(Action):
    """Stop the pool; a network pool is unmounted by this, its files stay."""

    verb: ClassVar[str] = "stop"
    symbol: ClassVar[str] = "-"
    mounted: bool = False

    def effect(self, snapshot: Snapshot) -> Snapshot:
        if self.mounted:
            snapshot = snapshot.changing(self.place, mounted_type="", mounted_source="")
        return snapshot.changing(self.place, active=False, capacity=0, allocation=0, available=0, volumes=())

    def explain(self) -> str:
        return "stop the pool; its files stay"


@dataclass(frozen=True, kw_only=True)
class SetPoolAutostart(Action):
    """Start the pool whenever libvirt starts, or no longer."""

    verb: ClassVar[str] = "autostart"
    on: bool

    def effect(self, snapshot: Snapshot) -> Snapshot:
        return snapshot.changing(self.place, autostart=self.on)

    def explain(self) -> str:
        return f"{'start' if self.on else 'do not start'} the pool when the host starts"


@dataclass(frozen=True, kw_only=True)
class SweepTokens(Action):
    """Delete the tokens that a killed proof of this fleet left in a shared pool."""

    verb: ClassVar[str] = "sweep"
    symbol: ClassVar[str] = "-"
    tokens: tuple[str, ...]

    def effect(self, snapshot: Snapshot) -> Snapshot:
        for place, state in snapshot.of("pool"):
            if place.name == self.place.name and state.tokens:
                snapshot = snapshot.changing(place, tokens=())
        return snapshot

    def explain(self) -> str:
        return f"delete {len(self.tokens)} token{'s' if len(self.tokens) != 1 else ''} of a proof that was killed"


@dataclass(frozen=True, kw_only=True)
class ProveShared(Action):
    """Write a token on the first host, read it on the others, take it away: nothing is believed, nothing is left."""

    verb: ClassVar[str] = "prove-shared"
    symbol: ClassVar[str] = "="
    hosts: tuple[str, ...]
    target: str
    network: bool
    fleet: str
    for_move: bool = False

    @property
    def detail(self) -> str:
        return f":{','.join(self.hosts)}"

    @property
    def serving(self) -> bool:
        return self.for_move

    @property
    def touches(self) -> frozenset[str]:
        return frozenset(self.hosts)

    def explain(self) -> str:
        return f"prove that {', '.join(self.hosts)} see the same files in {self.target}"
