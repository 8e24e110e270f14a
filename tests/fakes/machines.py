"""What one host of the fleet in memory is made of: files, domains, pools, leases, and the host itself.

Only state; what happens to it with time is in world.py.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.fakes.firewalld import Firewalld


@dataclass
class File:
    """A file on some storage; `content` for small ones, sizes for images."""

    content: str = ""
    capacity: int = 0
    allocation: int = 0
    made: float = 0.0


@dataclass
class Storage:
    """One file system: names (relative to its root) and files, and its size in bytes."""

    size: int = 250 * 2**30
    files: dict[str, File] = field(default_factory=dict)

    @property
    def free(self) -> int:
        return self.size - sum(file.allocation for file in self.files.values())


@dataclass
class Domain:
    """A domain on one host; `live` is the XML it was started with, empty while it is off."""

    uuid: str
    name: str
    config: str
    state: str = "shutoff"
    live: str = ""
    autostart: bool = False
    migrating: bool = False
    stops_at: float | None = None
    reason: str = ""
    keeps: tuple[str, ...] = ()
    unattended_until: float | None = None

    @property
    def active(self) -> bool:
        return self.state != "shutoff"

    @property
    def paths(self) -> set[str]:
        return set(re.findall(r"<source file=['\"]([^'\"]+)['\"]", self.config + self.live))

    @property
    def disks(self) -> dict[str, str]:
        """Path by target."""
        pairs = re.findall(r"<source file=['\"]([^'\"]+)['\"].*?<target dev=['\"](\w+)", self.config, re.S)
        return {target: path for path, target in pairs}

    @property
    def macs(self) -> set[str]:
        return set(re.findall(r"<mac address=['\"]([^'\"]+)['\"]", self.config))

    @property
    def unfinished(self) -> bool:
        return re.search(r":vm [^>]*making=", self.config) is not None

    @property
    def coming(self) -> str:
        """The host an offline move brings it from, as our mark says."""
        found = re.search(r"coming=\"([^\"]+)\"", self.config)
        return found[1] if found else ""


@dataclass
class Pool:
    """A pool object of one libvirtd; `known` are volumes it saw at its last refresh."""

    name: str
    xml: str
    active: bool = False
    autostart: bool = False
    known: set[str] = field(default_factory=set)

    def _one(self, pattern: str) -> str:
        found = re.search(pattern, self.xml)
        return found[1] if found else ""

    @property
    def target(self) -> str:
        return self._one(r"<path>([^<]+)</path>")

    @property
    def export(self) -> str:
        host, folder = self._one(r"<host name=\"([^\"]+)\""), self._one(r"<dir path=\"([^\"]+)\"")
        return f"{host}:{folder}" if host else ""

    @property
    def format(self) -> str:
        return self._one(r"<format type=\"([^\"]+)\"")


@dataclass
class LeaseFolder:
    """A private key under /run/reconciler/leases; the host removes it at `ends` all by itself."""

    public: str
    ends: float
    certificate: str = ""


@dataclass
class Host:
    """One host. `units` maps a unit to (active, enabled); `keys` are authorized_keys lines by user.

    `lookalike` is what its mounts really hold, when that is not what their source's name says.
    """

    name: str
    address: str
    static: str
    etc_hosts: str = "127.0.0.1 localhost\n"
    up: bool = True
    units: dict[str, tuple[str, str]] = field(default_factory=dict)
    firewall: Firewalld = field(default_factory=Firewalld)
    root: Storage = field(default_factory=Storage)
    mounts: dict[str, tuple[str, str]] = field(default_factory=dict)
    lookalike: Storage | None = None
    folders: set[str] = field(default_factory=set)
    domains: dict[str, Domain] = field(default_factory=dict)
    pools: dict[str, Pool] = field(default_factory=dict)
    networks: dict[str, str] = field(default_factory=dict)
    bridges: tuple[str, ...] = ("br0",)
    machines: tuple[str, ...] = ("pc-q35-7.2", "q35")
    memory: int = 8 * 2**30
    cpus: dict[str, str] = field(default_factory=lambda: {"qemu64": "superset"})
    locks: str = ""
    write_ms: float = 1.0
    userfault: str = "1"
    versions: tuple[tuple[str, str], ...] = (("libvirt", "12.8.0"), ("QEMU", "11.1.2"))
    nic: str = "br0"
    listening: set[int] = field(default_factory=lambda: {22})
    keys: dict[str, list[str]] = field(default_factory=lambda: {"root": ["ssh-ed25519 AAAAadmin admin@laptop"]})
    known_hosts: list[str] = field(default_factory=list)
    leases: dict[str, LeaseFolder] = field(default_factory=dict)
    movers: set[str] = field(default_factory=set)
    trusts: str = ""
    papers: str = "folder /etc/pki/qemu\nwrong has no /etc/pki/qemu/ca-cert.pem\n"

    @property
    def host_key(self) -> str:
        return f"ssh-ed25519 AAAAhost{self.name.replace('-', '')}"

    def names(self) -> Iterator[tuple[str, list[str]]]:
        """Addresses with their names, in the order of /etc/hosts."""
        for line in self.etc_hosts.splitlines():
            words = line.partition("#")[0].split()
            if words:
                yield words[0], words[1:]

    def resolve(self, name: str) -> str:
        return next((address for address, names in self.names() if name in names), "")

    @property
    def fqdn(self) -> str:
        canonical = next((names[0] for _, names in self.names() if self.static in names), "")
        return canonical or (self.static if "." in self.static else "")
