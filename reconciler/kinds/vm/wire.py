"""Domain XML to state, and our mark in its metadata. Pure; entities and network access of the parser are off."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lxml import etree

from reconciler.kind import Sight
from reconciler.kinds.vm.copy_wire import beneath, read_copies
from reconciler.kinds.vm.state import Disk, DomainState, Nic, Room, RoomPool
from reconciler.model.desired import Desired
from reconciler.model.fleet import Fleet, HostCard
from reconciler.model.ref import Place
from reconciler.readings import DomainReading, PoolReading, Reply

MARK = "urn:reconciler:vm"
_POWER = {"running": "running", "blocked": "running", "idle": "running", "shutoff": "stopped", "crashed": "stopped"}
_LOCKS = r"""sed -n 's/^[[:space:]]*lock_manager[[:space:]]*=[[:space:]]*"\([a-z]*\)".*/\1/p' \
/etc/libvirt/qemu.conf 2>/dev/null | tail -n1"""
_SPACE = r"""for f in /run/libvirt/storage/*.xml; do
p=$(sed -n 's:.*<path>\(.*\)</path>.*:\1:p' "$f" 2>/dev/null | tail -n1)
[ -z "$p" ] || timeout -s KILL 2 stat -f -c '%a %S %n' -- "$p" 2>/dev/null; done; exit 0"""  # of every active pool
_USERFAULT = r"""exec 2>/dev/null; grep -Eq '^[[:space:]]*user[[:space:]]*=[[:space:]]*"([+]?0|root)"' \
/etc/libvirt/qemu.conf && echo 1 || cat /proc/sys/vm/unprivileged_userfaultfd; exit 0"""
_BOUND = {
    "cputune/vcpupin": "pinned vCPUs",
    "cputune/emulatorpin": "a pinned emulator",
    "numatune/*": "NUMA nodes",
    "memoryBacking/hugepages": "huge pages",
}
_HOST_DEVICES = {"hostdev": "host device", "shmem": "shared memory", "filesystem": "shared folder"}


def parse(text: str) -> Any:
    """An lxml element; raises ValueError on what is no XML or too deep to be a domain."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=False, huge_tree=False)
    try:
        root: Any = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"not XML: {error}") from None
    if root.getroottree().docinfo.doctype:
        raise ValueError("a DOCTYPE is not allowed in libvirt XML")
    return root


def foreign(root: Any) -> tuple[str, ...]:
    """Elements of other namespaces outside <metadata>, as qemu:commandline: libvirt checks nothing of what they say."""
    found = root.xpath("//*[namespace-uri() and not(ancestor::metadata)]")
    return tuple(sorted({f"{e.prefix}:{etree.QName(e).localname}".removeprefix("None:") for e in found}))


def facts(host: HostCard, fleet: Fleet, desired: Sequence[Desired]) -> Mapping[str, Sequence[str]]:
    """Bridges, the neighbours by which a guest's address is known on some host, the lock manager, userfaultfd,
    SSH's version."""
    return {
        "bridges": ["sh", "-c", "ls -d /sys/class/net/*/bridge 2>/dev/null | cut -d/ -f5"],
        "neighbours": ["ip", "-4", "-o", "neigh", "show"],
        "locks": ["sh", "-c", _LOCKS],
        "ssh": ["ssh", "-V"],
        "space": ["sh", "-c", _SPACE],
        "userfault": ["sh", "-c", _USERFAULT],
    }


def read(sight: Sight) -> Sequence[tuple[Place, Any]]:
    """Every domain of the host, and its room."""
    inventory, host = sight.inventory, sight.host.name
    if inventory is None:
        return ()
    neighbours = read_neighbours(sight.replies["neighbours"].out)
    bridges = tuple(sorted(sight.replies["bridges"].out.split()))
    networks = tuple(sorted(n.name for n in inventory.networks if n.active))
    space = read_space(sight.replies["space"].out)
    pools = tuple(_room_pool(pool, space) for pool in inventory.pools)
    room = Room(
        inventory.arch,
        inventory.memory,
        inventory.machines,
        networks,
        bridges,
        pools,
        inventory.virts,
        inventory.emulators,
        {**dict(inventory.versions), **read_ssh(sight.replies["ssh"])},
        sight.replies["locks"].out.strip().removeprefix("nop"),
        sight.replies["userfault"].out.strip(),
        inventory.cpus,
    )
    domains = [(Place("vm", host, d.name), read_domain(d, neighbours)) for d in inventory.domains]
    return [(Place("room", host, host), room), *domains]


