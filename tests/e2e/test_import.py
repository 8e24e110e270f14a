"""Specs are written from hosts that are in use: the next plan has nothing to do, and no key is trusted unseen."""

import re
from pathlib import Path

from tests.e2e.hosts import RUN, LabHost
from tests.e2e.user import User

KEYS = ("--identity-file", str(RUN / "id_ed25519"))
DISK = """<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/srv/db/%s.qcow2'/>
<target dev='%s' bus='virtio'/></disk>"""
NIC = "<interface type='network'><mac address='52:54:00:85:00:02'/><source network='vpd'/></interface>"


def _by_hand(d26: LabHost) -> None:
    """Two VMs and a port of nobody's specs: one runs, with disks and NICs more, one is off and has a snapshot."""
    base = d26.sh("cat /root/mvp1.xml")
    base = re.sub(r"<disk.*?</disk>", "", base, flags=re.S).replace("mvp1-heartbeat", "db-heartbeat")
    base = re.sub(r"<uuid>.*?</uuid>", "", base).replace("<name>mvp1", "<name>db")
    base = base.replace("52:54:00:77:00:01", "52:54:00:85:00:01")
    devices = DISK % ("root", "vda") + DISK % ("data", "vdb") + NIC
    d26.sh("mkdir -p /srv/db; cd /srv/db; for d in root data idle; do qemu-img create -q -f qcow2 $d.qcow2 64M; done")
    d26.do("sh", "-c", "cat >/root/db.xml", stdin=base.replace("<devices>", f"<devices>{devices}"))
    idle = base.replace("<name>db", "<name>idle").replace("85:00:01", "85:00:09").replace("db-heart", "idle-heart")
    idle = idle.replace("<devices>", f"<devices>{DISK % ('idle', 'vda')}")
    d26.do("sh", "-c", "cat >/root/idle.xml", stdin=idle)
    d26.sh(
        "virsh -q define /root/db.xml && virsh -q autostart db && virsh -q start db && virsh -q define /root/idle.xml"
    )
    d26.sh("virsh -q snapshot-create-as idle before-the-upgrade")
    for layer in ("", "--permanent"):
        d26.sh(f"firewall-cmd -q {layer} --zone=FedoraServer --add-port=49152-49216/tcp")


def test_what_runs_is_declared_and_left_alone(running: User, d25: LabHost, d26: LabHost, tmp_path: Path) -> None:
    d26.do("sh", "-c", "cat >/root/mvp1.xml", stdin=d25.out("virsh", "dumpxml", "mvp1"))
    _by_hand(d26)
    hosts = (f"root@{d25.address}", f"root@{d26.address}")
    unknown = running.run("import", *hosts, *KEYS, "--out", str(tmp_path / "mine"))
    assert unknown.code == 1
    assert "its SSH host key is not known: ssh-ed25519 SHA256:" in unknown.err
    wrong = tmp_path / "known_hosts"
    wrong.write_text((RUN / "known_hosts").read_text().replace(d25.address, "x").replace(d26.address, d25.address))
    other = running.run("import", *hosts, *KEYS, "--known-hosts-file", str(wrong), "--out", str(tmp_path / "mine"))
    assert "its SSH host key is NOT the known one" in other.err
    assert not (tmp_path / "mine").exists()

    said = running.run("import", *hosts, *KEYS, "--accept-host-key", "--out", str(tmp_path / "mine"))
    assert said.code == 0, said.text
    assert "the next plan would change" not in said.err
    assert "idle@lq-d26: has snapshots: not declarable, kept as they are" in said.err
    mine = User(tmp_path / "mine")
    mine.in_sync()
    db = (mine.folder / "vms/db.yaml").read_text()
    assert "power: running\n  autostart: true\n" in db
    assert db.count("- mac:") == 2
    assert "disk vdb: /srv/db/data.qcow2" in db
    assert "power: stopped" in (mine.folder / "vms/idle.yaml").read_text()
    assert "49152-49216/tcp" in "".join(p.read_text() for p in (mine.folder / "firewalls").glob("*.yaml"))
    assert "name: vpd" in (mine.folder / "fleet.yaml").read_text(), "the fleet whose mark mvp4_lqd25 carries"
    for words in (("mvp4_lqd25", "--host", "lq-d26"), ("idle", "--power", "running")):
        said = running.run("edit", "vm", words[0], str(mine.folder), *words[1:])
        assert said.code == 0, said.text
    plan = mine.plan("--detailed-exitcode")
    assert "move live lq-d25 -> lq-d26" in plan.out, plan.text
    assert plan.out.index("vm/idle@lq-d26\n") > 0
    assert "mark the existing domain" in plan.out.partition("vm/idle@lq-d26")[2], "marked when it is first changed"
    again = running.run("import", *hosts, *KEYS, "--accept-host-key", "--out", str(mine.folder))
    assert again.code == 1
    assert "exists already; nothing was written" in again.err
    d26.sh("virsh -q destroy db; virsh -q undefine db; virsh -q undefine --snapshots-metadata idle; rm -rf /srv/db")
