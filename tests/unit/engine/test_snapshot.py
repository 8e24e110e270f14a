"""A snapshot is a value: what an action's effect makes of it is another one."""

from dataclasses import dataclass

import pytest

from reconciler.model.ref import Place
from reconciler.model.snapshot import Snapshot


@dataclass(frozen=True)
class Lamp:
    on: bool = False
    colour: str = "white"


HALL, YARD = Place("lamp", "h1", "hall"), Place("lamp", "h1", "yard")


def test_one_object_gets_other_fields_and_all_else_stays() -> None:
    before = Snapshot(objects={HALL: Lamp(colour="red"), YARD: Lamp()}, taken=7)
    after = before.changing(HALL, on=True)
    assert after == Snapshot(objects={HALL: Lamp(on=True, colour="red"), YARD: Lamp()}, taken=7)
    assert before.get(HALL) == Lamp(colour="red")


def test_what_was_not_seen_cannot_be_changed() -> None:
    with pytest.raises(KeyError):
        Snapshot(objects={YARD: Lamp()}).changing(HALL, on=True)