def _room_pool(pool: PoolReading, space: Mapping[str, int]) -> RoomPool:
    target = parse(pool.xml).findtext("target/path") or ""
    volumes = tuple((volume.path, volume.allocation) for volume in pool.volumes)
    capacities = tuple((volume.path, volume.capacity) for volume in pool.volumes)
    free = space.get(target, pool.available)
    return RoomPool(pool.name, target, pool.active, free, volumes, capacities)


def read_space(text: str) -> dict[str, int]:
    """Free bytes by path, as the file systems say it now; libvirt's number is of its last look."""
    lines = [line.split(" ", 2) for line in text.splitlines()]
    return {words[2]: int(words[0]) * int(words[1]) for words in lines if len(words) == 3}


def read_ssh(reply: Reply) -> dict[str, str]:
    """OpenSSH's version from `ssh -V`, which says it on standard error; client and server are of one package."""
    found = re.search(r"OpenSSH_([0-9][^ ,]*)", reply.out + reply.err)
    return {"OpenSSH": found[1]} if found else {}


def read_neighbours(text: str) -> dict[str, str]:
    """MAC to address from `ip -4 -o neigh show`; entries that failed are passed over."""
    table = {}
    for line in text.splitlines():
        words = line.split()
        if "lladdr" in words and "FAILED" not in words:
            table[words[words.index("lladdr") + 1]] = words[0]
    return table


def read_domain(reading: DomainReading, neighbours: Mapping[str, str]) -> DomainState:
    """Configuration from the inactive XML, or from the live one where a domain has no other."""
    root = parse(reading.config if reading.persistent and reading.config else reading.live)
    live = parse(reading.live) if reading.live else root
    nics = tuple(_nic(nic) for nic in root.findall("devices/interface"))
    known = dict(reading.addresses)
    addresses = [known.get(nic.mac) or neighbours.get(nic.mac, "") for nic in nics]
    fleet, digest, making = read_mark(root)
    copying, left = read_copies(root)
    layers = beneath(live)
    move = read_move(root)
    return DomainState(
        uuid=reading.uuid,
        power=_POWER.get(reading.state, reading.state),
        persistent=reading.persistent,
        autostart=reading.autostart,
        vcpus=int(root.findtext("vcpu") or 1),
        memory=_bytes(root.find("memory")),
        arch=root.find("os/type").get("arch", ""),
        machine=live.find("os/type").get("machine", ""),
        cpu=_cpu(root),
        disks=tuple(_disk(disk, layers) for disk in root.findall("devices/disk")),
        nics=nics,
        nvram=root.findtext("os/nvram") or "",
        console=root.find("devices/console") is not None,
        fleet=fleet,
        digest=digest,
        making=making,
        copying=copying,
        left=left,
        immovable=_immovable(root),
        files=tuple(t for t in (root.findtext(f"os/{n}") for n in ("kernel", "initrd", "loader")) if t),
        virt=root.get("type", ""),
        emulator=root.findtext("devices/emulator") or "",
        coming=move.get("coming", ""),
        boots=move.get("boots") == "yes",
        resume=move.get("resume") == "yes",
        prune=move.get("prune") == "allowed",
        home=move.get("home", ""),
        dirty=_number(move.get("dirty", "")),
        downtime=_number(move.get("downtime", "")),
        keeps=reading.keeps,
        local=_local(root),
        bound=tuple(what for path, what in _BOUND.items() if root.find(path) is not None),
        guest=guest_of(reading.live),
        migrating=reading.migrating,
        addresses=tuple(address for address in addresses if address),
        taints=reading.taints,
        label=(live.findtext("seclabel/label") or "").strip(),
        reason=reading.reason,
        moved=int(move["moved"]) if re.fullmatch(r"\d{1,12}", move.get("moved", "")) else 0,
    )


def from_xml(name: str, xml: str) -> DomainState:
    """The state a domain defined from this XML will have; raises ValueError when it lacks what every domain has."""
    try:
        uuid = parse(xml).findtext("uuid") or ""
        return read_domain(DomainReading(uuid, name, "shutoff", xml), {})
    except (AttributeError, TypeError) as error:
        raise ValueError(f"its domain XML is not complete: {error}") from None


def _bytes(element: Any) -> int:
    units = {"b": 1, "bytes": 1, "KiB": 2**10, "k": 2**10, "MiB": 2**20, "M": 2**20, "GiB": 2**30, "G": 2**30}
    return int(element.text) * units[element.get("unit", "KiB")] if element is not None else 0


