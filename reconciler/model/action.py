"""An action: a small value that says what will be done, to what, why, and what the fleet looks like afterwards.

It never does anything itself; the owning kind's `live` does.
"""

from dataclasses import dataclass
from typing import ClassVar

from reconciler.model.disruption import Disruption
from reconciler.model.ref import Place
from reconciler.model.snapshot import Migration, Snapshot


@dataclass(frozen=True, slots=True)
class Passage:
    """What one move needs between two hosts while it lasts; `lease` names it on both of them.

    `port` is on the destination; `standing` says its firewall lets the peer in already. `disks` says that disks are
    copied too, which takes a second port there: `disks_port` and `disks_standing`. `managed` says that the reconciler
    speaks to both hosts itself, so that neither logs in on the other.
    `channel` is plain, tls or tunnel (then there is no port), empty while it is not chosen; `tls_name` the name in the
    destination's certificate where its address is not. `encrypt` is what is declared, `untunnelled` why a tunnel cannot
    carry this move. `authority` is the file of the authority that signs a certificate for this way; empty: a key line.
    """

    lease: str
    source: str
    destination: str
    peer: str = ""
    target: str = ""
    port: int = 0
    zone: str = ""
    standing: bool = False
    user: str = "root"
    key_type: str = "ed25519"
    lifetime: int = 900
    encrypt: str = "auto"
    untunnelled: str = ""
    channel: str = ""
    tls_name: str = ""
    disks: bool = False
    disks_port: int = 0
    disks_standing: bool = False
    managed: bool = False
    authority: str = ""

    @property
    def ports(self) -> tuple[int, ...]:
        """Every port of the destination that it uses."""
        return tuple(port for port in (self.port, self.disks_port) if port)

    @property
    def shut(self) -> tuple[int, ...]:
        """Those of its ports that must be opened for it and closed again."""
        ends = ((self.port, self.standing), (self.disks_port, self.disks_standing))
        return tuple(port for port, standing in ends if port and not standing)


@dataclass(frozen=True, kw_only=True)
class Action:
    """`needs` must have ended well before this one, `after` must merely have ended.

    `requires` names places: whatever the plan does there must have ended well first. `expected_bytes` is an estimate.
    `closes` marks what takes access away: it runs even when a pass is interrupted. `looks` marks what only reads: it
    runs beside anything, and whoever comes after it may hurry it.
    """

    verb: ClassVar[str] = ""
    symbol: ClassVar[str] = "~"
    closes: ClassVar[bool] = False
    looks: ClassVar[bool] = False

    place: Place
    disruption: Disruption = Disruption.NONE
    reason: str = ""
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    requires: tuple[Place, ...] = ()
    expected_bytes: int = 0

    @property
    def id(self) -> str:
        """Unique within a plan and the same in each plan of the same world."""
        return f"{self.place}:{self.verb}{self.detail}"

    @property
    def detail(self) -> str:
        """Tells actions of one verb at one place apart."""
        return ""

    @property
    def serving(self) -> bool:
        """Has it no purpose but for what needs it or comes after it? Then it goes where that goes."""
        return False

    @property
    def busy(self) -> frozenset[str]:
        """Hosts it works on: one change at a time is made on each."""
        return frozenset(self.between or (self.place.host,))

    @property
    def passage(self) -> Passage | None:
        """The way between hosts this action needs opened for it, if any."""
        return None

    @property
    def followed(self) -> Migration | None:
        """The running migration this action waits for, if any: what was opened for it is closed after this action."""
        return None

    @property
    def touches(self) -> frozenset[str]:
        """Every host it may change, also in passing; their locks are held while it runs."""
        return self.busy | frozenset(self.between)

    @property
    def shared_pools(self) -> tuple[str, ...]:
        """Pools whose files both hosts of `between` must see; that is proven before it begins."""
        return ()

    @property
    def between(self) -> tuple[str, ...]:
        """The two hosts something goes between, with a passage or without; empty for what stays on one host."""
        return (self.passage.source, self.passage.destination) if self.passage else ()

    def through(self, passage: Passage) -> "Action":
        """This action using that passage."""
        raise TypeError(f"{self.id} crosses no hosts: {passage}")

    def effect(self, snapshot: Snapshot) -> Snapshot:
        """The fleet after this action ended well."""
        return snapshot

    def explain(self) -> str:
        """One line for the plan, without the place's name."""
        return self.verb


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the plan will not do, why, and what would change that; `human` marks what only a person can settle."""

    place: Place
    reason: str
    fix: str = ""
    file: str = ""
    line: int = 0
    human: bool = False

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " if self.file else ""
        return f"{where}{self.place}: {self.reason}" + (f" ({self.fix})" if self.fix else "")
