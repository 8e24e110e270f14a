"""Storage goes away or fills up in the middle of a copy: nothing of a stranger is deleted, the next pass ends well."""

from tests.e2e.copying import VM, arrives, copying, stays, until
from tests.e2e.hosts import POOL as SHARED
from tests.e2e.hosts import LabHost, lab
from tests.e2e.user import User

SMALL = "/var/lib/libvirt/images/SMALL"
POOL = f"""\
apiVersion: reconciler/v1alpha1
kind: StoragePool
metadata: {{name: CONT_VOL_COMP}}
spec: {{hosts: all, type: dir, target: {SMALL}, state: active}}
"""


def test_the_storage_server_loses_power(user: User, d25: LabHost, d26: LabHost) -> None:
    """The memory arrives, but the destination cannot open the disk: the guest goes on where it was.

    Not with the kept VM of `running`: QEMU 7.2 hands no guest over that was restored before its GlusterFS was away.
    """
    user.apply()
    process = copying(user, d25)
    lab("power-cut", "nas")
    out, err = process.communicate(timeout=200)
    lab("boot", "nas")
    assert process.returncode == 1, out + err
    assert "it still runs on lq-d25" in err
    assert "is refused, key deleted" in err
    stays(d25, d26)
    for host in (d25, d26):
        mounted = ("timeout", "2", "mountpoint", "-q", SHARED)
        until("the storage is back", lambda at=host, m=mounted: at.do(*m).returncode == 0, 60)
    arrives(user, d25, d26)


def test_the_pool_is_full_in_the_middle_of_a_clone(user: User, d25: LabHost) -> None:
    """There was room when it was looked at. What the clone had made goes; a stranger's file stays."""
    user.write("pools.yaml", POOL)
    d25.sh(f"mkdir -p {SMALL} && mount -t tmpfs -o size=16m tmpfs {SMALL}")
    process = user.start("apply", str(user.folder), "--yes", RECONCILER_FAILPOINT="clone.copying=sleep:4")
    until("the clone is defined", lambda: VM in d25.domains(), 60)
    d25.sh(f"head -c 15m /dev/zero > {SMALL}/strangers.img")
    out, err = process.communicate(timeout=200)
    assert process.returncode == 1, out + err
    assert "No space left on device" in err
    assert d25.domains() == {"mvp1": "shut off"}
    assert d25.out("ls", SMALL).split() == ["strangers.img"]
    d25.sh(f"rm {SMALL}/strangers.img; mount -o remount,size=64m {SMALL}")
    user.apply()
    assert d25.domains()[VM] == "running"
    user.in_sync()