def _cpu(root: Any) -> str:
    cpu = root.find("cpu")
    if cpu is None:
        return ""
    return str(cpu.get("mode") or "custom") + (f":{cpu.findtext('model')}" if cpu.findtext("model") else "")


def guest_of(live: str) -> str:
    """As much of a running domain's XML as CPUs are compared by: type, architecture, machine and <cpu>."""
    if not live:
        return ""
    root = parse(live)
    cpu = root.find("cpu")
    if cpu is None:
        return ""
    guest = etree.Element("domain", type=root.get("type", ""))
    kind = root.find("os/type")
    etree.SubElement(etree.SubElement(guest, "os"), "type", dict(kind.attrib)).text = kind.text
    guest.append(cpu)
    etree.indent(guest, "")
    return etree.tostring(guest, encoding="unicode").replace("\n", "")


def _nic(element: Any) -> Nic:
    source, mac = element.find("source"), element.find("mac")
    where = dict(source.attrib) if source is not None else {}
    return Nic(mac.get("address").lower() if mac is not None else "", where.get("network", ""), where.get("bridge", ""))


def _disk(element: Any, layers: Mapping[str, str]) -> Disk:
    source, driver = element.find("source"), element.find("driver")
    where = dict(source.attrib) if source is not None else {}
    how = dict(driver.attrib) if driver is not None else {}
    return Disk(
        target=element.find("target").get("dev", ""),
        path=where.get("file") or where.get("dev") or where.get("name") or where.get("volume") or "",
        kind=element.get("type", "file"),
        format=how.get("type", "raw"),
        cache=how.get("cache", ""),
        readonly=element.find("readonly") is not None or element.get("device") == "cdrom",
        shareable=element.find("shareable") is not None,
        beneath=layers.get(element.find("target").get("dev", ""), ""),
    )


def _immovable(root: Any) -> tuple[str, ...]:
    return tuple(
        f"{what} ({d.get('type')})" for tag, what in _HOST_DEVICES.items() for d in root.findall(f"devices/{tag}")
    )


def _local(root: Any) -> tuple[str, ...]:
    """UEFI variables whose file libvirt names at the first start, and an emulated TPM's state."""
    firmware = root.find("os").get("firmware") == "efi" and not root.findtext("os/nvram")
    tpm = root.find("devices/tpm/backend[@type='emulator']") is not None
    return tuple(what for what, on in (("its UEFI variable store", firmware), ("its TPM's state", tpm)) if on)


def read_mark(root: Any) -> tuple[str, str, tuple[str, ...]]:
    """Our mark: fleet, digest of the XML it was made from, volumes still being made. Empty where there is none."""
    mark = root.find(f"metadata/{{{MARK}}}vm")
    if mark is None:
        return "", "", ()
    return mark.get("fleet", ""), mark.get("digest", ""), tuple(mark.get("making", "").split())


def read_move(root: Any) -> Mapping[str, str]:
    """What moves have noted in our mark: `coming`, `boots`, `resume` while under way, after it `moved`, `dirty` and
    `downtime`; and `prune`, `home`."""
    mark = root.find(f"metadata/{{{MARK}}}vm")
    return {} if mark is None else dict(mark.attrib)


def _number(text: str) -> int | None:
    """None for what is no plain number, whoever wrote it."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


def write_mark(fleet: str, digest: str = "", making: Sequence[str] = ()) -> str:
    """The metadata element, without a prefix, as libvirt's setMetadata takes it."""
    mark = etree.Element("vm", fleet=fleet)
    if digest:
        mark.set("digest", digest)
    if making:
        mark.set("making", " ".join(making))
    return etree.tostring(mark, encoding="unicode")


def put_mark(root: Any, fleet: str, digest: str = "", making: Sequence[str] = ()) -> None:
    """The mark set in a domain XML before it is defined; another of ours is replaced, foreign metadata stays."""
    metadata = root.find("metadata")
    if metadata is None:
        metadata = etree.SubElement(root, "metadata")
    for old in metadata.findall(f"{{{MARK}}}vm"):
        metadata.remove(old)
    mark = etree.SubElement(metadata, f"{{{MARK}}}vm", nsmap={"reconciler": MARK})
    for key, value in parse(write_mark(fleet, digest, making)).attrib.items():
        mark.set(key, value)
