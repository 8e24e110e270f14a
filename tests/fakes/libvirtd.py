"""What every part of FakeHypervisor stands on: one call to the libvirtd of a host, and looking things up in it.

Changes nothing itself but what the world counts of calls.
"""

import contextlib
from collections.abc import Iterator

from reconciler.errors import Refused, Unreachable
from reconciler.model.fleet import HostCard
from reconciler.readings import JobNumbers
from tests.fakes.machines import Domain, File, Host, Pool, Storage
from tests.fakes.world import World


class Libvirtd:
    """The libvirtd of every host in the world; `life` is the reconciler's process that calls it.

    `broken` lets the next migration end in another way, see `Moves.migrate`; `copy_fails` each copy of a volume.
    """

    def __init__(self, world: World, life: int = 0) -> None:
        self._world, self._life = world, life
        self.broken = ""
        self.copy_fails = False
        self._jobs: dict[tuple[str, str], JobNumbers] = {}

    def close(self) -> None:
        """Nothing is open."""

    @contextlib.contextmanager
    def _calling(self, card: HostCard, call: str) -> Iterator[Host]:
        """One call: counted before its effect and after it, with libvirtd answering."""
        with self._world.lock:
            self._world.call(f"{card.name}: libvirt {call}", self._life)
            host = self._world.hosts.get(card.name)
            if host is None or not host.up or host.units.get("libvirtd", ("inactive", ""))[0] != "active":
                raise Unreachable(card.name, "libvirtd does not answer", f"`systemctl start libvirtd` on {card.name}")
            yield host
            self._world.called(self._life)

    def _domain(self, host: Host, uuid: str) -> Domain:
        if uuid not in host.domains:
            raise Refused(host.name, f"libvirt says: Domain not found: no domain with matching uuid '{uuid}'")
        return host.domains[uuid]

    def _pool(self, host: Host, name: str, active: bool = True) -> Pool:
        pool = host.pools.get(name)
        if pool is None:
            raise Refused(host.name, f"libvirt says: Storage pool not found: no storage pool with name '{name}'")
        if active and not pool.active:
            raise Refused(host.name, f"libvirt says: storage pool '{name}' is not active")
        return pool

    def _file(self, host: Host, path: str) -> File | None:
        storage, name = self._world.storage(host, path)
        return storage.files.get(name)

    def _users(self, host: Host, path: str) -> list[Domain]:
        mine = self._world.storage(host, path)
        return [
            domain
            for there in self._world.hosts.values()
            for domain in there.domains.values()
            if any(self._same(mine, self._world.storage(there, p)) for p in domain.paths)
        ]

    @staticmethod
    def _same(one: tuple[Storage, str], other: tuple[Storage, str]) -> bool:
        return one[0] is other[0] and one[1] == other[1]
