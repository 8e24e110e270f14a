"""Moves that copy disks, in the fleet in memory: the new volume there, the old one here, and nothing half-made ever.

The fake makes volumes as libvirt does: whole, first of all, and left behind when the move fails.
"""

import pytest

from reconciler.errors import Refused
from tests.fakes.fleets import HEAD, IMAGES, Fleet, Text
from tests.fakes.machines import Domain, File
from tests.fakes.world import Killed

POOL = f"{HEAD}StoragePool\nmetadata: {{name: default}}\nspec: {{type: dir, target: {IMAGES}, minFree: 1GiB}}\n"
VM = f"""\
{HEAD}VirtualMachine
metadata: {{name: web}}
spec:
  placement: {{host: %s}}
  power: running
  migration: {{storage: copy, oldCopy: %s}}
"""
UUID, FILE, MIB = "7d1b7f61-6a0c-4c57-9a1e-0f2f6a1f0c11", f"{IMAGES}/web.qcow2", 2**20
XML = f"""\
<domain type='kvm'><name>web</name><uuid>{UUID}</uuid><memory unit='MiB'>256</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os><devices>
<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none'/><source file='{FILE}'/>
<target dev='vda' bus='virtio'/></disk>
<interface type='network'><mac address='52:54:00:77:00:09'/><source network='vpd'/></interface>
</devices></domain>"""
FAILPOINTS = (
    *("lease.granted", "lease.opened", "lease.open-port.done", "copy.marked", "move.ready", "move.migrated"),
    *("move.settled", "vm.move-live.done", "lease.close-port.done", "lease.dropped"),
)


class Copying(Fleet):
    """web runs on lq-d25 from a file in its own default pool, and shall run on lq-d26."""

    def __init__(self) -> None:
        super().__init__()
        self.deletes = 0
        one = self.host("lq-d25")
        one.root.files[FILE] = File("the guest's", 96 * MIB, 5 * MIB)
        one.pools["default"].known.add("web.qcow2")
        one.domains[UUID] = Domain(UUID, "web", XML, "running", XML)
        self.shall("lq-d25")
        assert self.apply().verdict == "ok"
        self.world.pass_time(60)

    def shall(self, host: str, old: str = "keep") -> "Copying":
        self.extra = POOL + VM % (host, old)
        return self

    @property
    def specs(self) -> Text:
        head, fleet, rest = super().specs.text.partition("metadata: {name: vpd}\nspec: {")
        limits = f"limits: {{deletesPerPass: {self.deletes}}}"
        return Text(f"{head}{fleet}{limits}{'' if rest.startswith('}') else ', '}{rest}")

    def deleting(self, number: int) -> "Copying":
        self.deletes = number
        return self

    def files(self, host: str) -> list[str]:
        return sorted(name for name in self.host(host).root.files if name != f"{IMAGES}/mvp1.qcow2")

    def arrived(self, left: bool = True) -> None:
        assert self.world.violations == []
        assert self.world.where("web") == [("lq-d26", "running")]
        assert self.host("lq-d26").root.files[FILE].content == "the guest's"
        assert self.files("lq-d25") == ([FILE] if left else [])
        assert self.world.residue() == []

    def stayed(self) -> None:
        assert self.world.violations == []
        assert self.world.where("web") == [("lq-d25", "running")]
        assert (self.files("lq-d25"), self.files("lq-d26")) == ([FILE], [])
        assert self.world.residue() == []


def why(fleet: Fleet) -> str:
    return " | ".join(str(refusal) for refusal in fleet.plan().refusals)


def test_a_disk_goes_along_and_the_old_one_stays() -> None:
    fleet = Copying().shall("lq-d26")
    made = fleet.plan()
    ports = [a.port for a in made.actions if a.verb in ("open-port", "close-port")]
    assert len(ports) == 4
    assert len(set(ports)) == 2
    assert [a.verb for a in made.actions if a.verb == "prove-shared"] == []
    report = fleet.apply()
    assert [(o.action, o.text) for o in report.failed] == []
    fleet.arrived()
    moved = next(o for o in report.outcomes if ":move-live" in o.action)
    assert "lq-d25:default/web.qcow2 (`virsh vol-delete --pool default web.qcow2` there)" in moved.text
    assert fleet.plan().empty


def test_the_way_back_is_refused_while_the_old_copy_is_there() -> None:
    fleet = Copying().shall("lq-d26")
    fleet.apply()
    fleet.shall("lq-d25")
    assert f"its old copy {FILE}, left by a move, is still on lq-d25" in why(fleet)
    del fleet.host("lq-d25").root.files[FILE]
    fleet.host("lq-d25").pools["default"].known.discard("web.qcow2")
    assert fleet.apply().verdict == "ok"
    assert fleet.world.where("web") == [("lq-d25", "running")]
    assert fleet.world.violations == []


def test_an_old_copy_is_deleted_where_that_is_declared_and_allowed() -> None:
    fleet = Copying().shall("lq-d26", "delete").deleting(1)
    assert fleet.apply().verdict == "ok"
    fleet.arrived(left=False)
    assert fleet.plan().empty


def test_an_old_copy_is_not_deleted_above_the_limit() -> None:
    fleet = Copying().shall("lq-d26", "delete")
    assert fleet.apply().verdict == "failed"
    assert "1 deletions, 0 allowed per pass" in why(fleet)
    fleet.arrived()
    fleet.shall("lq-d26", "delete").deleting(1)
    assert fleet.apply().verdict == "ok"
    fleet.arrived(left=False)


