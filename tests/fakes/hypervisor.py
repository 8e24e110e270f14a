"""FakeHypervisor: libvirt of every host in the world, with libvirt's own refusals.

Strict: what must never happen (a VM running twice, a volume deleted under a VM) raises and is kept as a violation.
"""

from reconciler.model.fleet import HostCard
from reconciler.readings import DomainReading, Inventory, NetworkReading, PoolReading, VolumeReading
from tests.fakes.libvirt_domains import Domains
from tests.fakes.libvirt_moves import Moves
from tests.fakes.libvirt_pools import Pools
from tests.fakes.machines import Domain, Host, Pool
from tests.fakes.world import address_of


class FakeHypervisor(Domains, Pools, Moves):
    """A Hypervisor of the world; its parts change domains and pools and move domains, here is what it reads."""

    def inventory(self, host: HostCard, *, deadline: float = 30.0) -> Inventory:
        with self._calling(host, "inventory") as there:
            return Inventory(
                there.fqdn,
                "x86_64",
                there.memory,
                2,
                there.machines,
                tuple(self._reading(domain) for domain in there.domains.values()),
                tuple(self._pool_reading(there, pool) for pool in there.pools.values()),
                tuple(NetworkReading(name, True, bridge) for name, bridge in there.networks.items()),
                versions=there.versions,
            )

    def _reading(self, domain: Domain) -> DomainReading:
        addresses = tuple((mac, address_of(mac)) for mac in sorted(domain.macs)) if domain.state == "running" else ()
        return DomainReading(
            domain.uuid,
            domain.name,
            domain.state,
            domain.config,
            domain.live,
            autostart=domain.autostart,
            migrating=domain.migrating,
            addresses=addresses,
            reason=domain.reason,
            keeps=domain.keeps,
        )

    def _pool_reading(self, host: Host, pool: Pool) -> PoolReading:
        if not pool.active:
            return PoolReading(pool.name, pool.xml, False, pool.autostart)
        storage = self._world.storage(host, pool.target)[0]
        files = {name: self._file(host, f"{pool.target}/{name}") for name in sorted(pool.known)}
        volumes = [
            VolumeReading(name, f"{pool.target}/{name}", file.capacity, file.allocation)
            for name, file in files.items()
            if file
        ]
        used = storage.size - storage.free
        return PoolReading(pool.name, pool.xml, True, pool.autostart, storage.size, used, storage.free, tuple(volumes))

    def domain(self, host: HostCard, uuid: str) -> DomainReading | None:
        with self._calling(host, "domain") as there:
            return self._reading(there.domains[uuid]) if uuid in there.domains else None
