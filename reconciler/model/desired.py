"""What is wanted: one declared object on one host, with its origin, and the view a kind plans from.

Defaults are filled and references checked before one of these exists.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.model.change import NOWHERE, Origin
from reconciler.model.fleet import Fleet
from reconciler.model.ref import Place
from reconciler.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Desired:
    """`value` is the owning kind's own dataclass."""

    place: Place
    value: Any
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True)
class View:
    """All a pure planning function may look at. `now` is seconds since 1970, read once per pass."""

    fleet: Fleet
    desired: tuple[Desired, ...]
    snapshot: Snapshot
    now: int

    def of(self, kind: str) -> Iterator[Desired]:
        """What is declared of one kind."""
        return (item for item in self.desired if item.place.kind == kind)

    def at(self, place: Place) -> Desired | None:
        """What is declared at one place, or None."""
        return next((item for item in self.desired if item.place == place), None)

    def required(self, place: Place) -> Desired:
        """What is declared at a place that came from a declaration; raises KeyError otherwise."""
        item = self.at(place)
        if item is None:
            raise KeyError(place)
        return item
