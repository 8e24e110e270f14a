"""One bulk read of a libvirt connection as plain values; changes nothing, and parses no more than it must."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from lxml import etree

from reconciler.readings import FAILED_POST_COPY as FAILED
from reconciler.readings import DomainReading, Inventory, NetworkReading, PoolReading, VolumeReading

_POST_COPY = "post-copy"
_REASONS = (
    ("PAUSED", "MIGRATION", "migrating"),
    ("PAUSED", "STARTING_UP", "starting up"),
    ("PAUSED", "USER", "user"),
    ("PAUSED", "IOERROR", "I/O error"),
    ("PAUSED", "POSTCOPY", _POST_COPY),
    ("PAUSED", "POSTCOPY_FAILED", FAILED),
    ("RUNNING", "MIGRATED", "migrated"),
    ("RUNNING", "POSTCOPY", _POST_COPY),
    ("RUNNING", "POSTCOPY_FAILED", FAILED),
    ("SHUTOFF", "MIGRATED", "migrated"),
)
_STATES = ("unknown", "running", "blocked", "paused", "stopping", "shutoff", "crashed", "suspended")


def read_inventory(lib: Any, connection: Any) -> Inventory:
    """Everything of one hypervisor."""
    info = connection.getInfo()
    arch, machines, virts, emulators = _capabilities(connection.getCapabilities())
    return Inventory(
        hostname=connection.getHostname(),
        arch=arch,
        memory=info[1] * 2**20,
        cpus=info[2],
        machines=machines,
        domains=tuple(
            reading for d in connection.listAllDomains(0) if (reading := _present(lib, lambda d=d: read_domain(lib, d)))
        ),
        pools=tuple(
            reading for p in connection.listAllStoragePools(0) if (reading := _present(lib, lambda p=p: _pool(lib, p)))
        ),
        networks=tuple(_network(n) for n in connection.listAllNetworks(0)),
        virts=virts,
        emulators=emulators,
        versions=_versions(lib, connection),
    )


def _present(lib: Any, read: Any) -> Any:
    """What `read` gives, or None where the object vanished between the listing and the reading."""
    try:
        return read()
    except lib.libvirtError as error:
        if error.get_error_code() in (lib.VIR_ERR_NO_DOMAIN, lib.VIR_ERR_NO_STORAGE_POOL):
            return None
        raise


def _versions(lib: Any, connection: Any) -> tuple[tuple[str, str], ...]:
    """libvirt's and QEMU's, as `9.0.0`; QEMU's is unknown where libvirt found none."""
    found = [("libvirt", connection.getLibVersion())]
    with contextlib.suppress(lib.libvirtError):
        found.append((connection.getType(), connection.getVersion()))
    return tuple((name, f"{n // 1000000}.{n // 1000 % 1000}.{n % 1000}") for name, n in found)


def _capabilities(text: str) -> tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The host's architecture; for it the machine types, the domain types (kvm, qemu) and the emulators."""
    root: Any = etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    arch = root.findtext("host/cpu/arch") or ""
    names = {m.text for m in root.xpath("guest/arch[@name=$arch]//machine", arch=arch) if m.text}
    virts = {d.get("type", "") for d in root.xpath("guest/arch[@name=$arch]/domain", arch=arch)}
    emulators = {e.text for e in root.xpath("guest/arch[@name=$arch]//emulator", arch=arch) if e.text}
    return arch, tuple(sorted(names)), tuple(sorted(virts)), tuple(sorted(emulators))


def read_domain(lib: Any, domain: Any) -> DomainReading:
    """One domain; addresses, taints and the job only where it runs."""
    state, why = domain.state(0)
    reason = _reason(lib, state, why)
    active, persistent = bool(domain.isActive()), bool(domain.isPersistent())
    live = domain.XMLDesc(0) if active else ""
    return DomainReading(
        uuid=domain.UUIDString(),
        name=domain.name(),
        state=_STATES[state] if state < len(_STATES) else "unknown",
        config=domain.XMLDesc(lib.VIR_DOMAIN_XML_INACTIVE),
        live=live,
        persistent=persistent,
        autostart=bool(domain.autostart()),
        migrating=active and reason != FAILED and _migrating(lib, domain),
        addresses=_addresses(lib, domain, live, reason == _POST_COPY) if active and reason != FAILED else (),
        taints=_taints(lib, domain) if active else (),
        reason=reason,
        keeps=tuple(_keeps(lib, domain)) if persistent else (),
    )


