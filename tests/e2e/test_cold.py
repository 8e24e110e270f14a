"""Moves without live migration, of a VM that is off or is shut down for it: killed at every step, and no access."""

import re
import time

from tests.e2e.hosts import LabHost
from tests.e2e.test_crashes import killed_at
from tests.e2e.user import User

VM = "mvp4_lqd25"
LOG = f"/var/log/libvirt/qemu/{VM}.log"
COLD = (
    "limits: {movesPerHost: 2, moves: 4, deletesPerPass: 0, disruption: move-live}",
    "limits: {disruption: move-cold}",
)
OFF = ["offline.defined", "offline.undefined", "offline.settled", "vm.move-offline.done"]
STOPPING = ["cold.marked", "vm.stop.done", "offline.defined", "vm.move-offline.done", "start.asked", "start.started"]


def place(user: User, here: str, there: str) -> None:
    user.edit("vms.yaml", f"placement: {{host: {here}}}", f"placement: {{host: {there}}}")


def cold(user: User) -> None:
    user.edit("fleet.yaml", *COLD).edit("fleet.yaml", "method: live", "method: cold")


def ended(host: LabHost) -> list[str]:
    """How each QEMU of the VM ended on a host, in libvirt's word: shutdown is the guest's own doing."""
    return re.findall(r"shutting down, reason=(\w+)", host.do("cat", LOG).stdout)


def logins(host: LabHost, source: LabHost, since: float) -> str:
    """What sshd of a host heard from another one."""
    said = host.do("sh", "-c", f"journalctl --since @{int(since)} --no-pager | grep 'from {source.address} '")
    return said.stdout


def test_a_running_vm_is_shut_down_moved_and_started(running: User, d25: LabHost, d26: LabHost) -> None:
    place(running, "lq-d25", "lq-d26")
    running.edit("fleet.yaml", "method: live", "method: cold").edit("vms.yaml", "power: running", "power: unmanaged")
    said = running.plan()
    assert "of class move-cold, above the allowed move-live" in said.out, said.text
    running.edit("fleet.yaml", *COLD)
    uuid, since = d25.dominfo(VM)["UUID"], time.time()
    said = running.apply()
    assert "lease/" not in said.out
    assert d25.domains() == {"mvp1": "shut off"}
    assert d26.domains() == {VM: "running"}
    seen = d26.dominfo(VM)
    assert (seen["UUID"], seen["Persistent"], seen["Autostart"]) == (uuid, "yes", "enable")
    assert ended(d25)[-1:] == ["shutdown"], "the guest itself ended, nobody cut its power"
    assert logins(d26, d25, since) + logins(d25, d26, since) == ""
    running.in_sync()
    for host, other in ((d25, d26), (d26, d25)):
        assert host.do("ls", "/run/reconciler").returncode != 0
        assert f"{other.address}" not in host.out("nft", "list", "ruleset")


def test_a_vm_that_is_off_moves_and_whoever_is_killed_in_between(running: User, d25: LabHost, d26: LabHost) -> None:
    """To and fro, without any access; killed once at each step, and then without a fault."""
    running.edit("vms.yaml", "power: running", "power: stopped")
    running.apply()
    hosts, here, there = {"lq-d25": d25, "lq-d26": d26}, "lq-d25", "lq-d26"
    uuid, since = d25.dominfo(VM)["UUID"], time.time()
    for name in [*OFF, ""]:
        place(running, here, there)
        if name:
            killed_at(running, name)
        running.apply()
        assert hosts[there].domains()[VM] == "shut off", name
        assert VM not in hosts[here].domains(), name
        seen = hosts[there].dominfo(VM)
        assert (seen["UUID"], seen["Autostart"]) == (uuid, "enable"), name
        running.in_sync()
        here, there = there, here
    assert logins(d26, d25, since) + logins(d25, d26, since) == ""


def test_killed_in_a_cold_move_it_runs_again_after_one_pass(running: User, d25: LabHost, d26: LabHost) -> None:
    """To and fro, also where nobody declares its power: the mark on the domain says that it ran."""
    cold(running)
    running.edit("vms.yaml", "power: running", "power: unmanaged")
    hosts, here, there = {"lq-d25": d25, "lq-d26": d26}, "lq-d25", "lq-d26"
    for name in STOPPING:
        place(running, here, there)
        killed_at(running, name)
        running.apply()
        assert hosts[there].domains()[VM] == "running", name
        assert VM not in hosts[here].domains(), name
        running.in_sync()
        here, there = there, here
    assert "destroyed" not in ended(d25) + ended(d26)


def test_half_moved_and_started_at_its_source_by_hand(running: User, d25: LabHost, d26: LabHost) -> None:
    running.edit("vms.yaml", "power: running", "power: stopped")
    running.apply()
    place(running, "lq-d25", "lq-d26")
    killed_at(running, "offline.defined")
    assert d25.domains()[VM] == d26.domains()[VM] == "shut off"
    d25.out("virsh", "start", VM)
    place(running, "lq-d26", "lq-d25")
    running.edit("vms.yaml", "power: stopped", "power: running")
    said = running.plan()
    assert "undefine the unfinished copy; lq-d25 has the VM" in said.out, said.text
    running.apply()
    assert d25.domains()[VM] == "running"
    assert d26.domains() == {}
    running.in_sync()


def test_what_libvirt_keeps_of_it_stays_in_its_way_until_it_is_removed(
    running: User, d25: LabHost, d26: LabHost
) -> None:
    running.edit("vms.yaml", "power: running", "power: unmanaged")
    d25.out("virsh", "managedsave", VM)
    place(running, "lq-d25", "lq-d26")
    said = running.plan()
    assert "libvirt keeps a managed save image of it on lq-d25" in said.out, said.text
    said = running.run("explain", f"vm/{VM}", str(running.folder))
    assert "lq-d26: no (1 blocker)" in said.out, said.text
    d25.out("virsh", "managedsave-remove", VM)
    running.apply()
    assert d26.domains() == {VM: "shut off"}
    place(running, "lq-d26", "lq-d25")
    running.edit("vms.yaml", "power: unmanaged", "power: running")
    running.apply()
    assert d25.domains()[VM] == "running"
