"""What moves a VM that is off, or is shut down for it: values only, each says what the fleet looks like afterwards.

None of them needs access between hosts. A move that was cut off is finished or undone by an action of its own.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from reconciler.model.action import Action
from reconciler.model.ref import Place
from reconciler.model.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class _Cold(Action):
    """A step of a cold move: both hosts must see `files`, those that lie in `pools` by a proof."""

    uuid: str
    files: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()

    @property
    def shared_pools(self) -> tuple[str, ...]:
        return self.pools


@dataclass(frozen=True, kw_only=True)
class ShutToMove(_Cold):
    """Mark it as to be started again, then ask the guest to shut down and wait `wait` seconds; never a power cut.

    Begins only where everything is ready on `destination`: both hosts, the files, and whatever the move itself needs.
    `why` says what keeps it from moving live, if that was tried first.
    """

    verb: ClassVar[str] = "stop"
    symbol: ClassVar[str] = "-"
    destination: str
    why: str = ""
    wait: float = 120.0

    @property
    def between(self) -> tuple[str, ...]:
        return (self.place.host, self.destination)

    def effect(self, snapshot: Snapshot) -> Snapshot:
        return snapshot.changing(self.place, power="stopped", resume=True)

    def explain(self) -> str:
        why = f" ({self.why})" if self.why else ""
        return f"shut down gracefully, to move cold to {self.destination}{why}"


@dataclass(frozen=True, kw_only=True)
class MoveOffline(_Cold):
    """Define a VM that is off at `place`, undefine it at `origin`. `files` must be there already; nothing is copied.

    Until `origin` has it no longer, the new definition is marked as arriving from there and starts with no host.
    """

    verb: ClassVar[str] = "move-offline"
    symbol: ClassVar[str] = ">"
    origin: str
    autostart: bool = False

    @property
    def between(self) -> tuple[str, ...]:
        return (self.origin, self.place.host)

    def effect(self, snapshot: Snapshot) -> Snapshot:
        there = Place(self.place.kind, self.origin, self.place.name)
        state = replace(snapshot.get(there), autostart=self.autostart, moved=snapshot.taken)
        return snapshot.lacking(there).having(self.place, state)

    def explain(self) -> str:
        return f"move offline {self.origin} -> {self.place.host}"


@dataclass(frozen=True, kw_only=True)
class _Arrival(Action):
    """What ends an offline move from `origin` that was cut off."""

    uuid: str
    origin: str

    @property
    def touches(self) -> frozenset[str]:
        return frozenset((self.origin, self.place.host))


@dataclass(frozen=True, kw_only=True)
class FinishArrival(_Arrival):
    """The rest of an offline move whose origin has the VM no longer: autostart, and the mark goes."""

    verb: ClassVar[str] = "finish-move"

    def effect(self, snapshot: Snapshot) -> Snapshot:
        boots = snapshot.get(self.place).boots
        return snapshot.changing(self.place, autostart=boots, boots=False, coming="", moved=snapshot.taken)

    def explain(self) -> str:
        return f"finish its offline move from {self.origin}"


@dataclass(frozen=True, kw_only=True)
class DropArrival(_Arrival):
    """Undefine the marked copy of a definition that `origin` still has; no file is deleted."""

    verb: ClassVar[str] = "undo-move"
    symbol: ClassVar[str] = "-"

    def effect(self, snapshot: Snapshot) -> Snapshot:
        return snapshot.lacking(self.place)

    def explain(self) -> str:
        return f"undefine the unfinished copy; {self.origin} has the VM"


@dataclass(frozen=True, kw_only=True)
class ForgetStop(Action):
    """Remove the mark of a cold move from a VM that need not be started again."""

    verb: ClassVar[str] = "forget-stop"
    uuid: str

    def effect(self, snapshot: Snapshot) -> Snapshot:
        return snapshot.changing(self.place, resume=False)

    def explain(self) -> str:
        return "remove the mark of a cold move"