def _reason(lib: Any, state: int, why: int) -> str:
    """Of libvirt's many reasons those that something is done about; older libvirts do not know all of them."""
    return next(
        (
            word
            for of, reason, word in _REASONS
            if state == getattr(lib, f"VIR_DOMAIN_{of}") and why == getattr(lib, f"VIR_DOMAIN_{of}_{reason}", None)
        ),
        "",
    )


def _keeps(lib: Any, domain: Any) -> Iterator[str]:
    """What undefine and migration refuse; a driver that has none of these says so with an error."""
    asked: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("a managed save image", lambda: domain.hasManagedSaveImage(0)),
        ("snapshots", lambda: domain.snapshotNum(0)),
        ("checkpoints", lambda: domain.listAllCheckpoints(0)),
    )
    for what, ask in asked:
        with contextlib.suppress(lib.libvirtError):
            if ask():
                yield what


def _migrating(lib: Any, domain: Any) -> bool:
    with contextlib.suppress(lib.libvirtError):
        stats = domain.jobStats()
        moving = (lib.VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT, lib.VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN)
        return bool(stats.get("type")) and stats.get("operation") in moving
    return False


def _addresses(lib: Any, domain: Any, live: str, half: bool) -> tuple[tuple[str, str], ...]:
    """MAC and IPv4 address by lease, ARP table, and the guest agent where it is connected; a half's is not asked."""
    sources = [lib.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE, lib.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP]
    if not half and 'name="org.qemu.guest_agent.0" state="connected"' in live.replace("'", '"'):
        sources.append(lib.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT)
    found: dict[str, str] = {}
    for source in sources:
        with contextlib.suppress(lib.libvirtError):
            for nic in domain.interfaceAddresses(source, 0).values():
                for address in nic["addrs"] or ():
                    if address["type"] == lib.VIR_IP_ADDR_TYPE_IPV4 and not address["addr"].startswith("127."):
                        found.setdefault(str(nic["hwaddr"]).lower(), address["addr"])
    return tuple(sorted(found.items()))


def _taints(lib: Any, domain: Any) -> tuple[str, ...]:
    with contextlib.suppress(lib.libvirtError, AttributeError):
        return tuple(domain.messages(lib.VIR_DOMAIN_MESSAGE_TAINTING))
    return ()


def _pool(lib: Any, pool: Any) -> PoolReading:
    active = bool(pool.isActive())
    _, capacity, allocation, available = pool.info() if active else (0, 0, 0, 0)
    volumes = []
    for volume in pool.listAllVolumes(0) if active else ():
        with contextlib.suppress(lib.libvirtError):
            _, size, taken = volume.info()
            volumes.append(VolumeReading(volume.name(), volume.path(), size, taken))
    return PoolReading(
        pool.name(),
        _definition(lib, pool),
        active,
        bool(pool.autostart()),
        capacity,
        allocation,
        available,
        tuple(sorted(volumes, key=lambda v: v.name)),
    )


def _definition(lib: Any, pool: Any) -> str:
    """The stored XML; a driver that stores no other than the running one has no flag for it."""
    try:
        return str(pool.XMLDesc(lib.VIR_STORAGE_XML_INACTIVE))
    except lib.libvirtError as error:
        if error.get_error_code() != lib.VIR_ERR_INVALID_ARG:
            raise
        return str(pool.XMLDesc(0))


def _network(network: Any) -> NetworkReading:
    active = bool(network.isActive())
    try:
        bridge = network.bridgeName()
    except Exception:
        bridge = ""
    return NetworkReading(network.name(), active, bridge)
