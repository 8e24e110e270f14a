"""The product as a user has it: its command line on specs in a folder, and nothing else of it.

Every call has a generous deadline, as the hosts are emulated; exit codes are the caller's to judge.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.nfs.hosts import RUN, Host

PROGRAM = Path(sys.executable).with_name("reconciler")
POOL, TARGET, VM, VOLUME = (
    "CONT_VOL_COMP",
    "/var/lib/libvirt/images/COMPARTIDO",
    "mvp4_lqd25",
    "pc25_LQD_ANFITRION1_p4.qcow2",
)
FLEET = f"""apiVersion: reconciler/v1alpha1
kind: Fleet
metadata: {{name: nfs}}
spec:
  mode: apply
  limits: {{movesPerHost: 2, moves: 4, deletesPerPass: 0, disruption: move-live}}
  defaults:
    connection: {{user: root, identityFile: {RUN}/id_ed25519, knownHostsFile: {RUN}/known_hosts}}
    access: {{keyType: ed25519, lifetime: 60m, user: root}}
    migration: {{method: live, onTimeout: abort, timeout: 30m}}
"""
HOST = """---
apiVersion: reconciler/v1alpha1
kind: Host
metadata: {{name: {name}, labels: {{role: compute}}}}
spec: {{fqdn: {fqdn}, address: {address}}}
"""
FIREWALL = """apiVersion: reconciler/v1alpha1
kind: Firewall
metadata: {name: compute}
spec:
  hosts: {matchLabels: {role: compute}}
  state: running
  zones:
    - {name: FedoraServer, interfaces: [br0], services: [ssh, libvirt, cockpit, dhcpv6-client]}
"""
STORAGE = f"""apiVersion: reconciler/v1alpha1
kind: StoragePool
metadata: {{name: {POOL}}}
spec:
  hosts: all
  type: netfs
  source: {{host: nas.vpd.com, dir: /export/comp, format: nfs, protocolVersion: "4.2"}}
  target: {TARGET}
  state: active
  autostart: true
  shared: true
  minFree: 256MiB
"""
GUEST = """apiVersion: reconciler/v1alpha1
kind: VirtualMachine
metadata: {{name: {vm}, labels: {{app: web}}}}
spec:
  placement: {{host: {host}}}
  power: running
  autostart: true
  source:
    clone:
      from: mvp1
      mode: full
      disks: [{{target: vda, pool: {pool}, volume: {volume}, format: qcow2}}]
  vcpus: 1
  memory: 128MiB
  interfaces: [{{mac: "00:16:3e:31:13:b3", network: vpd}}]
  migration: {{method: live, autoConverge: true, maxDowntime: 2s, timeout: 30m}}
  checks: [{{tcp: 22, timeout: 20m}}, {{ssh: banner, timeout: 5m}}]
"""


@dataclass(frozen=True)
class Answer:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found

    def must(self, code: int) -> "Answer":
        assert self.code == code, f"exit {self.code}, expected {code}: {self.err[-1500:]} {self.out[-1500:]}"
        return self


@dataclass(frozen=True)
class Program:
    """`reconciler` on one folder of specs."""

    specs: Path

    def write(self, compute: list[Host], placement: str) -> None:
        """The whole fleet, the VM placed there."""
        self.specs.mkdir(exist_ok=True)
        cards = "".join(HOST.format(name=h.name, fqdn=h.fqdn, address=h.address) for h in compute)
        guest = GUEST.format(vm=VM, host=placement, pool=POOL, volume=VOLUME)
        texts = {"fleet": FLEET + cards, "firewall": FIREWALL, "pools": STORAGE, "vms": guest}
        for name, text in texts.items():
            (self.specs / f"{name}.yaml").write_text(text, encoding="utf-8")

    def run(self, verb: str, *options: str) -> Answer:
        """One command; hosts get five minutes to answer."""
        slow = [] if verb == "validate" else ["--deadline", "300"]
        words = [str(PROGRAM), *verb.split(), str(self.specs), *slow, *options]
        done = subprocess.run(words, capture_output=True, text=True, timeout=5400, cwd=self.specs.parent, check=False)
        return Answer(done.returncode, done.stdout, done.stderr)
