"""FakeHypervisor: libvirt of every host in the world, with libvirt's own refusals.

Strict: what must never happen (a VM running twice, a volume deleted under a VM) raises and is kept as a violation.
"""

import contextlib
import re
import uuid as uuids
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lxml import etree

from reconciler.errors import Refused, Unreachable
from reconciler.kinds.lease.papers import read_papers
from reconciler.model.fleet import HostCard
from reconciler.readings import (
    Counters,
    DomainReading,
    Inventory,
    JobNumbers,
    MigrationRequest,
    NetworkReading,
    PoolReading,
    VolumeReading,
    Watch,
)
from tests.fakes import copying
from tests.fakes.laddered import Laddered
from tests.fakes.shell_lease import login
from tests.fakes.world import Domain, File, Host, Pool, Storage, World, address_of

FSTYPES = {"nfs": "nfs4", "glusterfs": "fuse.glusterfs"}


class FakeHypervisor:
    """A Hypervisor of the world. `broken` lets the next migration end in another way: see `migrate`."""

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

    def _file(self, host: Host, path: str) -> File | None:
        storage, name = self._world.storage(host, path)
        return storage.files.get(name)

    def domain(self, host: HostCard, uuid: str) -> DomainReading | None:
        with self._calling(host, "domain") as there:
            return self._reading(there.domains[uuid]) if uuid in there.domains else None

    def domain_xml(self, host: HostCard, uuid: str) -> str:
        with self._calling(host, "domain_xml") as there:
            return self._domain(there, uuid).config

    def compare_cpu(self, host: HostCard, xml: str) -> str:
        """As many words as the host's `cpus` says; a model it does not name is incompatible."""
        with self._calling(host, "compare_cpu") as there:
            model = etree.fromstring(xml).findtext("cpu/model")
            return there.cpus.get(model, "incompatible") if model and there.cpus else "unknown"

    def define_domain(self, host: HostCard, xml: str) -> str:
        with self._calling(host, "define_domain") as there:
            root = etree.fromstring(xml)
            name, uuid = root.findtext("name") or "", root.findtext("uuid") or str(uuids.uuid4())
            if any(d.name == name and d.uuid != uuid for d in there.domains.values()):
                raise Refused(host.name, f"libvirt says: operation failed: domain '{name}' already exists with uuid")
            elsewhere = {
                h.name: h.domains[uuid] for h in self._world.hosts.values() if h is not there if uuid in h.domains
            }
            arrives = all(host == Domain(uuid, name, xml).coming and not d.active for host, d in elsewhere.items())
            if elsewhere and not arrives and uuid not in there.domains:
                raise self._world.wrong(f"{name} would be defined on {host.name} and is on {sorted(elsewhere)}")
            domain = there.domains.setdefault(uuid, Domain(uuid, name, xml))
            domain.config = xml
            return uuid

    def undefine_domain(self, host: HostCard, uuid: str) -> None:
        with self._calling(host, "undefine_domain") as there:
            domain = self._domain(there, uuid)
            if domain.active:
                raise self._world.wrong(f"{domain.name} would be undefined on {host.name} while it is {domain.state}")
            if domain.keeps:
                raise Refused(host.name, f"libvirt says: cannot undefine domain with {domain.keeps[0]}")
            if len(self._world.hosts) > 1 and not domain.unfinished and not self._elsewhere(there, uuid):
                raise self._world.wrong(f"{domain.name} would be lost: {host.name} alone has it")
            del there.domains[uuid]

    def _elsewhere(self, host: Host, uuid: str) -> bool:
        return any(uuid in h.domains for h in self._world.hosts.values() if h is not host)

    def start_domain(self, host: HostCard, uuid: str) -> None:
        with self._calling(host, "start_domain") as there:
            domain = self._domain(there, uuid)
            if self._world.running(uuid):
                raise self._world.wrong(
                    f"{domain.name} would be started on {host.name}, runs {self._world.running(uuid)}"
                )
            if domain.unfinished:
                raise self._world.wrong(f"{domain.name} would be started before its clone is finished")
            if self._elsewhere(there, uuid) or domain.coming:
                raise self._world.wrong(f"{domain.name} would be started before its move is finished")
            self._guard_disks(there, domain)
            domain.state, domain.live = "running", domain.config

    def _guard_disks(self, host: Host, domain: Domain) -> None:
        for path in domain.paths:
            if self._file(host, path) is None:
                raise Refused(
                    host.name, f"libvirt says: Cannot access storage file '{path}': No such file or directory"
                )
            for other in self._users(host, path):
                if other.uuid != domain.uuid and other.active:
                    raise self._world.wrong(f"{domain.name} and {other.name} would both run on {path}")

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

    def shutdown_domain(self, host: HostCard, uuid: str) -> None:
        with self._calling(host, "shutdown_domain") as there:
            domain = self._domain(there, uuid)
            if domain.name not in self._world.deaf_guests:
                domain.stops_at = self._world.time + 3

    def resume_domain(self, host: HostCard, uuid: str) -> None:
        with self._calling(host, "resume_domain") as there:
            domain = self._domain(there, uuid)
            if domain.state != "paused":
                raise Refused(host.name, "libvirt says: Requested operation is not valid: domain is not paused")
            if self._world.running(uuid) != [there.name] or uuid in self._world.copying:
                raise self._world.wrong(f"{domain.name} would be resumed on {host.name} and is elsewhere too")
            if domain.reason in ("user", "I/O error"):
                raise self._world.wrong(f"{domain.name} would be resumed, paused by {domain.reason}")
            domain.state, domain.reason = "running", ""

    def set_autostart(self, host: HostCard, uuid: str, on: bool) -> None:
        with self._calling(host, "set_autostart") as there:
            self._domain(there, uuid).autostart = on

    def set_metadata(self, host: HostCard, uuid: str, uri: str, element: str) -> None:
        with self._calling(host, "set_metadata") as there:
            domain = self._domain(there, uuid)
            domain.config = _with_metadata(domain.config, uri, element)
            domain.live = _with_metadata(domain.live, uri, element) if domain.live else ""

    def define_pool(self, host: HostCard, xml: str) -> None:
        with self._calling(host, "define_pool") as there:
            name = re.findall(r"<name>([^<]+)</name>", xml)[0]
            new = Pool(name, xml if "<uuid>" in xml else xml.replace("<name>", f"<uuid>{uuids.uuid4()}</uuid><name>"))
            old = there.pools.get(name)
            if any(p.target == new.target for p in there.pools.values() if p.name != name):
                raise Refused(host.name, "libvirt says: operation failed: Storage source conflict with pool")
            there.pools[name] = Pool(name, new.xml, bool(old and old.active), bool(old and old.autostart))

    def build_pool(self, host: HostCard, pool: str) -> None:
        with self._calling(host, "build_pool") as there:
            there.folders.add(self._pool(there, pool, active=False).target)

    def start_pool(self, host: HostCard, pool: str) -> None:
        with self._calling(host, "start_pool") as there:
            found = self._pool(there, pool, active=False)
            if found.export:
                if found.export not in self._world.exports or found.target not in there.folders:
                    raise Refused(host.name, "libvirt says: internal error: mount unexpected exit status 32")
                there.mounts[found.target] = (FSTYPES[found.format], found.export)
            found.active = True
            self._refresh(there, found)

    def stop_pool(self, host: HostCard, pool: str) -> None:
        with self._calling(host, "stop_pool") as there:
            found = self._pool(there, pool)
            there.mounts.pop(found.target, None)
            found.active, found.known = False, set()

    def set_pool_autostart(self, host: HostCard, pool: str, on: bool) -> None:
        with self._calling(host, "set_pool_autostart") as there:
            self._pool(there, pool, active=False).autostart = on

    def refresh_pool(self, host: HostCard, pool: str) -> None:
        with self._calling(host, "refresh_pool") as there:
            self._refresh(there, self._pool(there, pool))

    def _refresh(self, host: Host, pool: Pool) -> None:
        storage, prefix = self._world.storage(host, pool.target)
        inside = {name.removeprefix(prefix).lstrip("/") for name in storage.files if name.startswith(prefix)}
        pool.known = {name for name in inside if "/" not in name}

    def volume_xml(self, host: HostCard, path: str) -> str:
        with self._calling(host, "volume_xml") as there:
            file = self._file(there, path) if self._holder(there, path) else None
            if file is None:
                raise Refused(
                    host.name, f"libvirt says: Storage volume not found: no storage vol with matching path '{path}'"
                )
            return f"<volume><capacity>{file.capacity}</capacity><allocation>{file.allocation}</allocation></volume>"

    @staticmethod
    def _holder(host: Host, path: str) -> Pool | None:
        folder, _, name = path.rpartition("/")
        return next((p for p in host.pools.values() if p.active and p.target == folder and name in p.known), None)

    def copy_volume(self, host: HostCard, source_path: str, pool: str, xml: str, watch: Callable[[int], None]) -> None:
        with self._calling(host, "copy_volume") as there:
            found, name = self._pool(there, pool), re.findall(r"<name>([^<]+)</name>", xml)[0]
            source = self._file(there, source_path)
            storage, target = self._world.storage(there, f"{found.target}/{name}")
            if source is None or not self._holder(there, source_path):
                raise Refused(host.name, "libvirt says: Storage volume not found")
            if any(d.active for d in self._users(there, source_path)):
                raise self._world.wrong(f"{source_path} would be copied while a VM writes to it")
            if target in storage.files:
                raise Refused(host.name, f"libvirt says: storage volume '{name}' exists already")
            storage.files[target] = File("", source.capacity, source.allocation)
            found.known.add(name)
            watch(source.allocation // 2)
            if self.copy_fails or source.allocation > storage.size:
                raise Refused(host.name, "libvirt says: No space left on device")
            self._world.copies.append(name)

    def delete_volume(self, host: HostCard, pool: str, volume: str) -> None:
        with self._calling(host, "delete_volume") as there:
            path = f"{self._pool(there, pool).target}/{volume}"
            users = [d.name for d in self._users(there, path) if not d.unfinished]
            if users:
                raise self._world.wrong(f"{path} would be deleted while it is a disk of {users}")
            storage, name = self._world.storage(there, path)
            storage.files.pop(name, None)
            there.pools[pool].known.discard(volume)

    def counters(self, host: HostCard, uuid: str) -> Counters | None:
        """A guest that writes a hundred times a second; each write takes a host's `write_ms`."""
        with self._calling(host, "counters") as there:
            if uuid not in there.domains or there.domains[uuid].state != "running":
                return None
            at = self._world.time
            writes = int(at * 100)
            return Counters(
                at,
                vcpu_ns=int(at * 2e8),
                writes=writes,
                write_bytes=writes * 4096,
                write_ns=int(writes * there.write_ms * 1e6),
                rss=2**28,
            )

    def finished_job(self, host: HostCard, uuid: str) -> JobNumbers | None:
        with self._calling(host, "finished_job") as there:
            self._domain(there, uuid)
            return self._jobs.get((host.name, uuid))

    def running_job(self, host: HostCard, uuid: str) -> JobNumbers | None:
        with self._calling(host, "running_job") as there:
            domain = there.domains.get(uuid)
            return self._numbers(uuid) if domain and domain.migrating else None

    def _numbers(self, uuid: str) -> JobNumbers:
        left = self._world.copying[uuid].ends_at - self._world.time
        done = max(0, int(2**28 * (1 - left / copying.LASTS)))
        return JobNumbers("first copy", 2**28, done, 2**28 - done, 2**30, 2**20, 1, int(1000 * (copying.LASTS - left)))

    def migrate(
        self,
        host: HostCard,
        request: MigrationRequest,
        watch: Watch,
        there: HostCard | None = None,
    ) -> JobNumbers:
        """`broken`: refused (nothing moved), lost (moved, answer lost), paused (runs nowhere), and of `Laddered` more.

        The job itself is the world's: it goes on when the caller is killed or loses its connection.
        """
        with self._calling(host, "migrate") as source:
            domain = self._domain(source, request.uuid)
            target = self._reached(source, request, there)
            broken, self.broken = self.broken, ""
            if request.resume or domain.name in self._world.busy:
                if not request.resume:
                    self._accepts(source, target, domain, request.disks)
                ended = Laddered(self._world, source, target, request, broken).run(watch)
                self._jobs[target.name, domain.uuid] = ended
                return ended
            self._accepts(source, target, domain, request.disks)
            self._copy_disks(source, target, domain, request)
            job = copying.begin(self._world, source, target, domain, "arrived" if broken in ("", "lost") else broken)
            job.life = self._life if request.managed else -1
        while domain.migrating:
            with self._calling(host, "job_stats"):
                watch(self._numbers(domain.uuid))
            self._world.pass_time(2)
        with self._calling(host, "migrated"):
            if broken == "refused":
                raise Refused(host.name, "libvirt says: operation failed: migration out job: unexpectedly failed")
            if broken:
                raise Unreachable(host.name, "libvirtd did not answer: end of file")
            done = JobNumbers("done", 2**28, 2**28, 0, 2**30, 0, 2, 400, 20)
            self._jobs[job.there.name, domain.uuid] = done
            return done

    def _reached(self, source: Host, request: MigrationRequest, card: HostCard | None) -> Host:
        data = urlsplit(request.data)
        there = self._managed(request, card) if request.managed else self._logged_in(source, request)
        if request.channel == "tunnel":
            if there is None or request.data or request.managed or request.disks:
                raise self._world.wrong(f"a tunnel that cannot be: {request}")
            return there
        if there is None or self._world.by_address(data.hostname or "") is not there:
            raise self._world.wrong(f"control goes to {there and there.name}, data to {data.hostname}")
        if request.channel == "tls":
            self._handshake(source, there, request.tls_name or str(data.hostname))
        for port in (data.port or 0, *([request.disks_port] if request.disks else [])):
            if not there.firewall.admits(there.nic, source.address, port):
                at = f"{data.hostname}:{port}"
                raise Refused(source.name, f"libvirt says: unable to connect to server at '{at}': No route to host")
        if request.disks and request.disks_port in (0, data.port):
            raise self._world.wrong(f"disks would go through port {request.disks_port}, memory through {data.port}")
        return there

    def _managed(self, request: MigrationRequest, card: HostCard | None) -> Host | None:
        if request.destination or card is None:
            raise self._world.wrong(f"a managed migration with a URI ({request.destination}) or to nobody")
        there = self._world.hosts[card.name]
        if not there.up:
            raise Unreachable(card.name, "libvirtd does not answer")
        return there

    def _logged_in(self, source: Host, request: MigrationRequest) -> Host | None:
        control = urlsplit(request.destination)
        key = parse_qs(control.query)["keyfile"][0]
        reply = login(self._world, source, key, control.username or "", control.hostname or "")
        if reply.code != 0:
            raise Refused(source.name, f"libvirt says: Cannot recv data: {reply.err}")
        return self._world.by_address(source.resolve(control.hostname or ""))

    @staticmethod
    def _handshake(source: Host, there: Host, name: str) -> None:
        """QEMU's: both have certificates of one authority, and the destination's is for the name that is looked for."""
        mine, theirs = read_papers(source.papers), read_papers(there.papers)
        if mine.wrong or theirs.wrong:
            raise Refused(source.name, "libvirt says: Unable to access credentials /etc/pki/qemu/ca-cert.pem")
        if mine.authority != theirs.authority or name not in theirs.covers:
            raise Refused(source.name, "libvirt says: operation failed: job 'migration out' failed: TLS handshake")

    def _accepts(self, source: Host, there: Host, domain: Domain, copied: tuple[str, ...]) -> None:
        if domain.state != "running":
            raise Refused(source.name, "libvirt says: Requested operation is not valid: domain is not running")
        if domain.uuid in there.domains:
            raise self._world.wrong(f"{domain.name} would be moved to {there.name}, which has it already")
        if unknown := set(copied) - set(domain.disks):
            raise Refused(source.name, f"libvirt says: invalid argument: disk target {unknown} not found")
        for path in domain.paths - {domain.disks[target] for target in copied}:
            if not self._same(self._world.storage(source, path), self._world.storage(there, path)):
                raise self._world.wrong(f"{domain.name} would be moved to {there.name}, which sees another {path}")

    def _copy_disks(self, source: Host, there: Host, domain: Domain, request: MigrationRequest) -> None:
        """As libvirt: each volume is made whole in the pool of its folder first, and stays there when all fails."""
        for target in request.disks:
            path = domain.disks[target]
            folder, _, name = path.rpartition("/")
            pool = next((p for p in there.pools.values() if p.active and p.target == folder), None)
            file, (storage, key) = self._file(source, path), self._world.storage(there, path)
            if self._same(self._world.storage(source, path), (storage, key)):
                raise self._world.wrong(f"{path} would be copied onto itself")
            if key in storage.files:
                raise self._world.wrong(f"{path} on {there.name} would be overwritten by a copy")
            if pool is None or file is None:
                raise Refused(source.name, "libvirt says: Storage pool not found: no storage pool with matching target")
            storage.files[key] = File(file.content, file.capacity, min(file.capacity, storage.free))
            if file.capacity > storage.free + storage.files[key].allocation:
                raise Refused(source.name, "libvirt says: cannot allocate bytes in file: No space left on device")
            self._world.copies.append(name)


def _with_metadata(xml: str, uri: str, element: str) -> str:
    root: Any = etree.fromstring(xml)
    metadata = root.find("metadata")
    if metadata is None:
        metadata = etree.SubElement(root, "metadata")
    for old in [child for child in metadata if child.tag.startswith(f"{{{uri}}}")]:
        metadata.remove(old)
    if not element:
        return etree.tostring(root, encoding="unicode")
    given = etree.fromstring(element)
    new = etree.SubElement(metadata, f"{{{uri}}}{given.tag}", nsmap={"reconciler": uri})
    new.attrib.update(given.attrib)
    return etree.tostring(root, encoding="unicode")
