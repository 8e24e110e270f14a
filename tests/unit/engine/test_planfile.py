"""Law 5: a saved plan does exactly what it says, or says what changed since.

The plan file's text is edited here as a person would; its seal is no secret and no signature.
"""

import json
from dataclasses import replace

import pytest

from reconciler.engine import planfile
from reconciler.engine.once import fresh
from reconciler.errors import PlanError, StalePlan
from reconciler.model.plan import Source
from reconciler.model.ref import Place
from reconciler.model.snapshot import Silence
from reconciler.wiring import KINDS
from tests.worlds import MOVE, world

SOURCE = Source("specs", "a" * 40, False, "digest")


def _written() -> str:
    w = world(MOVE)
    return planfile.write(w.plan(SOURCE), w.source.files(), {"vm.yaml web.xml": "<domain/>"})


def test_written_and_read_it_is_the_same() -> None:
    w = world(MOVE)
    made = w.plan(SOURCE)
    read, texts, attached = planfile.read(_written(), KINDS)
    assert replace(read, differences=made.differences) == made
    assert texts == [tuple(pair) for pair in w.source.files()]
    assert attached == {"vm.yaml web.xml": "<domain/>"}


def test_the_text_is_the_same_each_time() -> None:
    assert _written() == _written()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"port": 49152', '"port": 22'),
        ('"lifetime": 900', '"lifetime": 86400'),
        ('"made": ', '"made": 1'),
        ("root", "mallory"),
        ('"expectedBytes"', '"expectedByte"'),
    ],
)
def test_an_edited_file_is_refused(old: str, new: str) -> None:
    text = _written()
    assert old in text
    with pytest.raises(StalePlan, match="edited or damaged"):
        planfile.read(text.replace(old, new, 1), KINDS)


def test_a_seal_taken_away_is_an_edit() -> None:
    data = json.loads(_written())
    del data["seal"]
    with pytest.raises(StalePlan, match="edited"):
        planfile.read(json.dumps(data), KINDS)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"version": 2}', "null", '"plan"'])
def test_what_is_no_plan_of_ours(text: str) -> None:
    with pytest.raises(PlanError):
        planfile.read(text, KINDS)


def test_other_layout_of_the_same_json_is_no_edit() -> None:
    assert planfile.read(json.dumps(json.loads(_written())), KINDS)[0].actions


def test_nothing_changed_is_fresh() -> None:
    w = world(MOVE)
    made = w.plan(SOURCE)
    fresh(made, SOURCE, w.wanted, w.seen)
    assert planfile.differences(made, made.made, SOURCE, w.seen) == []


def test_other_specs_are_named() -> None:
    w = world(MOVE)
    found = planfile.differences(w.plan(SOURCE), w.seen.taken, replace(SOURCE, commit="b" * 40, digest="other"), w.seen)
    assert found == ["the specs in specs changed (made from aaaaaaaaaaaa, now bbbbbbbbbbbb)"]


def test_an_old_plan_is_named() -> None:
    w = world(MOVE)
    found = planfile.differences(w.plan(SOURCE), w.seen.taken + 25 * 3600, SOURCE, w.seen)
    assert found == ["it was made 25 hours ago; plans live 24 hours"]


def test_another_fleet_is_named() -> None:
    w = world(MOVE)
    other = replace(w.wanted, fleet=replace(w.wanted.fleet, name="other"))
    with pytest.raises(StalePlan) as caught:
        fresh(w.plan(SOURCE), SOURCE, other, w.seen)
    assert caught.value.differences == ("it was made for fleet vpd, not other",)


def test_each_changed_object_is_named_with_its_fields() -> None:
    w = world(MOVE)
    place = Place("vm", "lq-d25", "mvp4_lqd25")
    state = w.seen.get(place)
    changed = w.seen.having(place, replace(state, vcpus=4)).lacking(Place("pool", "lq-d26", "CONT_VOL_COMP"))
    changed = changed.having(Place("vm", "lq-d26", "mvp4_lqd25"), replace(state, power="paused"))
    found = planfile.differences(w.plan(SOURCE), w.seen.taken, SOURCE, changed)
    assert sorted(found) == [
        "pool/CONT_VOL_COMP@lq-d26 is gone",
        "vm/mvp4_lqd25@lq-d25 changed: vcpus: 1 -> 4",
        "vm/mvp4_lqd25@lq-d26 is there now",
    ]


def test_a_host_that_fell_silent_is_named() -> None:
    w = world(MOVE)
    silent = replace(w.seen, silences=(Silence("lq-d26", ("vm", "pool"), "libvirtd does not answer"),))
    assert "lq-d26: libvirtd does not answer" in planfile.differences(w.plan(SOURCE), w.seen.taken, SOURCE, silent)


def test_what_changes_by_itself_makes_no_plan_stale() -> None:
    w = world(MOVE)
    place = Place("vm", "lq-d25", "mvp4_lqd25")
    pool = Place("pool", "lq-d26", "CONT_VOL_COMP")
    moved_on = w.seen.changing(place, addresses=("10.77.0.200",), taints=("x",))
    moved_on = moved_on.having(pool, replace(w.seen.get(pool), available=1))
    assert planfile.differences(w.plan(SOURCE), w.seen.taken + 60, SOURCE, moved_on) == []


def test_what_takes_room_where_a_vm_goes_makes_the_plan_stale() -> None:
    w = world(MOVE)
    here, there = Place("vm", "lq-d25", "mvp1"), Place("vm", "lq-d26", "other")
    changed = w.seen.having(there, w.seen.get(here))
    assert "vm/other@lq-d26 is there now" in planfile.differences(w.plan(SOURCE), w.seen.taken, SOURCE, changed)
    w = replace(w, seen=changed)
    grown = w.seen.changing(there, memory=2**33)
    (told,) = planfile.differences(w.plan(SOURCE), w.seen.taken, SOURCE, grown)
    assert told.startswith("vm/other@lq-d26 changed: memory")


def test_an_object_the_plan_does_not_rest_on_may_change() -> None:
    w = world(MOVE)
    place = Place("vm", "lq-d25", "mvp1")
    changed = w.seen.changing(place, vcpus=8)
    assert planfile.differences(w.plan(SOURCE), w.seen.taken, SOURCE, changed) == []
