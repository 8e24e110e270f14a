"""Moves by a user who is not root: made on every host, with a right to libvirt only, and root never gets a key."""

import time

from tests.e2e.hosts import LabHost
from tests.e2e.test_crashes import killed_at
from tests.e2e.user import User

VM = "mvp4_lqd25"
ROOTS = "grep -c reconciler-lease /root/.ssh/authorized_keys || true"
OURS = "grep -c reconciler-lease /var/lib/vmmove/.ssh/authorized_keys || true"


def test_a_declared_user_moves_and_root_gets_no_key(user: User, d25: LabHost, d26: LabHost) -> None:
    user.edit("fleet.yaml", "lifetime: 15m, user: root}", "lifetime: 15m, user: vmmove}")
    assert "make user vmmove for moves" in user.plan().out
    killed_at(user, "host.make-mover.done")
    user.apply()
    for host in (d25, d26):
        assert host.sh("getent passwd vmmove").strip().endswith(":/var/lib/vmmove:/bin/sh")
        assert host.sh("getent shadow vmmove").split(":")[1] == "*", "no password opens it"
        assert host.sh("setpriv --reuid=vmmove --regid=vmmove --init-groups virsh -c qemu:///system uri").strip()
        assert host.do("setpriv", "--reuid=nobody", "virsh", "-q", "-c", "qemu:///system", "uri").returncode != 0
    user.in_sync()

    user.edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    process = user.start("apply", str(user.folder), "--yes", RECONCILER_FAILPOINT="move.ready=sleep:3")
    end = time.monotonic() + 60
    while d26.sh(OURS).strip() != "1":
        assert time.monotonic() < end, "no key line was added"
        time.sleep(0.2)
    assert d26.sh(ROOTS).strip() == "0"
    out, err = process.communicate(timeout=180)
    assert process.returncode == 0, out + err
    assert "log in as vmmove" in out + err
    assert "login from lq-d25 is refused, key deleted" in err
    assert (d26.domains()[VM], d26.sh(ROOTS).strip(), d26.sh(OURS).strip()) == ("running", "0", "0")
    user.in_sync()

    d26.sh("rm /etc/polkit-1/rules.d/50-reconciler-vmmove.rules; systemctl stop firewalld")
    assert "make user vmmove for moves" in user.plan().out
    killed_at(user, "firewall.start-firewall.done")
    user.apply()
    user.in_sync()
