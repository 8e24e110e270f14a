"""Who must not get in does not, and a hostile host, key or name does no harm beyond its own host; through the CLI.

What needs no lab is in tests/fakes/test_hostile_hosts.py and tests/unit/bad_input.
"""

import time
from xml.sax.saxutils import escape

import pytest

from tests.e2e.copying import VM, stays, until
from tests.e2e.hosts import LabHost
from tests.e2e.user import User

SSH = "ssh -F none -o BatchMode=yes -o IdentitiesOnly=yes -i /root/stolen"
FEATURES = ("agent-forwarding", "port-forwarding", "pty", "user-rc", "x11-forwarding")
NAME = "-rf $(touch pwned) `touch pwned`; touch 'pwned' <b>&%s@lq-d26"
DOMAIN = """<domain type='qemu'><name>{name}</name><title>&#x1f608; &lt;script&gt; {title}</title>
<metadata><x:y xmlns:x='urn:reconciler:vm2' fleet='vpd'/></metadata>
<memory unit='MiB'>64</memory><os><type arch='x86_64'>hvm</type></os></domain>"""


def test_a_leased_key_forwards_nothing(running: User, d25: LabHost, d26: LabHost) -> None:
    """-L, -D and -W are one kind of channel, to a port or a socket; agent, X11 and terminal are options of the key."""
    running.edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    process = running.start("apply", str(running.folder), "--yes", RECONCILER_FAILPOINT="move.ready=sleep:12")
    until("a key is used", lambda: "reconciler-lease" in _keys(d26), 60)
    d25.sh("cp /run/reconciler/leases/*/key /root/stolen && chmod 600 /root/stolen")
    there = f"root@{d26.fqdn}"
    tried = {
        "-W": d25.sh(f"timeout 5 {SSH} -W 127.0.0.1:22 {there} 2>&1 </dev/null || true"),
        "-L port": _through(d25, f"-L 7001:127.0.0.1:22 {there}"),
        "-L socket, which is there": _through(d25, f"-L 7001:/run/libvirt/libvirt-sock {there}"),
    }
    backwards = [d25.do("sh", "-c", f"timeout 5 {SSH} -N -o ExitOnForwardFailure=yes -R {way}:127.0.0.1:22 {there}")
                 for way in ("7003", "/tmp/backwards.sock")]  # fmt: skip
    options = d25.sh(f"timeout 5 {SSH} -v -A -tt {there} id 2>&1 </dev/null || true")
    files = d25.do("sh", "-c", f"echo ls | timeout 5 sftp -b - {SSH.removeprefix('ssh')} {there}")
    out, err = process.communicate(timeout=120)
    d25.sh("rm -f /root/stolen")
    assert process.returncode == 0, out + err
    assert all("open failed" in said for said in tried.values()), tried
    assert all(done.returncode not in (0, 124) for done in backwards), "refused at once"
    granted = [line for line in options.splitlines() if "key options:" in line]
    assert granted, options
    assert not [word for line in granted for word in FEATURES if word in line.partition("key options:")[2]], granted
    assert "PTY allocation request failed" in options
    assert "uid=" not in options
    assert files.returncode != 0


def _keys(host: LabHost) -> str:
    return host.do("cat", "/root/.ssh/authorized_keys").stdout


def _through(host: LabHost, forward: str) -> str:
    """What the client says when somebody uses its forward."""
    script = f"""timeout 6 {SSH} -N {forward} 2>/tmp/said & sleep 1.5
timeout 2 bash -c 'exec 3<>/dev/tcp/127.0.0.1/7001; read -t 1 line <&3; echo "got $line"'; kill $!; cat /tmp/said"""
    return host.do("sh", "-c", script).stdout


def test_the_destinations_host_key_changes_in_between(running: User, d25: LabHost, d26: LabHost) -> None:
    """Nobody's new key is believed: not by the source's libvirt, and not by the reconciler afterwards."""
    running.edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    process = running.start("apply", str(running.folder), "--yes", RECONCILER_FAILPOINT="move.ready=sleep:4")
    until("a key is used", lambda: "reconciler-lease" in _keys(d26), 60)
    d26.sh("mkdir /root/true; cp -p /etc/ssh/ssh_host_* /root/true; rm /etc/ssh/ssh_host_*; ssh-keygen -A -q")
    out, err = process.communicate(timeout=120)
    said = running.plan()
    d26.sh("rm /etc/ssh/ssh_host_*; cp -p /root/true/* /etc/ssh/; rm -r /root/true")
    assert process.returncode != 0, out + err
    assert "Host key verification failed" in err
    assert said.code == 1
    assert "host/lq-d26: its SSH host key is NOT the pinned one" in said.out
    stays(d25, d26)
    running.apply()
    assert d26.domains()[VM] == "running"


@pytest.mark.parametrize(
    ("babble", "word"),
    [
        ("head -c 40000000 /dev/zero | tr '\\0' x", "more than 32 MiB of output"),
        ("for i in $(seq 100); do printf '\\033]0;owned\\007\\377\\n'; sleep 0.1; done", "did not answer within 4 s"),
    ],
    ids=["too much", "too slowly"],
)
def test_a_host_that_babbles_is_silent_and_the_other_is_served(
    user: User, d25: LabHost, d26: LabHost, babble: str, word: str
) -> None:
    d26.do(
        "sh", "-c", "cat >/usr/local/bin/hostname; chmod 755 $_ /usr/local/bin/hostname", stdin=f"#!/bin/sh\n{babble}\n"
    )
    began = time.monotonic()
    said = user.plan("--deadline", "4")
    assert time.monotonic() - began < 30
    assert said.code == 1
    assert word in said.out
    assert "pool/CONT_VOL_COMP@lq-d25" in said.out
    assert "pool/CONT_VOL_COMP@lq-d26" not in said.out
    _printable(said.text)


def test_a_hostile_name_is_a_name(user: User, d25: LabHost, d26: LabHost) -> None:
    """A domain somebody defined: its name and title are shown, and run by nobody."""
    xml = DOMAIN.format(name=escape(NAME), title="\u202egnp.exe")
    d25.do("sh", "-c", "cat >/root/hostile.xml", stdin=xml)
    d25.out("virsh", "define", "/root/hostile.xml")
    user.apply()
    for words in (("plan", str(user.folder)), ("status", str(user.folder)), ("doctor", str(user.folder)),
                  ("explain", f"vm/{VM}", str(user.folder)), ("snapshot", str(user.folder))):  # fmt: skip
        said = user.run(*words)
        assert said.code == 0, said.text
        _printable(said.text)
    assert d25.domains()[VM] == "running"
    for host in (d25, d26):
        assert host.sh("ls -d /pwned /root/pwned /tmp/pwned 2>/dev/null || true") == ""
    assert not list(user.folder.parent.rglob("pwned"))
    d25.out("virsh", "undefine", "--domain", NAME)


def _printable(text: str) -> None:
    assert all(character.isprintable() for character in text.replace("\n", ""))
