"""The difference between what is declared and what was seen, field by field.

States facts only; what to do about them is the kinds' `plan`.
"""

from dataclasses import dataclass
from typing import Any, Literal

from reconciler.model.ref import Place

Verb = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where in the specs an object was declared."""

    file: str = ""
    line: int = 0


NOWHERE = Origin()


@dataclass(frozen=True, slots=True)
class Change:
    """One field (or a whole object, with an empty path) that is not as declared."""

    place: Place
    verb: Verb
    path: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Comparison:
    """Declared fields beside the same fields as seen; None where the object is absent."""

    place: Place
    old: Any
    new: Any
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True)
class Difference:
    """A comparison that did not come out equal, with its changes."""

    comparison: Comparison
    changes: tuple[Change, ...]

    @property
    def place(self) -> Place:
        return self.comparison.place

    @property
    def paths(self) -> frozenset[str]:
        """First segments of the changed paths: which declared fields differ."""
        return frozenset(change.path.split(".")[0].split("[")[0] for change in self.changes)
