"""FakeHypervisor's migrations and their jobs, with libvirt's own refusals. Domains only go from host to host here."""

from urllib.parse import parse_qs, urlsplit

from reconciler.errors import Refused, Unreachable
from reconciler.kinds.lease.papers import read_papers
from reconciler.model.fleet import HostCard
from reconciler.readings import JobNumbers, MigrationRequest, Watch
from tests.fakes import copying
from tests.fakes.laddered import Laddered
from tests.fakes.libvirtd import Libvirtd
from tests.fakes.machines import Domain, File, Host
from tests.fakes.shell_lease import login


class Moves(Libvirtd):
    """Migrations by domain."""

    def finished_job(self, host: HostCard, uuid: str) -> JobNumbers | None:
        with self._calling(host, "finished_job") as there:
            self._domain(there, uuid)
            return self._jobs.get((host.name, uuid))

    def running_job(self, host: HostCard, uuid: str) -> JobNumbers | None:
        with self._calling(host, "running_job") as there:
            domain = there.domains.get(uuid)
            if domain and domain.unattended_until is not None:
                sent = int(2**28 - 2**20 * max(0, domain.unattended_until - self._world.time))
                return JobNumbers("post-copy", 2**28, sent, 2**28 - sent, post_copy=True)
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
