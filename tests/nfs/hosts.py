"""The truth on the hosts, by the lab's own login: ssh and virsh, never the product.

Asks; what it finds is for the test to judge.
"""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUN = Path("/run/reconciler-lab/nfs")
LAB = [str(ROOT / "lab/lab"), "--topology", str(ROOT / "lab/topology-nfs.yaml")]
MIGRATION = re.compile(r"dport (?:\{ )?49(?:1[5-9]\d|2[01]\d)\b")


def lab(*words: str) -> str:
    """One verb of the lab; its progress goes to the terminal."""
    return subprocess.run([*LAB, *words], check=True, stdout=subprocess.PIPE, text=True, timeout=3000).stdout


@dataclass(frozen=True)
class Host:
    """One machine of the lab."""

    name: str
    fqdn: str
    address: str

    def start(self, command: str) -> "subprocess.Popen[str]":
        """A command in its shell, as root, not waited for."""
        options = ["-o", f"UserKnownHostsFile={RUN / 'known_hosts'}", "-o", "BatchMode=yes", "-o", "ConnectTimeout=60"]
        words = ["ssh", "-F", "/dev/null", "-i", str(RUN / "id_ed25519"), *options, f"root@{self.address}", command]
        pipe = subprocess.PIPE
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=pipe, stderr=subprocess.STDOUT, text=True)

    def ask(self, command: str, timeout: float = 180) -> tuple[int, str]:
        """Exit code and everything said."""
        with self.start(command) as running:
            said, _ = running.communicate(timeout=timeout)
        return running.returncode, said

    def say(self, command: str) -> str:
        """What it said, and it must end well."""
        code, said = self.ask(command)
        assert code == 0, f"{self.name}: {command}: {said}"
        return said.strip()

    def running(self) -> dict[str, str]:
        """UUID by name of the guests that run here."""
        names = self.say("virsh list --name").split()
        return {name: self.say(f"virsh domuuid {name}") for name in names}

    def defined(self) -> list[str]:
        return self.say("virsh list --all --name").split()

    def mount(self, target: str) -> tuple[str, str, str]:
        """Type, source and options of what is mounted there."""
        kind, source, options = self.say(f"findmnt -n -r -o FSTYPE,SOURCE,OPTIONS -M {target}").split()
        return kind, source, options

    def heartbeats(self, guest: str) -> list[tuple[int, int]]:
        """Counter and uptime in ms, as the guest wrote them while it was here."""
        said = self.ask(f"cat /var/log/libvirt/qemu/{guest}-heartbeat.log")[1]
        return [(int(c), int(u)) for c, u in re.findall(r"^(\d+) (\d+)\r?\n", said, re.M)]

    def leftovers(self) -> list[str]:
        """Whatever of a lease is still here, by the host's own means."""
        kept = "/root/.ssh/authorized_keys /etc/ssh/ssh_known_hosts"
        look = f"grep -h reconciler-lease {kept} 2>/dev/null; ls -d /run/reconciler 2>/dev/null"
        found = self.ask(look)[1].splitlines()
        rules = self.say("nft list ruleset").splitlines()
        found += [line.strip() for line in rules if MIGRATION.search(line)]
        units = self.say("systemctl list-units --all --plain --no-legend 'reconciler-*'")
        return [f"{self.name}: {line}" for line in [*found, *units.splitlines()] if line]


def hosts() -> dict[str, Host]:
    """By name, from what the lab published."""
    facts = json.loads((RUN / "topology.json").read_text())
    return {host["name"]: Host(host["name"], host["fqdn"], host["address"]) for host in facts["hosts"]}
