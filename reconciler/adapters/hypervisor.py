"""libvirt on hosts, reached through the SSH connection that the shell already holds.

Only this module and `inventory` see libvirt; errors become Refused or Unreachable here, and nothing is decided here.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from reconciler.adapters.comparison import compare_cpu
from reconciler.adapters.counters import read_counters
from reconciler.adapters.dirtying import read_dirty_rate
from reconciler.adapters.inventory import read_domain, read_inventory
from reconciler.adapters.shell import SshShell
from reconciler.adapters.tunnel import Tunnel
from reconciler.errors import HostError, NeedsHuman, Refused, Unreachable
from reconciler.model.fleet import HostCard
from reconciler.readings import Counters, DomainReading, Inventory, JobNumbers, MigrationRequest, Watch

# It says that it has ended, and reads on until it is told the same (decision 40).
_PROXY = [
    "sh",
    "-c",
    "if command -v virt-ssh-helper >/dev/null; then virt-ssh-helper qemu:///system; "
    "else nc -U /run/libvirt/libvirt-sock; fi; exec >&- 2>&-; cat >/dev/null",
]
_STALL, _STALL_COPYING = 20.0, 120.0


def _libvirt() -> Any:
    try:
        import libvirt
    except ImportError:
        raise HostError(
            "this machine",
            "the Python module libvirt is missing",
            "pip install '.[libvirt]' in the reconciler's checkout; it needs libvirt-dev, pkg-config and gcc",
        ) from None
    libvirt.registerErrorHandler(lambda context, error: None, None)
    return libvirt


class LibvirtHypervisor:
    """A Hypervisor over libvirt-python. `uri` replaces the tunnel, for tests on `test:///default`."""

    def __init__(self, shell: SshShell | None, uri: str = "") -> None:
        self._shell, self._uri = shell, uri
        self._lib = _libvirt()
        self._open: dict[str, tuple[Any, Tunnel | None]] = {}
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    def close(self) -> None:
        """End every connection."""
        for name in list(self._open):
            self._leave(name)

    def forget(self, hosts: Sequence[HostCard]) -> None:
        """End the connections to these hosts; the next call opens its own, as the shell then opens them."""
        for host in hosts:
            self._leave(host.name)

    def _leave(self, name: str) -> None:
        """The tunnel first: libvirt's own farewell would wait for ever for a daemon that has stopped."""
        connection, tunnel = self._open.pop(name, (None, None))
        if tunnel:
            tunnel.close()
        if connection:
            with contextlib.suppress(self._lib.libvirtError):
                connection.close()

    def inventory(self, host: HostCard, *, deadline: float = 30.0) -> Inventory:
        with self._calling(host, deadline) as connection:
            return read_inventory(self._lib, connection)

    def domain(self, host: HostCard, uuid: str) -> DomainReading | None:
        with self._calling(host) as connection:
            try:
                return read_domain(self._lib, connection.lookupByUUIDString(uuid))
            except self._lib.libvirtError as error:
                if error.get_error_code() == self._lib.VIR_ERR_NO_DOMAIN:
                    return None
                raise

    def domain_xml(self, host: HostCard, uuid: str) -> str:
        flags = self._lib.VIR_DOMAIN_XML_INACTIVE | self._lib.VIR_DOMAIN_XML_SECURE
        with self._calling(host) as connection:
            return str(connection.lookupByUUIDString(uuid).XMLDesc(flags))

    def compare_cpu(self, host: HostCard, xml: str) -> str:
        """What the CPU needs beside what this hypervisor gives for the domain's type and machine, TCG included."""
        with self._calling(host) as connection:
            return compare_cpu(self._lib, connection, xml)

    def define_domain(self, host: HostCard, xml: str) -> str:
        with self._calling(host) as connection:
            return str(connection.defineXMLFlags(xml, self._lib.VIR_DOMAIN_DEFINE_VALIDATE).UUIDString())

    def undefine_domain(self, host: HostCard, uuid: str) -> None:
        with self._calling(host) as connection:
            connection.lookupByUUIDString(uuid).undefineFlags(self._lib.VIR_DOMAIN_UNDEFINE_KEEP_NVRAM)

    def start_domain(self, host: HostCard, uuid: str) -> None:
        with self._calling(host, 120) as connection:
            connection.lookupByUUIDString(uuid).create()

    def shutdown_domain(self, host: HostCard, uuid: str) -> None:
        with self._calling(host) as connection:
            connection.lookupByUUIDString(uuid).shutdown()

    def resume_domain(self, host: HostCard, uuid: str) -> None:
        with self._calling(host, 60) as connection:
            connection.lookupByUUIDString(uuid).resume()

    def set_autostart(self, host: HostCard, uuid: str, on: bool) -> None:
        with self._calling(host) as connection:
            connection.lookupByUUIDString(uuid).setAutostart(int(on))

    def set_metadata(self, host: HostCard, uuid: str, uri: str, element: str) -> None:
        with self._calling(host) as connection:
            domain = connection.lookupByUUIDString(uuid)
            flags = self._lib.VIR_DOMAIN_AFFECT_CONFIG
            flags |= self._lib.VIR_DOMAIN_AFFECT_LIVE if domain.isActive() else 0
            try:
                domain.setMetadata(self._lib.VIR_DOMAIN_METADATA_ELEMENT, element or None, "reconciler", uri, flags)
            except self._lib.libvirtError as error:
                if element or error.get_error_code() != self._lib.VIR_ERR_NO_DOMAIN_METADATA:
                    raise

    def define_pool(self, host: HostCard, xml: str) -> None:
        with self._calling(host) as connection:
            connection.storagePoolDefineXML(xml, 0)

    def build_pool(self, host: HostCard, pool: str) -> None:
        with self._calling(host) as connection:
            connection.storagePoolLookupByName(pool).build(0)

    def start_pool(self, host: HostCard, pool: str) -> None:
        with self._calling(host, 120) as connection:
            connection.storagePoolLookupByName(pool).create(0)

    def stop_pool(self, host: HostCard, pool: str) -> None:
        with self._calling(host, 60) as connection:
            connection.storagePoolLookupByName(pool).destroy()

    def set_pool_autostart(self, host: HostCard, pool: str, on: bool) -> None:
        with self._calling(host) as connection:
            connection.storagePoolLookupByName(pool).setAutostart(int(on))

    def refresh_pool(self, host: HostCard, pool: str) -> None:
        """libvirt refreshes no pool into which it is writing: that is waited for, up to a minute."""
        end = time.monotonic() + 60
        with self._calling(host, 120) as connection:
            while True:
                try:
                    connection.storagePoolLookupByName(pool).refresh(0)
                    return
                except self._lib.libvirtError as error:
                    if "asynchronous jobs" not in str(error) or time.monotonic() > end:
                        raise
                time.sleep(1)

    def volume_xml(self, host: HostCard, path: str) -> str:
        with self._calling(host) as connection:
            return str(connection.storageVolLookupByPath(path).XMLDesc(0))

    def copy_volume(self, host: HostCard, source_path: str, pool: str, xml: str, watch: Callable[[int], None]) -> None:
        """A full copy made by the host itself; `watch` hears the new volume's allocation in bytes now and then.

        It may take as long as it takes; a daemon that does not answer how far it is loses the connection.
        """
        done = threading.Event()
        name = xml.partition("<name>")[2].partition("</name>")[0]

        def follow() -> None:
            while not done.wait(0.5):
                with contextlib.suppress(self._lib.libvirtError, HostError), self._calling(host, _STALL_COPYING):
                    watch(connection.storagePoolLookupByName(pool).storageVolLookupByName(name).info()[2])

        with self._calling(host, None) as connection:
            with self._calling(host, _STALL):
                source = connection.storageVolLookupByPath(source_path)
            follower = threading.Thread(target=follow, daemon=True, name="copy-progress")
            follower.start()
            try:
                connection.storagePoolLookupByName(pool).createXMLFrom(xml, source, 0)
            finally:
                done.set()
                follower.join(timeout=5)

    def delete_volume(self, host: HostCard, pool: str, volume: str) -> None:
        """Delete it; one that is not there is no error."""
        with self._calling(host, 60) as connection:
            try:
                connection.storagePoolLookupByName(pool).storageVolLookupByName(volume).delete(0)
            except self._lib.libvirtError as error:
                if error.get_error_code() != self._lib.VIR_ERR_NO_STORAGE_VOL:
                    raise

    def counters(self, host: HostCard, uuid: str) -> Counters | None:
        with self._calling(host) as connection:
            return read_counters(self._lib, connection, uuid)

    def dirty_rate(self, host: HostCard, uuid: str, seconds: int, *, deadline: float = 30.0) -> int | None:
        with self._calling(host, deadline) as connection:
            return read_dirty_rate(self._lib, connection, uuid, seconds, deadline)

    def finished_job(self, host: HostCard, uuid: str) -> JobNumbers | None:
        """Numbers of the domain's last finished job, kept for the next reader; libvirt has them where it arrived."""
        from reconciler.adapters.migration import numbers

        flags = self._lib.VIR_DOMAIN_JOB_STATS_COMPLETED | self._lib.VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED
        with self._calling(host) as connection:
            return numbers(connection.lookupByUUIDString(uuid).jobStats(flags))

    def running_job(self, host: HostCard, uuid: str) -> JobNumbers | None:
        """Of the migration by which it leaves this host; None without one, and where the domain is not (any more)."""
        from reconciler.adapters.migration import numbers

        with self._calling(host) as connection:
            try:
                stats = connection.lookupByUUIDString(uuid).jobStats()
            except self._lib.libvirtError as error:
                if error.get_error_code() in (self._lib.VIR_ERR_NO_DOMAIN, self._lib.VIR_ERR_OPERATION_INVALID):
                    return None
                raise
            leaving = stats.get("operation") == self._lib.VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT
            return numbers(stats) if leaving else None

    def migrate(
        self,
        host: HostCard,
        request: MigrationRequest,
        watch: Watch,
        there: HostCard | None = None,
    ) -> JobNumbers:
        """Returns the finished job's numbers. On failure raises Refused; the caller asks both hosts what is true."""
        from reconciler.adapters.migration import Migrating

        with contextlib.ExitStack() as calls:
            connection = calls.enter_context(self._calling(host, None))
            other = calls.enter_context(self._calling(there, None)) if request.managed and there else None
            patience = (
                3 * _STALL if other is not None else _STALL
            )  # past it the connection is cut, and a managed move ends
            ends = (connection, other)

            def poke(times: int) -> contextlib.AbstractContextManager[Any]:
                return self._calling(host, times * patience)

            try:
                return Migrating(self._lib, ends, request, watch, poke).run()
            except TimeoutError as still:
                raise Refused(host.name, str(still)) from None

    @contextlib.contextmanager
    def _calling(self, host: HostCard, deadline: float | None = 30.0) -> Iterator[Any]:
        """The host's connection; past the deadline its tunnel is cut, so that no call can hang."""
        connection, tunnel = self._connection(host, deadline or 30.0)
        fired = threading.Event()

        def cut() -> None:
            fired.set()
            if tunnel:
                tunnel.close()

        timer = threading.Timer(deadline, cut) if deadline else None
        if timer:
            timer.daemon = True
            timer.start()
        try:
            yield connection
        except self._lib.libvirtError as error:
            raise self._translated(host, error, fired.is_set() or bool(tunnel and tunnel.closed), deadline) from None
        finally:
            if timer:
                timer.cancel()

    def _translated(self, host: HostCard, error: Any, cut: bool, deadline: float | None) -> HostError:
        message = str(error.get_error_message() or error)
        if cut or error.get_error_code() in (self._lib.VIR_ERR_RPC, self._lib.VIR_ERR_NO_CONNECT):
            self._open.pop(host.name, None)
            late = f" within {deadline:.0f} s" if deadline and cut else ""
            return Unreachable(
                host.name, f"libvirtd did not answer{late}: {message}", f"`systemctl status libvirtd` on {host.name}"
            )
        return Refused(host.name, f"libvirt says: {message}")

    def _connection(self, host: HostCard, deadline: float) -> tuple[Any, Tunnel | None]:
        with self._guard:
            lock = self._locks.setdefault(host.name, threading.Lock())
        with lock:
            held = self._open.get(host.name)
            if held is None or (held[1] and held[1].closed):
                held = self._open[host.name] = self._connect(host, deadline)
            return held

    def _connect(self, host: HostCard, deadline: float) -> tuple[Any, Tunnel | None]:
        if self._uri:
            return self._lib.open(self._uri), None
        if self._shell is None:
            raise NeedsHuman("a hypervisor needs a shell or a URI")
        tunnel = Tunnel(self._shell.stream(host, _PROXY, deadline=deadline))
        late = threading.Event()

        def give_up() -> None:
            late.set()
            tunnel.close()

        timer = threading.Timer(deadline, give_up)
        timer.daemon = True
        timer.start()
        try:
            return self._lib.open(f"qemu+unix:///system?socket={tunnel.path}"), tunnel
        except self._lib.libvirtError as error:
            complaint = tunnel.complaint[-200:]
            said = complaint or str(error.get_error_message())
            if late.is_set():  # what is said then is said about our own hanging up
                said = f"within {deadline:.0f} s"
            tunnel.close()
            if self._shell.guard:
                self._shell.guard.judge(host, complaint)
            fix = f"`systemctl start libvirtd` on {host.name}"
            raise Unreachable(host.name, f"libvirtd does not answer: {said}", fix) from None
        finally:
            timer.cancel()
