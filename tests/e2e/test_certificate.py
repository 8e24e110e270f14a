"""Access mode certificate: a VM moves, nothing enters authorized_keys, and a certificate opens nothing but its move."""

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.hosts import LabHost
from tests.e2e.test_crashes import killed_at
from tests.e2e.user import User

VM = "mvp4_lqd25"
KEYS = "cat /root/.ssh/authorized_keys | sha256sum; stat -c %Y /root/.ssh/authorized_keys"
OPTIONS = "-F none -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
PROXY = "virt-ssh-helper qemu:///system"
DROP_IN, TRUSTED = "/etc/ssh/sshd_config.d/50-reconciler.conf", "/etc/ssh/reconciler_user_ca.pub"


@pytest.fixture
def signed(running: User, tmp_path: Path, d25: LabHost, d26: LabHost) -> Iterator[User]:
    """A fleet whose moves are let in by certificates of an authority made here; the hosts forget it afterwards."""
    authority = tmp_path / "authority"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(authority)], check=True)
    public = (tmp_path / "authority.pub").read_text().strip()
    words = f"access: {{mode: certificate, authorityFile: {authority}, authorityKey: {public}, "
    yield running.edit("fleet.yaml", "access: {", words)
    for host in (d25, d26):
        host.sh(
            f"rm -f {DROP_IN}* {TRUSTED} /etc/ssh/sshd_config.d/60-wrong.conf; systemctl reload ssh; rm -rf /root/kept"
        )


def kept(d26: LabHost, key: str = "key") -> str:
    return f"timeout 10 ssh {OPTIONS} -i /root/kept/{key} root@{d26.address}"


def sign(tmp: Path, public: str, *validity: str) -> str:
    """A certificate by the same authority with the product's own options, for another time."""
    (tmp / "old.pub").write_text(public)
    fixed = ["-I", "old", "-n", "root", "-O", "clear", "-O", f"force-command={PROXY}"]
    subprocess.run(
        ["ssh-keygen", "-q", "-s", str(tmp / "authority"), *fixed, *validity, str(tmp / "old.pub")], check=True
    )
    return (tmp / "old-cert.pub").read_text()


def test_a_certificate_lets_one_move_in_and_nothing_else(
    signed: User, d25: LabHost, d26: LabHost, tmp_path: Path
) -> None:
    before = [host.sh(KEYS) for host in (d25, d26)]
    signed.edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    plan = signed.plan()
    assert plan.out.count("let sshd trust certificates of the authority") == 2, plan.text
    killed_at(signed, "host.trust-authority.done")
    assert "log in as root for 15 min: ed25519 key with a certificate, libvirt's proxy only" in plan.out
    process = signed.start("apply", str(signed.folder), "--yes", RECONCILER_FAILPOINT="move.ready=sleep:3")
    end = time.monotonic() + 60
    while d25.do("sh", "-c", "ls /run/reconciler/leases/*/key-cert.pub").returncode != 0:
        assert time.monotonic() < end, "no certificate came"
        time.sleep(0.1)
    d25.sh("cp -r /run/reconciler/leases/* /root/kept")
    assert d25.sh("ls /root/kept").split() == ["key", "key-cert.pub", "key.pub"]
    said = d25.do("sh", "-c", f"{kept(d26)} id </dev/null")
    assert "Permission denied" not in said.stderr, said.stderr
    assert "uid=" not in said.stdout
    assert (
        d25.do(
            "sh", "-c", f"{kept(d26)} -N -L 9999:localhost:22 & sleep 1; timeout 2 ssh-keyscan -p 9999 127.0.0.1"
        ).stdout
        == ""
    )
    key = d25.sh("cat /root/kept/key")
    text = d25.sh("cat /root/kept/key-cert.pub")
    d26.sh(
        "mkdir -m 700 /root/kept; umask 077; "
        f"cat >/root/kept/key <<'E'\n{key}E\ncat >/root/kept/key-cert.pub <<'E'\n{text}E"
    )
    assert "Permission denied" in d26.do("sh", "-c", f"{kept(d26)} true").stderr, "another address"
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert "key and certificate are gone on lq-d25" in err
    assert (d25.domains().get(VM), d26.domains().get(VM)) == (None, "running")
    assert d25.do("test", "-e", "/run/reconciler").returncode != 0
    assert [host.sh(KEYS) for host in (d25, d26)] == before
    public = d25.sh("cat /root/kept/key.pub")
    for name, validity in (("now", "-1m:+1m"), ("past", "-10m:-1m")):
        text = sign(tmp_path, public, "-V", validity)
        d25.sh(f"cp /root/kept/key /root/kept/{name}; umask 077; cat >/root/kept/{name}-cert.pub <<'E'\n{text}E")
        refused = "Permission denied" in d25.do("sh", "-c", f"{kept(d26, name)} true </dev/null").stderr
        assert refused == (name == "past"), name
    signed.in_sync()
    d26.sh(f"echo 'Nonsense yes' >/etc/ssh/sshd_config.d/60-wrong.conf; rm {TRUSTED}")
    said = signed.apply(code=1)
    assert "sshd -t says" in said.text
    assert d26.do("test", "-e", DROP_IN).returncode != 0, "it was not undone"
    d26.sh("rm /etc/ssh/sshd_config.d/60-wrong.conf")
    signed.edit("vms.yaml", "placement: {host: lq-d26}", "placement: {host: lq-d25}")
    signed.edit("fleet.yaml", "keyType: ed25519", "keyType: rsa-4096")
    killed = signed.run("apply", str(signed.folder), "--yes", RECONCILER_FAILPOINT="lease.signed")
    assert killed.code == -signal.SIGKILL, killed.text
    assert "private key" in signed.plan().out, "what a killed pass left is swept"
    signed.apply()
    assert (d25.domains().get(VM), d26.domains().get(VM)) == ("running", None)
    assert [host.sh(KEYS) for host in (d25, d26)] == before
    signed.in_sync()
