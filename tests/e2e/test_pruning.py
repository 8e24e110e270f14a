"""A VM that is declared nowhere any more: kept when all specs vanish, deleted within the limit, killed on the way."""

from tests.e2e.hosts import LabHost
from tests.e2e.test_crashes import killed_at
from tests.e2e.user import User

VM = "mvp4_lqd25"
DISK = "/var/lib/libvirt/images/COMPARTIDO/pc25_LQD_ANFITRION1_p4.qcow2"
LOG = f"/var/log/libvirt/qemu/{VM}.log"
BASE = """
apiVersion: reconciler/v1alpha1
kind: VirtualMachine
metadata: {name: mvp1}
spec: {placement: {host: lq-d25}, power: unmanaged}
"""


def test_deleted_but_for_its_disks_and_never_by_mistake(running: User, d25: LabHost) -> None:
    running.edit("vms.yaml", "  power: running\n", "  power: running\n  prune: allowed\n")
    killed_at(running, "vm.allow-prune.done")
    running.in_sync()
    assert 'prune="allowed"' in d25.out("virsh", "dumpxml", "--inactive", VM)
    declared = (running.folder / "vms.yaml").read_text()

    (running.folder / "vms.yaml").unlink()
    running.edit("fleet.yaml", "deletesPerPass: 0", "deletesPerPass: 5")
    said = running.apply(code=1)
    assert "the specs declare no VM at all" in said.out
    running.edit("fleet.yaml", "deletesPerPass: 5", "deletesPerPass: 0").write("base.yaml", BASE)
    said = running.apply(code=1)
    assert "1 deletions, 0 allowed per pass" in said.out
    assert d25.domains()[VM] == "running"

    running.edit("fleet.yaml", "deletesPerPass: 0", "deletesPerPass: 1")
    killed_at(running, "delete.stopped")
    assert d25.domains()[VM] == "shut off"
    assert "shutting down, reason=shutdown" in d25.out("tail", "-n2", LOG), "the guest itself ended"
    said = running.apply()
    assert f"what stays: {DISK}" in said.text
    assert d25.domains() == {"mvp1": "shut off"}
    assert d25.do("test", "-s", DISK).returncode == 0
    running.in_sync()

    running.write("vms.yaml", declared)
    assert "volume pc25_LQD_ANFITRION1_p4.qcow2 is in pool CONT_VOL_COMP already" in running.plan().out
    d25.out("virsh", "vol-delete", "--pool", "CONT_VOL_COMP", "pc25_LQD_ANFITRION1_p4.qcow2")
