"""Declared beside seen: equal values are dropped first, deepdiff explains only those that differ in depth.

Pure, and the only module that sees deepdiff.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.kind import Kind
from reconciler.model.change import Change, Comparison, Difference
from reconciler.model.desired import View

_PLAIN = (str, int, float, type(None))


def diff(view: View, kinds: Sequence[Kind]) -> tuple[Difference, ...]:
    """Every difference, kinds in registry order, places in order within a kind."""
    return tuple(
        Difference(comparison, tuple(_changes(comparison)))
        for kind in kinds
        for comparison in sorted(kind.compare(view), key=lambda c: c.place)
        if comparison.old != comparison.new
    )


def _changes(comparison: Comparison) -> Iterator[Change]:
    place, old, new = comparison.place, comparison.old, comparison.new
    if old is None:
        yield Change(place, "create", "", None, new)
    elif new is None:
        yield Change(place, "delete", "", old, None)
    else:
        yield from sorted(_fields(comparison), key=lambda change: change.path)


def _fields(comparison: Comparison) -> Iterator[Change]:
    """Where words and numbers differ, and nothing that holds more of them, there is nothing to explain."""
    old, new = comparison.old, comparison.new
    differing = [name for name in old if old[name] != new.get(name)]
    plain = all(isinstance(side[name], _PLAIN) for name in differing for side in (old, new) if name in side)
    if plain and old.keys() == new.keys():
        return (Change(comparison.place, "update", name, old[name], new[name]) for name in differing)
    return _explained(comparison)


def _explained(comparison: Comparison) -> Iterator[Change]:
    from deepdiff import DeepDiff

    tree = DeepDiff(comparison.old, comparison.new, view="tree", ignore_order=False)
    for levels in tree.values():
        for level in levels:
            path = ".".join(str(part) for part in level.path(output_format="list"))
            yield Change(comparison.place, "update", path, _plain(level.t1), _plain(level.t2))


def _plain(value: Any) -> Any:
    """deepdiff's word for absent, as None."""
    return None if type(value).__name__ == "NotPresent" else value
