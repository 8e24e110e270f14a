"""Which hosts' locks an action needs: all it may change, also those it is not placed at."""

from dataclasses import fields

import pytest

from reconciler.kinds.pool.actions import StartPool
from reconciler.kinds.vm.actions import FollowMove
from reconciler.kinds.vm.copy_actions import ClearCopy, DeleteOldCopy
from reconciler.kinds.vm.offline_actions import ShutToMove
from reconciler.kinds.vm.state import VolumeAt
from reconciler.model.action import Action, Passage
from reconciler.model.ref import Place
from reconciler.wiring import KINDS

LOOKS = (ShutToMove, StartPool)  # where a VM will go, and what is mounted: nothing is changed there

HERE = Place("vm", "a", "web")
OLD = (VolumeAt("b", "store", "web.qcow2"), VolumeAt("c", "store", "web.qcow2"))


def test_volumes_on_other_hosts_are_deleted_under_their_locks() -> None:
    for kind in (ClearCopy, DeleteOldCopy):
        assert kind(place=HERE, uuid="1", volumes=OLD).touches == {"a", "b", "c"}


def test_a_followed_migration_ends_on_the_host_it_goes_to() -> None:
    follow = FollowMove(place=HERE, uuid="1", origin="b", towards="c")
    assert follow.touches == {"a", "b", "c"}
    assert FollowMove(place=HERE, uuid="1", origin="b").touches == {"a", "b"}


NAMES = ("origin", "towards", "base_host", "destination", "source")
ACTIONS = [(action, field) for kind in KINDS for action in kind.actions for field in fields(action)]


@pytest.mark.parametrize(("action", "name"), [(a, f.name) for a, f in ACTIONS if f.name in NAMES and a not in LOOKS])
def test_whoever_names_another_host_takes_its_lock(action: type[Action], name: str) -> None:
    made = object.__new__(action)
    way = Passage("lease", "b", "a")
    values = {"place": HERE, "way": way, "volumes": (), **dict.fromkeys(NAMES, "b")}
    for field in fields(action):
        object.__setattr__(made, field.name, values.get(field.name, ""))
    assert "b" in made.touches
