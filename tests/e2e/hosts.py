"""The lab's hosts as the tests see them: entered through their namespaces, so that no product code is in between.

With `pytest -n 2` each worker has a lab of its own: vpd, vpd2 and so on.
Reads the truth and breaks things on purpose; it never repairs what the product should.
"""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
NAME = os.environ.get("RECONCILER_LAB", f"vpd{WORKER + 1}" if WORKER else "vpd")
SUBNET = os.environ.get("RECONCILER_LAB_SUBNET", "10.77.0" if not WORKER else f"10.78.{WORKER}")
SUITE = os.environ.get("RECONCILER_LAB_SUITE", "bookworm")
RUN = Path(f"/run/reconciler-lab/{NAME}")
POOL = "/var/lib/libvirt/images/COMPARTIDO"


def lab(*words: str, timeout: float = 300) -> str:
    """`lab/lab WORDS`; raises with its output when it fails."""
    which = ["--name", NAME, "--subnet", f"{SUBNET}.0/24"] if NAME != "vpd" else []
    return lab_of([*which, "--suite", SUITE], *words, timeout=timeout)


def lab_of(which: Sequence[str], *words: str, timeout: float = 300) -> str:
    """The same of another lab than the worker's own."""
    done = subprocess.run(
        [str(ROOT / "lab/lab"), *which, *words], capture_output=True, text=True, timeout=timeout, check=False
    )
    if done.returncode != 0:
        raise AssertionError(f"lab {' '.join(words)}: {done.stdout}{done.stderr}")
    return done.stdout


@dataclass(frozen=True)
class LabHost:
    """One host of the lab."""

    name: str
    fqdn: str
    address: str
    run: Path = RUN

    @property
    def leader(self) -> str:
        hosts = json.loads((self.run / "topology.json").read_text())["hosts"]
        return str(next(host["leader"] for host in hosts if host["name"] == self.name))

    def do(self, *argv: str, stdin: str = "", timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """A command inside the host, whatever its exit code."""
        enter = ["nsenter", "-t", self.leader, "-a", "--", *argv]
        return subprocess.run(enter, input=stdin, capture_output=True, text=True, timeout=timeout, check=False)

    def feed(self, argv: Sequence[str], data: bytes) -> None:
        """A command that must succeed, with bytes as its input."""
        enter = ["nsenter", "-t", self.leader, "-a", "--", *argv]
        done = subprocess.run(enter, input=data, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, f"{self.name}: {argv}: {done.stderr.decode()[-500:]}"

    def out(self, *argv: str, timeout: float = 60) -> str:
        """Standard output of a command that must succeed."""
        done = self.do(*argv, timeout=timeout)
        assert done.returncode == 0, f"{self.name}: {argv}: {done.stderr}"
        return done.stdout

    def sh(self, script: str, timeout: float = 60) -> str:
        return self.out("sh", "-c", script, timeout=timeout)

    def domains(self) -> dict[str, str]:
        """Every domain's name and state, by virsh."""
        lines = [line.split(None, 2) for line in self.out("virsh", "list", "--all").splitlines()[2:] if line.strip()]
        return {words[1]: words[2] for words in lines}

    def dominfo(self, name: str) -> dict[str, str]:
        lines = self.out("virsh", "dominfo", name).splitlines()
        return {k.strip(): v.strip() for k, _, v in (line.partition(":") for line in lines if ":" in line)}

    def volumes(self) -> set[str]:
        """Files in the shared pool's folder, or nothing where it is not mounted."""
        if self.do("mountpoint", "-q", POOL).returncode != 0:
            return set()
        return {name for name in self.sh(f"ls -A {POOL}").split() if not name.startswith(".glusterfs")}


def hosts() -> dict[str, LabHost]:
    """All hosts of the lab by name."""
    known = json.loads((RUN / "topology.json").read_text())["hosts"]
    return {host["name"]: LabHost(host["name"], host["fqdn"], host["address"]) for host in known}


def residue(host: LabHost) -> list[str]:
    """Everything of ours that must not be on a host at rest."""
    probes = {
        "key": "grep -hs reconciler-lease /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys",
        "known_hosts": "grep -hs reconciler-lease /etc/ssh/ssh_known_hosts",
        "folder": "ls -d /run/reconciler /var/lib/reconciler 2>/dev/null",
        "rule": "nft list ruleset | grep -E 'dport 49[0-9]{3} '; grep -ls -e -24242 /etc/firewalld/zones/*.xml",
        "timer": "systemctl list-units --all --plain --no-legend 'reconciler-*'",
        "token": f"ls -A {POOL} 2>/dev/null | grep reconciler-token",
        "temporary": "ls /root/.ssh/.reconciler.* /etc/.hosts.* /etc/ssh/ssh_known_hosts.* 2>/dev/null",
        "unfinished": "for d in $(virsh list --all --name); do virsh dumpxml --inactive $d; done"
        " | grep -E ' (making|coming|resume|boots)='",
    }
    found = [(what, host.do("sh", "-c", probe).stdout.strip()) for what, probe in probes.items()]
    return [f"{host.name}: {what}: {text}" for what, text in found if text]


def orphans(compute: Sequence[LabHost]) -> list[str]:
    """Volumes in the shared pool that no domain on any host uses."""
    listing = "for d in $(virsh list --all --name); do virsh domblklist $d; done"
    used = "".join(host.do("sh", "-c", listing).stdout for host in compute)
    return sorted({f"volume of nobody: {v}" for host in compute for v in host.volumes() if f"{POOL}/{v}" not in used})
