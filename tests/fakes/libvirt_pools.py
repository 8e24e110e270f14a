"""FakeHypervisor's pools and volumes, with libvirt's own refusals. No domain is changed here."""

import re
import uuid as uuids
from collections.abc import Callable

from reconciler.errors import Refused
from reconciler.model.fleet import HostCard
from tests.fakes.libvirtd import Libvirtd
from tests.fakes.machines import File, Host, Pool

FSTYPES = {"nfs": "nfs4", "glusterfs": "fuse.glusterfs"}


class Pools(Libvirtd):
    """Pools and volumes by name."""

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
