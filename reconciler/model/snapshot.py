"""What was seen on the hosts at one moment, and who did not answer.

A value: it can be saved, compared and changed by an action's effect, and it never asks a host anything.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from reconciler.model.ref import Place

Seen = Sequence[tuple[Place, Any]]


def _place(seen: tuple[Place, Any]) -> Place:
    return seen[0]


@dataclass(frozen=True, slots=True)
class Silence:
    """Why the named kinds of one host are unknown, and what to do about it."""

    host: str
    kinds: tuple[str, ...]
    reason: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Migration:
    """A migration job seen running: the domain and the host it leaves."""

    host: str
    domain: str
    uuid: str


@dataclass(frozen=True)
class Snapshot:
    """Objects by place, hosts that were silent, migrations that run. `taken` is seconds since 1970, UTC."""

    taken: int = 0
    objects: Mapping[Place, Any] = field(default_factory=dict)
    silences: tuple[Silence, ...] = ()
    migrations: tuple[Migration, ...] = ()

    @cached_property
    def _by_kind(self) -> Mapping[str, Sequence[tuple[Place, Any]]]:
        found: dict[str, list[tuple[Place, Any]]] = {}
        for place in sorted(self.objects):
            found.setdefault(place.kind, []).append((place, self.objects[place]))
        return found

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str], Sequence[tuple[Place, Any]]]:
        found: dict[tuple[str, str], list[tuple[Place, Any]]] = {}
        for place in sorted(self.objects):
            found.setdefault((place.kind, place.name), []).append((place, self.objects[place]))
        return found

    @cached_property
    def _claims(self) -> dict[tuple[str, Callable[[Any], Iterable[Hashable]]], Mapping[Hashable, Seen]]:
        return {}

    def claiming(self, kind: str, claims: Callable[[Any], Iterable[Hashable]], wanted: Iterable[Hashable]) -> Seen:
        """Every object of one kind that claims any of these, in order of place; `claims` tells what a state claims."""
        if (kind, claims) not in self._claims:
            found: dict[Hashable, list[tuple[Place, Any]]] = {}
            for place, state in self.of(kind):
                for claim in claims(state):
                    found.setdefault(claim, []).append((place, state))
            self._claims[kind, claims] = found
        index = self._claims[kind, claims]
        return sorted(
            {place: (place, state) for claim in wanted for place, state in index.get(claim, ())}.values(), key=_place
        )

    def get(self, place: Place) -> Any:
        """The state seen there, or None."""
        return self.objects.get(place)

    def of(self, kind: str) -> Iterator[tuple[Place, Any]]:
        """Every object of one kind, on all hosts, in order of place."""
        return iter(self._by_kind.get(kind, ()))

    def named(self, kind: str, name: str) -> Sequence[tuple[Place, Any]]:
        """Every object of one kind and name, on all hosts, in order of place."""
        return self._by_name.get((kind, name), ())

    def silence(self, host: str, kind: str) -> Silence | None:
        """Why this kind is unknown on this host, or None when it was seen."""
        return next((s for s in self.silences if s.host == host and kind in s.kinds), None)

    def having(self, place: Place, state: Any) -> "Snapshot":
        """This snapshot with one object put or replaced."""
        return replace(self, objects={**self.objects, place: state})

    def changing(self, place: Place, **fields: Any) -> "Snapshot":
        """This snapshot with other values in some fields of the object there; KeyError where none was seen."""
        return self.having(place, replace(self.objects[place], **fields))

    def lacking(self, place: Place) -> "Snapshot":
        """This snapshot without one object."""
        return replace(self, objects={p: s for p, s in self.objects.items() if p != place})
