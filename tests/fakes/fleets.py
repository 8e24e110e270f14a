"""The lab's fleet in memory, as specs and as a world, and passes over it; nothing real is touched.

`Fleet` is what tests hold: change the specs, let time pass, break something, run passes, look.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.engine.once import Tools, Wanted, do, see, think, want
from reconciler.model.outcome import Report
from reconciler.model.plan import Plan
from reconciler.wiring import KINDS
from tests.fakes.firewalld import Zone
from tests.fakes.hypervisor import FakeHypervisor
from tests.fakes.machines import Domain, File, Host, Pool, Storage
from tests.fakes.shell import FakeShell
from tests.fakes.signer import FakeSigner
from tests.fakes.world import FakeClock, World

BASE = "2f05769a-3bf3-4c7f-9abb-1d4355f5087b"
AUTHORITY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPKmZPxQyfZs3TcwQm0aZ7pYb3nXyQ0d7Q2r8w5kS1uV"
IMAGES, SHARED = "/var/lib/libvirt/images", "/var/lib/libvirt/images/COMPARTIDO"
HEAD = "---\napiVersion: reconciler/v1alpha1\nkind: "
SPECS = f"""\
{HEAD}Fleet
metadata: {{name: vpd}}
spec: {{}}
{HEAD}Host
metadata: {{name: lq-d25, labels: {{role: compute}}}}
spec: {{fqdn: lq-d25.vpd.com, address: 10.77.0.11}}
{HEAD}Host
metadata: {{name: lq-d26, labels: {{role: compute}}}}
spec: {{fqdn: lq-d26.vpd.com, address: 10.77.0.12}}
{HEAD}StoragePool
metadata: {{name: CONT_VOL_COMP}}
spec:
  hosts: all
  type: netfs
  source: {{host: nas.vpd.com, dir: /comp, format: glusterfs}}
  target: {SHARED}
  autostart: true
  shared: true
  minFree: 256MiB
{HEAD}Firewall
metadata: {{name: compute}}
spec:
  hosts: {{matchLabels: {{role: compute}}}}
  state: running
  zones:
    - {{name: FedoraServer, interfaces: [br0], services: [ssh, libvirt, cockpit, dhcpv6-client]}}
"""
VM = f"""\
{HEAD}VirtualMachine
metadata: {{name: %(name)s}}
spec:
  placement: {{host: %(host)s}}
  power: running
  autostart: true
  source: {{clone: {{from: mvp1, disks: [{{target: vda, pool: CONT_VOL_COMP, volume: %(name)s.qcow2}}]}}}}
  vcpus: 2
  memory: 512MiB
  interfaces: [{{mac: "00:16:3e:31:13:%(byte)s", network: vpd}}]
  checks: [{{tcp: 22, timeout: 60s}}, {{ssh: banner}}]
  migration: {{%(moves)s}}
"""
BASE_XML = f"""\
<domain type='kvm'><name>mvp1</name><uuid>{BASE}</uuid><memory unit='MiB'>256</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os><devices>
<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none'/><source file='{IMAGES}/mvp1.qcow2'/>
<target dev='vda' bus='virtio'/></disk>
<interface type='network'><mac address='52:54:00:77:00:01'/><source network='vpd'/></interface>
<console type='pty'/></devices></domain>"""


@dataclass
class MemoryJournal:
    """A Journal whose events can be looked at."""

    run: str = "test-run"
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def write(self, event: str, **fields: Any) -> None:
        self.events.append((event, fields))


@dataclass(frozen=True)
class Text:
    """A SpecSource of one text."""

    text: str

    def files(self) -> Sequence[tuple[str, str]]:
        return [("fleet.yaml", self.text)]

    def read(self, beside: str, relative: str) -> str:
        raise ValueError(relative)

    def commit(self) -> tuple[str, bool]:
        return "", False


def _host(name: str, address: str) -> Host:
    host = Host(name, address, name, units={"libvirtd": ("active", "enabled")}, networks={"vpd": "br0"})
    host.firewall.permanent["public"].interfaces.add("br0")
    default = f"<pool type='dir'><name>default</name><uuid>{name}</uuid><target><path>{IMAGES}</path></target></pool>"
    host.pools["default"] = Pool("default", default, True, True)
    host.folders.add(IMAGES)
    host.etc_hosts += f"{address} {name}.vpd.com {name}\n"
    return host


def _byte(name: str) -> str:
    """The last byte of a VM's MAC: always the same for its name."""
    return f"{sum(name.encode()) % 90 + 1:02x}"


