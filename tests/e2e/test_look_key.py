"""A key that may only look: `plan` says the same with it as with root's own key, and nothing can be changed by it."""

import shlex
import subprocess
from pathlib import Path

from tests.e2e.hosts import ROOT, RUN, LabHost
from tests.e2e.user import User

RULES = "/etc/polkit-1/rules.d/50-reconciler-look.rules"
FORBIDDEN = (
    ("reboot", "this key may only look"),
    ("virsh -c qemu:///system list", "this key may only look"),
)
IN_THE_SCRIPT = (
    "touch /etc/x",
    "touch /var/lib/libvirt/images/x",
    "systemctl stop libvirtd",
    "systemd-run id",
    "firewall-cmd --zone=public --add-port=1/tcp",
    "virsh -c qemu:///system start mvp1",
    "kill -9 1",
)


def _install(host: LabHost, key: str) -> None:
    """As docs/guides/pull-request-review.md says it; `lab reset` takes it all away."""
    host.out("useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "reconciler-look")
    for name, where in (("reconciler-look", "/usr/local/sbin/reconciler-look"), ("50-reconciler-look.rules", RULES)):
        text = (ROOT / "examples/ci" / name).read_text()
        host.out("sh", "-c", f"printf %s {shlex.quote(text)} > {where}; chmod 755 {where}")
    line = f'restrict,command="/usr/local/sbin/reconciler-look" {key}'
    host.out("sh", "-c", f"printf '%s\\n' {shlex.quote(line)} >> /root/.ssh/authorized_keys")


def test_a_key_that_only_looks_plans_the_same_and_changes_nothing(user: User, d25: LabHost, d26: LabHost) -> None:
    key = user.folder.parent / "look"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    for host in (d25, d26):
        _install(host, Path(f"{key}.pub").read_text().strip())
    full = user.plan()
    user.edit("fleet.yaml", f"{RUN}/id_ed25519", str(key))
    seen = user.plan()
    assert seen.out == full.out, "the same plan"
    assert "clone" in seen.out
    for command, answer in FORBIDDEN:
        assert answer in _ssh(key, d25, command).stderr
    for line in IN_THE_SCRIPT:
        done = _ssh(key, d25, "sh -s", line + "\n")
        assert done.returncode != 0, (line, done.stdout)
    assert d25.out("virsh", "list", "--name").strip() == ""
    assert "1/tcp" not in d25.out("firewall-cmd", "--zone=public", "--list-ports")
    failed = user.run("apply", str(user.folder), "--yes")
    assert failed.code == 1
    assert d25.out("virsh", "list", "--all", "--name").split() == ["mvp1"]


def _ssh(key: Path, host: LabHost, command: str, text: str = "") -> subprocess.CompletedProcess[str]:
    words = ["ssh", "-i", str(key), "-o", "IdentitiesOnly=yes", "-o", f"UserKnownHostsFile={RUN}/known_hosts"]
    words += ["-o", "BatchMode=yes", f"root@{host.address}", command]
    return subprocess.run(words, input=text, capture_output=True, text=True, timeout=30, check=False)
