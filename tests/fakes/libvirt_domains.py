"""FakeHypervisor's domains on their host, with libvirt's own refusals. Nothing goes to another host here."""

import uuid as uuids
from typing import Any

from lxml import etree

from reconciler.errors import Refused
from reconciler.model.fleet import HostCard
from reconciler.readings import Counters
from tests.fakes.libvirtd import Libvirtd
from tests.fakes.machines import Domain, Host


class Domains(Libvirtd):
    """Domains by UUID."""

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
            own = domain.unfinished or domain.name in self._world.released
            if len(self._world.hosts) > 1 and not own and not self._elsewhere(there, uuid):
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

    def dirty_rate(self, host: HostCard, uuid: str, seconds: int, *, deadline: float = 30.0) -> int | None:
        """As the world has it, in whole MiB as libvirt says it; only while it runs."""
        with self._calling(host, "dirty_rate") as there:
            domain = there.domains.get(uuid)
            if domain is None or domain.state != "running" or domain.name not in self._world.writing:
                return None
            return self._world.writing[domain.name] // 2**20 * 2**20

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
