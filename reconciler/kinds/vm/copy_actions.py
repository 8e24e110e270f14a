"""What a move that copies disks leaves to do, as values: half-made copies go, and old ones where that is declared."""

from dataclasses import dataclass
from typing import ClassVar

from reconciler.kinds.vm.state import VolumeAt
from reconciler.model.action import Action
from reconciler.model.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class _Volumes(Action):
    """An action on volumes of a VM that lie on its own host or on others."""

    uuid: str
    volumes: tuple[VolumeAt, ...]

    @property
    def touches(self) -> frozenset[str]:
        return frozenset((self.place.host, *(volume.host for volume in self.volumes)))


@dataclass(frozen=True, kw_only=True)
class ClearCopy(_Volumes):
    """Delete the volumes that an ended move was making for this VM on another host, and the note of them.

    Where the VM has arrived beside them they are its disks: then only the note goes.
    """

    verb: ClassVar[str] = "clear-copy"
    symbol: ClassVar[str] = "-"

    def effect(self, snapshot: Snapshot) -> Snapshot:
        return snapshot.changing(self.place, copying=())

    def explain(self) -> str:
        halves = [str(volume) for volume in self.volumes if volume.host != self.place.host]
        if not halves:
            return "note that its disks were copied"
        return f"delete half-made copies of its disks: {', '.join(halves)}"


@dataclass(frozen=True, kw_only=True)
class DeleteOldCopy(_Volumes):
    """Delete the volumes that a VM's moves left on the hosts it came from, once it runs from its new ones."""

    verb: ClassVar[str] = "delete-old-copy"
    symbol: ClassVar[str] = "-"

    def effect(self, snapshot: Snapshot) -> Snapshot:
        kept = tuple(volume for volume in snapshot.get(self.place).left if volume not in self.volumes)
        return snapshot.changing(self.place, left=kept)

    def explain(self) -> str:
        return f"delete what its move left: {', '.join(str(volume) for volume in self.volumes)}"
