"""What is wanted: one declared object on one host, with its origin, and the view a kind plans from.

Defaults are filled and references checked before one of these exists.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from reconciler.model.change import NOWHERE, Origin
from reconciler.model.fleet import Fleet
from reconciler.model.placing import Placing
from reconciler.model.ref import Place
from reconciler.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Desired:
    """`value` is the owning kind's own dataclass."""

    place: Place
    value: Any
    origin: Origin = NOWHERE


@dataclass(frozen=True)
class View:
    """All a pure planning function may look at. `now` is seconds since 1970, read once per pass.

    `placing` is what was decided about where VMs go; empty before.
    """

    fleet: Fleet
    desired: tuple[Desired, ...]
    snapshot: Snapshot
    now: int
    placing: Placing = field(default_factory=Placing)

    @cached_property
    def _by_place(self) -> Mapping[Place, Desired]:
        return {item.place: item for item in reversed(self.desired)}

    @cached_property
    def _by_kind(self) -> Mapping[str, Sequence[Desired]]:
        found: dict[str, list[Desired]] = {}
        for item in self.desired:
            found.setdefault(item.place.kind, []).append(item)
        return found

    @cached_property
    def _by_host(self) -> Mapping[str, Sequence[Desired]]:
        found: dict[str, list[Desired]] = {}
        for item in self.desired:
            found.setdefault(item.place.host, []).append(item)
        return found

    def on(self, host: str) -> Sequence[Desired]:
        """What is declared of one host."""
        return self._by_host.get(host, ())

    def of(self, kind: str) -> Iterator[Desired]:
        """What is declared of one kind."""
        return iter(self._by_kind.get(kind, ()))

    def at(self, place: Place) -> Desired | None:
        """What is declared at one place, or None."""
        return self._by_place.get(place)

    def required(self, place: Place) -> Desired:
        """What is declared at a place that came from a declaration; raises KeyError otherwise."""
        item = self.at(place)
        if item is None:
            raise KeyError(place)
        return item
