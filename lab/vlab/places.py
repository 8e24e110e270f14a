"""Where a lab keeps its things: folders, files and interface names, all derived from its name.

It must not create or read anything, except that `make` makes the folders.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

CACHE = Path("/var/cache/reconciler-lab")
FILES = Path(__file__).resolve().parent.parent / "files"
STATE = Path("/var/lib/reconciler-lab")
RUN = Path("/run/reconciler-lab")
LOCKS = Path("/run/lock")


@dataclass(frozen=True)
class Places:
    """The folders of one lab."""

    name: str

    @property
    def state(self) -> Path:
        return STATE / self.name

    @property
    def run(self) -> Path:
        return RUN / self.name

    @property
    def bridge(self) -> str:
        return short(f"rl-{self.name}")

    @property
    def key(self) -> Path:
        return self.run / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        return self.run / "known_hosts"

    @property
    def facts(self) -> Path:
        return self.run / "topology.json"

    @property
    def leases(self) -> Path:
        return self.run / "dhcp.leases"

    @property
    def kept_key(self) -> Path:
        return self.state / "id_ed25519"

    @property
    def initrd(self) -> Path:
        return self.state / "guest-initrd.img"

    @property
    def bricks(self) -> Path:
        return self.state / "bricks"

    @property
    def kept_volumes(self) -> Path:
        return self.bricks / ".kept"

    def host(self, host: str) -> HostPlaces:
        return HostPlaces(self.name, host, self.state / "hosts" / host, self.run)

    def make(self) -> None:
        for folder in (CACHE, self.state, self.run, self.bricks):
            folder.mkdir(parents=True, exist_ok=True)
        self.state.chmod(0o700)


@dataclass(frozen=True)
class HostPlaces:
    """The folders of one host of one lab."""

    lab: str
    host: str
    state: Path
    run: Path

    @property
    def root(self) -> Path:
        return self.state / "root"

    @property
    def upper(self) -> Path:
        return self.state / "upper"

    @property
    def work(self) -> Path:
        return self.state / "work"

    @property
    def first(self) -> Path:
        """A copy of what `reset` restores."""
        return self.state / "first"

    @property
    def kept_states(self) -> Path:
        """Copies of later states, by the name under which `keep` took them."""
        return self.state / "kept"

    def kept(self, name: str) -> Path:
        return self.kept_states / name

    @property
    def ssh_key(self) -> Path:
        return self.state / "ssh_host_ed25519_key"

    @property
    def console(self) -> Path:
        return self.state / "console.log"

    @property
    def pid(self) -> Path:
        return self.run / f"{self.host}.pid"

    @property
    def machine(self) -> str:
        return f"{self.lab}-{self.host}"

    @property
    def cgroup(self) -> str:
        return f"reconciler-lab/{self.lab}/{self.host}"

    @property
    def veth(self) -> str:
        return short(f"rv-{self.lab}-{self.host}")


def short(name: str) -> str:
    """An interface name: at most 15 characters, still unique when cut."""
    return name if len(name) <= 15 else f"{name[:10]}{hashlib.sha256(name.encode()).hexdigest()[:5]}"