class Fleet:
    """Two fresh hosts and a base VM; `place` says where which VM shall run."""

    def __init__(self) -> None:
        one, two = _host("lq-d25", "10.77.0.11"), _host("lq-d26", "10.77.0.12")
        self.world = World(one, two, exports={"nas.vpd.com:/comp": Storage()})
        one.domains[BASE] = Domain(BASE, "mvp1", BASE_XML)
        one.root.files[f"{IMAGES}/mvp1.qcow2"] = File("", 96 * 2**20, 5 * 2**20)
        one.pools["default"].known.add("mvp1.qcow2")
        self.journal = MemoryJournal()
        self._lives = 0
        self.revive()
        self.placed: dict[str, str] = {}
        self.measure = "2s"
        self.extra = ""
        self.access, self.user = "key", "root"
        self.world.authorities["~/authority"] = AUTHORITY
        self.moves = ""

    def revive(self) -> None:
        """Another process of the reconciler begins, some seconds later."""
        self._lives += 1
        life, world = self._lives, self.world
        world.kill_at = None
        world.pass_time(5)
        self.hypervisor = FakeHypervisor(world, life)
        clock = FakeClock(world, life)
        self.tools = Tools(
            FakeShell(world, life),
            self.hypervisor,
            clock,
            self.journal,
            lambda name: world.at(name, life),
            signer=FakeSigner(world, life),
        )

    def place(self, **hosts: str) -> "Fleet":
        """VM names to hosts; what was placed before stays."""
        self.placed.update({name: host.replace("_", "-") for name, host in hosts.items()})
        return self

    @property
    def specs(self) -> Text:
        named = [
            {"name": name, "host": host, "byte": _byte(name), "moves": self.moves}
            for name, host in sorted(self.placed.items())
        ]
        vms = [VM % words for words in named]
        signs = f", authorityFile: ~/authority, authorityKey: {AUTHORITY}" if self.access == "certificate" else ""
        access = f"access: {{mode: {self.access}, user: {self.user}{signs}}}"
        migration = f"migration: {{measure: {self.measure}, encrypt: off}}"
        policy = f"spec: {{defaults: {{{access}, {migration}}}}}"
        return Text(SPECS.replace("spec: {}", policy, 1) + "".join(vms) + self.extra)

    @property
    def wanted(self) -> Wanted:
        return want(self.specs, KINDS)

    def plan(self) -> Plan:
        wanted = self.wanted
        return think(wanted, see(wanted, KINDS, self.tools), KINDS)

    def apply(self) -> Report:
        """One whole pass."""
        wanted = self.wanted
        seen = see(wanted, KINDS, self.tools)
        return do(think(wanted, seen, KINDS), wanted, seen, KINDS, self.tools)

    def converge(self, passes: int = 3) -> Report:
        """Passes until the plan is empty; fails the test when it takes more."""
        for _ in range(passes):
            report = self.apply()
            self.world.pass_time(1)
            if self.plan().empty:
                return report
        raise AssertionError(f"not converged: {[str(a.id) for a in self.plan().actions]} {self.plan().refusals}")

    def host(self, name: str) -> Host:
        return self.world.hosts[name]

    def zone(self, name: str, zone: str = "FedoraServer") -> Zone:
        return self.host(name).firewall.runtime[zone]


def settled(**places: str) -> Fleet:
    """A fleet on which everything is as declared."""
    fleet = Fleet().place(**places)
    assert fleet.apply().verdict == "ok"
    return fleet