def test_an_old_copy_somebody_uses_is_not_deleted() -> None:
    fleet = Copying().shall("lq-d26")
    fleet.apply()
    other = UUID.replace("7d1b", "8e2c")
    xml = XML.replace(UUID, other).replace(">web<", ">spare<").replace("00:09", "00:19")
    fleet.host("lq-d25").domains[other] = Domain(other, "spare", xml)
    fleet.shall("lq-d26", "delete").deleting(1)
    assert f"{FILE} is a disk of spare; it was not deleted" in " ".join(o.text for o in fleet.apply().failed)
    fleet.arrived()


def test_a_failed_copy_leaves_nothing_and_the_next_pass_makes_it() -> None:
    fleet = Copying().shall("lq-d26")
    fleet.hypervisor.broken = "refused"
    report = fleet.apply()
    assert "half-made copies are gone: lq-d26:default/web.qcow2" in " ".join(o.fix for o in report.failed)
    fleet.stayed()
    fleet.converge()
    fleet.arrived()


def test_an_answer_that_was_lost_is_found_to_have_arrived() -> None:
    fleet = Copying().shall("lq-d26")
    fleet.hypervisor.broken = "lost"
    assert fleet.apply().verdict == "ok"
    fleet.arrived()
    assert fleet.plan().empty


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "failed"])
@pytest.mark.parametrize("failpoint", FAILPOINTS)
def test_a_fault_at_each_step(failpoint: str, killed: bool) -> None:
    fleet = Copying().shall("lq-d26")
    fleet.world.fault = (failpoint, Killed() if killed else Refused("lq-d26", "said no"))
    if killed:
        with pytest.raises(Killed):
            fleet.apply()
        fleet.revive()
    else:
        fleet.apply()
    assert fleet.world.fault is None, "the failpoint was not reached"
    fleet.converge()
    fleet.arrived()


def test_a_kill_while_a_half_made_copy_is_cleared() -> None:
    fleet = Copying().shall("lq-d26")
    fleet.hypervisor.broken = "refused"
    fleet.world.fault = ("copy.cleared", Killed())
    with pytest.raises(Killed):
        fleet.apply()
    fleet.revive()
    fleet.converge()
    fleet.arrived()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_at_every_call(after: bool) -> None:
    whole = Copying().shall("lq-d26")
    first = len(whole.world.calls)
    whole.apply()
    for number in range(first + 1, len(whole.world.calls) + 1):
        fleet = Copying().shall("lq-d26")
        fleet.world.kill_at, fleet.world.kill_after_effect = number, after
        with pytest.raises(Killed):
            fleet.apply()
        assert [state for _, state in fleet.world.where("web")].count("running") == 1, number
        fleet.revive()
        fleet.converge()
        fleet.arrived()


def test_an_unreachable_host_at_every_call() -> None:
    whole = Copying().shall("lq-d26")
    first = len(whole.world.calls)
    whole.apply()
    for number in range(first + 1, len(whole.world.calls) + 1):
        fleet = Copying().shall("lq-d26")
        fleet.world.fail_at = number
        fleet.apply()
        fleet.converge()
        fleet.arrived()


def test_a_failed_copy_whose_destination_is_silent_is_cleared_when_it_is_back() -> None:
    fleet = Copying().shall("lq-d26")
    fleet.world.fault = ("move.ready", Killed())
    with pytest.raises(Killed):
        fleet.apply()
    fleet.revive()
    fleet.host("lq-d26").root.files[FILE] = File("half", 96 * MIB, MIB)
    fleet.host("lq-d26").units["libvirtd"] = ("inactive", "enabled")
    fleet.shall("lq-d25")
    assert "half-made copies of its disks are on lq-d26, which did not answer" in why(fleet)
    fleet.host("lq-d26").units["libvirtd"] = ("active", "enabled")
    assert fleet.apply().verdict == "ok"
    fleet.stayed()


def test_what_may_be_the_vms_own_file_is_never_deleted() -> None:
    """Somebody made the pool a shared one meanwhile: the half-made copy's path is the running disk."""
    fleet = Copying().shall("lq-d26")
    fleet.world.fault = ("copy.marked", Killed())
    with pytest.raises(Killed):
        fleet.apply()
    fleet.revive()
    fleet.host("lq-d26").root = fleet.host("lq-d25").root
    said = " ".join(o.text for o in fleet.apply().failed)
    assert f"{FILE} may be the same file on lq-d25 too; it was not deleted" in said
    assert FILE in fleet.files("lq-d25")
    assert fleet.world.violations == []


def test_a_file_that_came_after_the_plan_is_not_overwritten() -> None:
    fleet = Copying().shall("lq-d26")

    def somebody() -> None:
        fleet.host("lq-d26").root.files[FILE] = File("somebody's", MIB, MIB)

    fleet.world.happens = ("lease.opened", somebody)
    assert f"a file {FILE} is there by now; nothing is overwritten" in " ".join(o.text for o in fleet.apply().failed)
    assert fleet.host("lq-d26").root.files[FILE].content == "somebody's"
    assert fleet.world.where("web") == [("lq-d25", "running")]
    assert fleet.world.violations == []


def test_space_that_went_after_the_plan_stops_the_move() -> None:
    fleet = Copying().shall("lq-d26")

    def fill() -> None:
        there = fleet.host("lq-d26").root
        there.files["/var/log/all"] = File("", there.free, there.free)

    fleet.world.happens = ("lease.opened", fill)
    assert "no space in pool default: 1.1 GiB needed with minFree" in " ".join(o.text for o in fleet.apply().failed)
    assert fleet.world.where("web") == [("lq-d25", "running")]
    assert fleet.files("lq-d26") == ["/var/log/all"]
