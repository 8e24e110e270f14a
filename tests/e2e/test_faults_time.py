"""Time goes wrong in the middle of a move: a lease that ends while it is used, a host whose clock is ten minutes off.

Hosts of the lab share the machine's clock; a host's own is shifted for sshd and all that it starts, by libfaketime.
"""

import re
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.e2e.copying import VM, copying
from tests.e2e.hosts import NAME, LabHost
from tests.e2e.user import User

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
SHIFT = """set -e
printf 'SetEnv LD_PRELOAD=/usr/local/lib/faketime.so FAKETIME=%s\\n' "$1" >/etc/ssh/sshd_config.d/clock.conf
mkdir -p /run/systemd/system/ssh.service.d
printf '[Service]\\nEnvironment=LD_PRELOAD=/usr/local/lib/faketime.so FAKETIME=%s\\n' "$1" \
>/run/systemd/system/ssh.service.d/clock.conf
systemctl daemon-reload; systemctl restart ssh.service"""


def shift_clock(host: LabHost, seconds: str) -> None:
    """The clock of its sshd and of every command it runs is that far off, until the lab is reset."""
    shutil.copy(FAKETIME, Path(f"/var/lib/reconciler-lab/{NAME}/hosts/{host.name}/root/usr/local/lib/faketime.so"))
    host.out("sh", "-c", SHIFT, "sh", seconds)


def test_a_lease_that_ends_while_the_copy_goes_on(running: User, d25: LabHost, d26: LabHost) -> None:
    """The end of a lease ends logins and new connections; the copy that came in before is not touched."""
    running.edit("fleet.yaml", "lifetime: 15m", "lifetime: 1m")
    process = copying(running.unencrypted(), d25, bandwidth="1MiB/s")
    d25.sh("cp /run/reconciler/leases/*/key /root/kept && chmod 600 /root/kept")
    time.sleep(63)
    options = "-F none -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes"
    login = d25.do("sh", "-c", f"timeout 10 ssh {options} -i /root/kept root@{d26.fqdn} true")
    assert "Permission denied" in login.stderr
    assert "dport 49152 " not in d26.out("nft", "list", "ruleset")
    assert d25.do("sh", "-c", "ls /run/reconciler/leases/*/key").returncode != 0
    assert "Unbounded" in d25.out("virsh", "domjobinfo", VM), "the copy goes on"
    d25.sh(f"rm /root/kept; virsh migrate-setspeed {VM} 1000")
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, out + err
    assert d26.domains()[VM] == "running"
    assert VM not in d25.domains()
    running.in_sync()


def test_a_clock_ten_minutes_off(running: User, d25: LabHost, d26: LabHost) -> None:
    """Into that host and out of it: a lease ends by its destination's own clock; the offset is told and limited."""
    shift_clock(d26, "+600s")
    hosts = {"lq-d25": d25, "lq-d26": d26}
    for here, there, ahead in (("lq-d25", "lq-d26", 600), ("lq-d26", "lq-d25", 0)):
        assert re.search(r"\? the clocks of the two hosts are (599|600|601) s apart", _explained(running))
        running.edit("vms.yaml", f"placement: {{host: {here}}}", f"placement: {{host: {there}}}")
        said = running.apply()
        until = re.search(r"libvirt's proxy only: until (\d{14})Z", said.text)
        assert until, said.text
        ends = datetime.strptime(until[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()
        assert 800 < ends - ahead - time.time() < 900, "by the destination's clock"
        assert "is refused, key deleted" in said.text
        assert hosts[there].domains()[VM] == "running"
    running.edit("fleet.yaml", "lifetime: 15m", "lifetime: 10m")
    running.edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    shift_clock(d26, "+660s")
    refused = running.apply(code=1)
    assert re.search(r" are 6\d\d s apart, and a lease lives 600 s \(set both right\)", refused.text)
    assert d25.domains()[VM] == "running"


def _explained(user: User) -> str:
    return user.run("explain", f"vm/{VM}", str(user.folder)).out
