"""What keeps a disk from being copied: each reason alone, on a snapshot in which the copy is planned."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.engine.explain import ways
from reconciler.engine.once import think
from reconciler.kinds.vm.copy_wire import beneath
from reconciler.kinds.vm.state import Room, VolumeAt
from reconciler.kinds.vm.wire import parse
from reconciler.model.desired import View
from reconciler.model.ref import Place
from reconciler.model.snapshot import Snapshot
from reconciler.wiring import KINDS
from tests.worlds import world

WORLD = world("a_move_copies_a_disk_that_is_not_shared")
VM, HERE, THERE = Place("vm", "lq-d25", "mvp4_lqd25"), "lq-d25", "lq-d26"
FILE = "/var/lib/libvirt/images/web.qcow2"


def reasons(seen: Snapshot) -> str:
    made = think(WORLD.wanted, seen, KINDS)
    return " | ".join(refusal.reason for refusal in made.refusals)


def disk(**fields: Any) -> Snapshot:
    state = WORLD.seen.get(VM)
    return WORLD.seen.having(VM, replace(state, disks=(replace(state.disks[0], **fields),)))


def pool(host: str, **fields: Any) -> Snapshot:
    at = Place("room", host, host)
    room: Room = WORLD.seen.get(at)
    pools = tuple(replace(p, **fields) if p.name == "default" else p for p in room.pools)
    return WORLD.seen.having(at, replace(room, pools=pools))


def having(**fields: Any) -> Snapshot:
    return WORLD.seen.changing(VM, **fields)


BLOCKED: list[tuple[Callable[[], Snapshot], str]] = [
    (lambda: disk(beneath="/x/golden.qcow2"), "is a layer over /x/golden.qcow2, which is not copied"),
    (lambda: disk(path="/srv/else/web.qcow2"), "is in no declared pool"),
    (lambda: disk(path="/var/lib/libvirt/images/sub/web.qcow2"), "is in no declared pool"),
    (lambda: disk(kind="block", path="/dev/sdx"), "is the block device /dev/sdx"),
    (lambda: disk(readonly=True), "is read-only and not on lq-d26"),
    (lambda: pool(THERE, active=False), "pool default is not up on lq-d26, so nothing can be copied"),
    (lambda: pool(HERE, active=False), "pool default is not up on lq-d25, so nothing can be copied"),
    (lambda: pool(THERE, path="/srv/vm"), "pool default is at /srv/vm on lq-d26, not at /var/lib/libvirt/images"),
    (lambda: pool(HERE, capacities=()), f"the size of {FILE} is unknown"),
    (lambda: pool(THERE, volumes=((FILE, 1),)), f"a file {FILE} is on lq-d26 already"),
    (lambda: pool(THERE, available=2**30), "no space in pool default on lq-d26: 1.1 GiB needed with minFree"),
]


@pytest.mark.parametrize(("seen", "reason"), BLOCKED, ids=[reason for _, reason in BLOCKED])
def test_a_disk_is_not_copied(seen: Callable[[], Snapshot], reason: str) -> None:
    assert reason in reasons(seen())


def test_a_read_only_disk_that_is_there_too_is_no_obstacle_and_not_copied() -> None:
    made = think(WORLD.wanted, pool(THERE, volumes=((FILE, 1),)).having(VM, disk(readonly=True).get(VM)), KINDS)
    assert made.refusals == ()
    assert [a.passage.disks for a in made.actions if a.passage] == [False]


def test_an_old_copy_on_the_way_back_is_called_what_it_is() -> None:
    left = (VolumeAt(THERE, "default", "web.qcow2"),)
    seen = pool(THERE, volumes=((FILE, 1),)).having(VM, having(left=left).get(VM))
    assert f"its old copy {FILE}, left by a move, is still on lq-d26" in reasons(seen)


def test_a_half_made_copy_on_a_host_that_left_the_specs_is_told() -> None:
    seen = having(copying=(VolumeAt("gone", "default", "web.qcow2"),))
    assert "on a host that is not declared: gone:default/web.qcow2" in reasons(seen)


def test_every_host_says_what_would_be_copied_there() -> None:
    view = View(WORLD.wanted.fleet, WORLD.wanted.desired, WORLD.seen, WORLD.seen.taken)
    there = {way.host: way for way in ways("vm", VM.name, view, KINDS)}[THERE]
    assert there.open
    said = "disk vda would be copied, 97.1 MiB into pool default of lq-d26; the old one stays on lq-d25"
    assert said in [caution.reason for caution in there.cautions]
    assert (there.crossing.ports, there.crossing.pools) == (2, ())


def test_what_lies_beneath_a_disk_is_read_from_the_running_xml() -> None:
    xml = (
        "<domain><devices><disk><backingStore type='file'><source file='/x/base.qcow2'/><backingStore/></backingStore>"
        "<target dev='vda'/></disk><disk><backingStore/><target dev='vdb'/></disk></devices></domain>"
    )
    assert beneath(parse(xml)) == {"vda": "/x/base.qcow2"}


def test_a_shared_disk_beside_it_stays_and_only_its_pool_is_proven() -> None:
    state = WORLD.seen.get(VM)
    second = replace(state.disks[0], target="vdb", path="/var/lib/libvirt/images/COMPARTIDO/data.qcow2")
    made = think(WORLD.wanted, having(disks=(state.disks[0], second)), KINDS)
    move = next(action for action in made.actions if action.verb == "move-live")
    assert [copy.target for copy in move.copies] == ["vda"]
    assert [action.place.name for action in made.actions if action.verb == "prove-shared"] == ["CONT_VOL_COMP"]
