"""A fleet in memory: its hosts (machines.py), one network, one clock.

Only state and what happens by itself with time; FakeShell and FakeHypervisor are the doors to it.
"""

import re
import threading
from collections.abc import Callable
from typing import Protocol

from reconciler.errors import Unreachable
from reconciler.readings import CertificateTerms
from tests.fakes.machines import Domain, Host, Storage

TAG = "reconciler-lease:"
TOKEN = ".reconciler-token-"
TICK = 3600 * 24


class Killed(BaseException):
    """The reconciler's process is gone: no `except Exception` and nothing after it may act."""


class ImpossibleWorldError(AssertionError):
    """The product asked for something that must never happen; also kept in World.violations."""


class Ending(Protocol):
    """Something that ends by itself with time, between two hosts: tests/fakes/copying."""

    source: Host
    there: Host
    ends_at: float
    how: str
    life: int

    def end(self) -> None: ...


class World:
    """All of it, behind one lock. `kill_at` ends the reconciler at that call; `fault` is raised at a failpoint.

    `orphans` is how managed migrations end whose reconciler died: refused (the source goes on) or paused (there).
    `busy` guests dirty memory as fast as it is copied: at how many ms of allowed downtime their copy ends.
    `writing` guests write so many bytes a second, where it is measured; of others their QEMU cannot tell.
    """

    def __init__(self, *hosts: Host, exports: dict[str, Storage] | None = None) -> None:
        self.hosts = {host.name: host for host in hosts}
        self.exports = exports or {}
        self.lock = threading.RLock()
        self.time = 1_795_000_000.0
        self.violations: list[str] = []
        self.calls: list[str] = []
        self.kill_at: int | None = None
        self.kill_after_effect = False
        self.ended: set[int] = set()
        self.fail_at: int | None = None
        self.fault: tuple[str, BaseException] | None = None
        self.happens: tuple[str, Callable[[], None]] | None = None
        self.copies: list[str] = []
        self.copying: dict[str, Ending] = {}
        self.orphans = "refused"
        self.deaf_guests: set[str] = set()
        self.released: set[str] = set()
        self.busy: dict[str, int] = {}
        self.writing: dict[str, int] = {}
        self.randoms = 0
        self.authorities: dict[str, str] = {}
        self.certificates: dict[str, tuple[str, str, CertificateTerms, float]] = {}

    def wrong(self, message: str) -> ImpossibleWorldError:
        self.violations.append(message)
        return ImpossibleWorldError(message)

    def call(self, name: str, life: int) -> None:
        """Every call of the reconciler comes by here, before it takes effect; a dead life's calls never do."""
        if life in self.ended:
            raise Killed(name)
        self.calls.append(name)
        if self.kill_at == len(self.calls) and not self.kill_after_effect:
            self._kill(name, life)
        if self.fail_at == len(self.calls):
            raise Unreachable(name.partition(":")[0], "the connection broke")

    def called(self, life: int) -> None:
        """... and here, when it has taken effect and its answer is on the way."""
        if self.kill_at is not None and self.kill_at <= len(self.calls) and self.kill_after_effect:
            self._kill(self.calls[-1], life)

    def _kill(self, name: str, life: int) -> None:
        self.ended.add(life)
        self.kill_at = None
        raise Killed(name)

    def at_address(self, address: str) -> Host | None:
        """The host that has the address: import reaches hosts whose names nobody knows yet."""
        return next((host for host in self.hosts.values() if host.address == address), None)

    def at(self, failpoint: str, life: int) -> None:
        """A failpoint of the product; `fault` names one and what is raised there, `happens` one and what is done."""
        with self.lock:
            if life in self.ended:
                raise Killed(failpoint)
            if self.happens and self.happens[0] == failpoint:
                self.happens[1]()
                self.happens = None
            if self.fault and self.fault[0] == failpoint:
                error = self.fault[1]
                self.fault = None
                if isinstance(error, Killed):
                    self.ended.add(life)
                raise error

    def pass_time(self, seconds: float) -> None:
        """What the hosts do by themselves: timed rules and keys end, guests that were asked shut down."""
        with self.lock:
            self.time += seconds
            for uuid, job in list(self.copying.items()):
                if job.life in self.ended:
                    job.how, job.ends_at = self.orphans, self.time
                if job.ends_at <= self.time and job.source.up and job.there.up:
                    del self.copying[uuid]
                    job.end()
            for host in self.hosts.values():
                host.firewall.expire(self.time)
                host.leases = {name: lease for name, lease in host.leases.items() if lease.ends > self.time}
                for domain in host.domains.values():
                    if domain.stops_at is not None and domain.stops_at <= self.time:
                        domain.state, domain.live, domain.stops_at = "shutoff", "", None
                    if domain.unattended_until is not None and domain.unattended_until <= self.time:
                        self._completed(domain)

    def _completed(self, half: Domain) -> None:
        """QEMU ended a post-copy by itself: the source's half is off, and still defined."""
        half.state, half.live, half.reason, half.unattended_until = "shutoff", "", "migrated", None
        for host in self.hosts.values():
            other = host.domains.get(half.uuid)
            if other is not None and other is not half:
                other.reason = "migrated"

    def by_address(self, address: str) -> Host | None:
        return next((host for host in self.hosts.values() if host.address == address), None)

    def storage(self, host: Host, path: str) -> tuple[Storage, str]:
        """The file system that holds a path on a host, and the path's name in it."""
        mounted = max((t for t in host.mounts if path == t or path.startswith(t + "/")), key=len, default="")
        if not mounted:
            return host.root, path
        return host.lookalike or self.exports[host.mounts[mounted][1]], path[len(mounted) :].lstrip("/")

    def running(self, uuid: str) -> list[str]:
        return [host.name for host in self.hosts.values() if uuid in host.domains and host.domains[uuid].active]

    def where(self, name: str) -> list[tuple[str, str]]:
        """Every host that has a domain of that name, with its state."""
        found = [(h.name, d.state) for h in self.hosts.values() for d in h.domains.values() if d.name == name]
        return sorted(found)

    def guest(self, address: str) -> bool:
        """Does a running guest have that address?"""
        macs = {mac for h in self.hosts.values() for d in h.domains.values() if d.state == "running" for mac in d.macs}
        return address in {address_of(mac) for mac in macs}

    def residue(self) -> list[str]:
        """Everything of ours that must not be there at rest."""
        left = []
        for host in self.hosts.values():
            left += [f"{host.name}: key {line}" for lines in host.keys.values() for line in lines if TAG in line]
            left += [f"{host.name}: known host {line}" for line in host.known_hosts if TAG in line]
            left += [f"{host.name}: secret {name}" for name in host.leases]
            left += [f"{host.name}: rule {rule}" for rule in host.firewall.leases()]
            left += [f"{host.name}: unfinished {d.name}" for d in host.domains.values() if d.unfinished or d.coming]
            left += [f"{host.name}: mark of a stop {d.name}" for d in host.domains.values() if "resume=" in d.config]
            noted = [d.name for d in host.domains.values() if re.search(r"copies[^>]* making=", d.config)]
            left += [f"{host.name}: unfinished copy of {name}" for name in noted]
        return left

    def tokens(self) -> list[str]:
        """Proofs of shared storage that nobody took away."""
        storages = [*self.exports.values(), *(host.root for host in self.hosts.values())]
        return [name for storage in storages for name in storage.files if TOKEN in name]


def address_of(mac: str) -> str:
    """The address the network gives a guest: by its MAC's last byte."""
    return f"10.77.0.{100 + int(mac[-2:], 16) % 100}"


class FakeClock:
    """A Clock whose waiting lets the world's time pass."""

    def __init__(self, world: World, life: int = 0) -> None:
        self._world, self._life = world, life

    def now(self) -> float:
        return self._world.time

    def sleep(self, seconds: float) -> None:
        if self._life in self._world.ended:
            raise Killed("sleep")
        self._world.pass_time(seconds)
