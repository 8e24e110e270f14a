"""What is done about a VM that is declared nowhere any more, as values; and the mark that allows it."""

from dataclasses import dataclass
from typing import ClassVar

from reconciler.model.action import Action
from reconciler.model.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class AllowPrune(Action):
    """Note in our mark on the domain whether it may be deleted once it is declared nowhere."""

    verb: ClassVar[str] = "allow-prune"
    uuid: str
    allowed: bool

    def effect(self, snapshot: Snapshot) -> Snapshot:
        return snapshot.changing(self.place, prune=self.allowed)

    def explain(self) -> str:
        if self.allowed:
            return "mark it: to be deleted, but for its disks, once it is declared nowhere"
        return "mark it: never to be deleted"


@dataclass(frozen=True, kw_only=True)
class DeleteDomain(Action):
    """Shut it down gracefully and undefine it; `disks` are the files that stay. `wait` is seconds."""

    verb: ClassVar[str] = "delete"
    symbol: ClassVar[str] = "-"
    uuid: str
    fleet: str
    disks: tuple[str, ...] = ()
    wait: float = 120.0

    def effect(self, snapshot: Snapshot) -> Snapshot:
        return snapshot.lacking(self.place)

    def explain(self) -> str:
        kept = f"; what stays: {', '.join(self.disks)}" if self.disks else ""
        return f"delete: shut down gracefully and undefine{kept}"
