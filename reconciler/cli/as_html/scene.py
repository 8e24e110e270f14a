"""What the picture of a fleet shows: each host with its pools and VMs as seen, and what the plan makes of them.

Pure: the plan's own effects say what changes. It knows no coordinates and no HTML.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from reconciler.cli.changes import Group, groups
from reconciler.engine.once import Wanted
from reconciler.model.disruption import Disruption
from reconciler.model.plan import Plan
from reconciler.model.ref import Place, Ref
from reconciler.model.snapshot import Snapshot
from reconciler.model.units import show_size

FEW = 6
MOST_DRAWN = 36
KINDS = ("pool", "vm")
Fate = Literal["stays", "leaves", "arrives", "made", "deleted", "changes", "refused"]


@dataclass(frozen=True, slots=True)
class Row:
    """A pool or VM in a host's box. `word` is its disruption (or refused), `change` the number of its card, 0: none."""

    place: Place
    note: str
    fate: Fate = "stays"
    word: str = ""
    change: int = 0

    @property
    def name(self) -> str:
        return self.place.name


@dataclass(frozen=True, slots=True)
class Box:
    """A host. `changes` are the numbers of what is done on it beside VMs and pools; `silent` says why it is unknown."""

    name: str
    note: str
    rows: tuple[Row, ...] = ()
    changes: tuple[int, ...] = ()
    silent: str = ""

    @property
    def lively(self) -> bool:
        """Is there something to look at?"""
        return bool(self.silent) or any(row.fate != "stays" for row in self.rows)

    def count(self, kind: str) -> int:
        return sum(row.place.kind == kind and row.fate not in ("arrives", "made") for row in self.rows)


@dataclass(frozen=True, slots=True)
class Way:
    """An arrow: from a VM's row on one host to its row on another; `number` is counted from 1."""

    number: int
    origin: Place
    destination: Place
    word: str
    change: int


@dataclass(frozen=True, slots=True)
class Scene:
    """`drawn` are the hosts with something to see, `quiet` all others; together every host once."""

    drawn: tuple[Box, ...]
    quiet: tuple[Box, ...]
    ways: tuple[Way, ...] = ()
    groups: tuple[Group, ...] = field(default=())


def scene(plan: Plan, wanted: Wanted, seen: Snapshot) -> Scene:
    """The fleet before the plan, with all that the plan does to it."""
    after = seen
    for action in plan.actions:
        after = action.effect(after)
    found = groups(plan)
    rows = {row.place: row for row in _rows(plan, wanted, seen, after, found)}
    boxes = [_box(name, wanted, seen, rows, found) for name in sorted({*wanted.fleet.hosts, *_hosts(rows)})]
    lively = [box for box in boxes if box.lively or len(boxes) <= FEW]
    drawn = _near(lively[:MOST_DRAWN], rows)
    return Scene(tuple(drawn), tuple(box for box in boxes if box not in drawn), tuple(_ways(rows, drawn)), found)


def _hosts(rows: Mapping[Place, Row]) -> set[str]:
    return {place.host for place in rows}


def _rows(plan: Plan, wanted: Wanted, seen: Snapshot, after: Snapshot, found: Sequence[Group]) -> Iterator[Row]:
    numbers = {group.ref: (number, str(group.disruption)) for number, group in enumerate(found, 1)}
    refused = {refusal.place.ref: refusal.place for refusal in plan.refusals if refusal.place.kind in KINDS}
    declared = {item.place.ref for item in wanted.desired}
    places = {place for kind in KINDS for view in (seen, after) for place, _ in view.of(kind)}
    absent = {place for ref, place in refused.items() if not any(p.ref == ref for p in places)}
    for place in sorted(places | absent):
        fate = _fate(place, seen, after, refused)
        change, word = numbers.get(place.ref, (0, "")) if fate not in ("stays", "refused") else (0, "")
        note = _note(seen.get(place) or after.get(place)) + ("" if place.ref in declared else ", undeclared")
        yield Row(place, note.lstrip(", "), fate, "refused" if fate == "refused" else word, change)


def _fate(place: Place, seen: Snapshot, after: Snapshot, refused: Mapping[Ref, Place]) -> Fate:
    old, new = seen.get(place), after.get(place)
    if old == new:
        return "refused" if place.ref in refused else "stays"
    elsewhere = [p for p, _ in (seen if old is None else after).of(place.kind) if p.ref == place.ref and p != place]
    moves = place.kind == "vm" and bool(elsewhere)
    if old is None:
        return "arrives" if moves else "made"
    if new is None:
        return "leaves" if moves else "deleted"
    return "changes"


def _note(state: Any) -> str:
    """One line of what is seen, by what the state has."""
    if state is None:
        return "seen nowhere"
    if hasattr(state, "power"):
        return f"{state.power}, {state.vcpus} vCPU, {show_size(state.memory)}"
    if not state.active:
        return "inactive"
    return f"{show_size(state.available)} of {show_size(state.capacity)} free"


def _box(name: str, wanted: Wanted, seen: Snapshot, rows: Mapping[Place, Row], found: Sequence[Group]) -> Box:
    card = wanted.fleet.hosts.get(name)
    mine = [row for place, row in rows.items() if place.host == name]
    silences = [silence.reason for silence in seen.silences if silence.host == name]
    changes = [
        number
        for number, group in enumerate(found, 1)
        if group.ref.kind not in (*KINDS, "lease") and name in group.hosts
    ]
    mine.sort(key=lambda row: (KINDS.index(row.place.kind), row.fate == "stays", row.name))
    return Box(name, card.fqdn if card else "", tuple(mine), tuple(changes), "; ".join(silences))


def _near(boxes: Sequence[Box], rows: Mapping[Place, Row]) -> list[Box]:
    """Hosts between which something moves stand beside each other, as far as one line of boxes allows."""
    waiting, ordered = list(boxes), list[Box]()
    while waiting:
        last = ordered[-1].name if ordered else ""
        there = {row.place.ref for row in rows.values() if row.place.host == last and row.fate in ("leaves", "arrives")}
        near = [
            box for box in waiting if any(r.place.ref in there and r.fate in ("leaves", "arrives") for r in box.rows)
        ]
        ordered.append((near or waiting)[0])
        waiting.remove(ordered[-1])
    return ordered


def _ways(rows: Mapping[Place, Row], drawn: Sequence[Box]) -> Iterator[Way]:
    names = {box.name for box in drawn}
    leaving = [row for row in rows.values() if row.fate == "leaves" and row.place.host in names]
    number = 0
    for row in sorted(leaving, key=lambda row: row.change):
        for other in rows.values():
            if other.fate == "arrives" and other.place.ref == row.place.ref and other.place.host in names:
                number += 1
                yield Way(number, row.place, other.place, row.word or str(Disruption.NONE), row.change)
