"""Which hosts' locks an action needs: all it may change, also those it is not placed at."""

from reconciler.kinds.vm.actions import FollowMove
from reconciler.kinds.vm.copy_actions import ClearCopy, DeleteOldCopy
from reconciler.kinds.vm.state import VolumeAt
from reconciler.model.ref import Place

HERE = Place("vm", "a", "web")
OLD = (VolumeAt("b", "store", "web.qcow2"), VolumeAt("c", "store", "web.qcow2"))


def test_volumes_on_other_hosts_are_deleted_under_their_locks() -> None:
    for kind in (ClearCopy, DeleteOldCopy):
        assert kind(place=HERE, uuid="1", volumes=OLD).touches == {"a", "b", "c"}


def test_a_followed_migration_ends_on_the_host_it_goes_to() -> None:
    follow = FollowMove(place=HERE, uuid="1", origin="b", towards="c")
    assert follow.touches == {"a", "b", "c"}
    assert FollowMove(place=HERE, uuid="1", origin="b").touches == {"a", "b"}
