"""The note on a VM that a drain sent it away from its host, as a value: it is sent home by it later.

Moves nothing itself.
"""

from dataclasses import dataclass
from typing import ClassVar

from reconciler.model.action import Action
from reconciler.model.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class NoteHome(Action):
    """Write `home` into our mark on the domain, before it leaves that host; empty: the note of `was` goes."""

    verb: ClassVar[str] = "note-home"
    uuid: str
    home: str = ""
    was: str = ""

    @property
    def serving(self) -> bool:
        """Of a host it does not leave nothing is noted."""
        return bool(self.home)

    def effect(self, snapshot: Snapshot) -> Snapshot:
        return snapshot.changing(self.place, home=self.home)

    def explain(self) -> str:
        if self.home:
            return f"note that it is drained from {self.home}, to send it home after the maintenance"
        return f"forget that it was drained from {self.was}"
