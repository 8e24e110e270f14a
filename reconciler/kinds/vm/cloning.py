"""Making a clone on real hosts: the domain is defined first, marked as unfinished, and unmarked last.

So a crash at any point leaves its own note on the host, and only volumes named in that note are ever deleted.
"""

from lxml import etree

from reconciler.errors import NeedsHuman, Refused
from reconciler.kinds.vm.actions import CloneDomain
from reconciler.kinds.vm.domain_xml import clone_xml, marked, nvram_path
from reconciler.kinds.vm.state import CloneDisk
from reconciler.kinds.vm.wire import MARK, foreign, parse, read_domain, write_mark
from reconciler.model.fleet import HostCard
from reconciler.model.outcome import Done
from reconciler.model.units import show_size
from reconciler.ports import Hands


def clone(action: CloneDomain, hands: Hands) -> Done:
    """The whole clone; on failure what it made is removed again and the error goes on."""
    base_card, home = hands.hosts[action.base_host], hands.hosts[action.place.host]
    _ask_everyone(action, hands)
    sources = _sources(action, base_card, hands)
    if action.again:
        _clear(action, home, base_card, hands)
    base = hands.hypervisor.domain_xml(base_card, action.base_uuid)
    beyond = foreign(parse(base)) if base_card.name != home.name else ()
    if beyond:
        what = f"{action.base} has {', '.join(beyond)}, which another host is not given unseen"
        raise Refused(base_card.name, what, f"place the clone on {base_card.name}")
    disks = {disk.target: (disk.path, disk.format) for disk in action.disks}
    making = [f"{disk.pool}/{disk.volume}" for disk in action.disks]
    xml = clone_xml(base, action.place.name, action.uuid, disks, action.nics)
    hands.hypervisor.define_domain(home, marked(xml, action.result.fleet, making=making))
    hands.at("clone.defined")
    try:
        copied = sum(_copy(disk, sources[disk.target], base_card, hands) for disk in action.disks)
        _copy_nvram(base, action, base_card, hands)
        for pool in {disk.pool for disk in action.disks}:
            hands.hypervisor.refresh_pool(home, pool)
    except Exception:
        _clear(action, home, base_card, hands)
        raise
    hands.at("clone.copied")
    hands.hypervisor.set_metadata(home, action.uuid, MARK, write_mark(action.result.fleet))
    return Done(f"{show_size(copied)} copied, uuid {action.uuid}", facts={"bytes": copied, "uuid": action.uuid})


def _ask_everyone(action: CloneDomain, hands: Hands) -> None:
    """Nobody may have this UUID but, on its own host, our own unfinished attempt."""
    for card in hands.others(""):
        reading = hands.hypervisor.domain(card, action.uuid)
        if reading is None:
            continue
        state = read_domain(reading, {})
        if card.name != action.place.host or not (action.again and state.making and state.power == "stopped"):
            raise NeedsHuman(f"{card.name} has a domain with UUID {action.uuid} by now ({reading.state})", "plan again")


def _sources(action: CloneDomain, card: HostCard, hands: Hands) -> dict[str, str]:
    """Paths of the base's disks by target; the base must be off at this very moment."""
    reading = hands.hypervisor.domain(card, action.base_uuid)
    if reading is None or reading.state != "shutoff":
        said = reading.state if reading else "gone"
        raise Refused(
            card.name, f"{action.base} is {said}; only a VM that is off is copied", f"virsh shutdown {action.base}"
        )
    return {disk.target: disk.path for disk in read_domain(reading, {}).disks}


def _copy(disk: CloneDisk, source: str, card: HostCard, hands: Hands) -> int:
    hands.hypervisor.refresh_pool(card, disk.pool)
    volume = parse(hands.hypervisor.volume_xml(card, source))
    capacity, size = int(volume.findtext("capacity")), int(volume.findtext("allocation"))
    pool = next((p for p in hands.hypervisor.inventory(card).pools if p.name == disk.pool), None)
    if pool is None or not pool.active:
        raise Refused(card.name, f"pool {disk.pool} is not active", "plan again")
    if any(v.name == disk.volume for v in pool.volumes):
        raise Refused(
            card.name, f"volume {disk.volume} is in pool {disk.pool} by now; nothing is overwritten", "plan again"
        )
    if size + disk.min_free > pool.available:
        numbers = f"{show_size(size + disk.min_free)} needed, {show_size(pool.available)} free"
        raise Refused(card.name, f"no space in pool {disk.pool}: {numbers}", "free or add space")
    hands.at("clone.copying")
    hands.hypervisor.copy_volume(
        card,
        source,
        disk.pool,
        _volume_xml(disk, capacity),
        lambda done: hands.tell(f"copying {disk.target}", min(done, size), size, {}),
    )
    hands.tell(f"copying {disk.target}", size, size, {})
    return size


def _volume_xml(disk: CloneDisk, capacity: int) -> str:
    volume = etree.Element("volume")
    etree.SubElement(volume, "name").text = disk.volume
    etree.SubElement(volume, "capacity", unit="bytes").text = str(capacity)
    etree.SubElement(volume, "allocation", unit="bytes").text = "0"
    target = etree.SubElement(volume, "target")
    etree.SubElement(target, "format", type=disk.format)
    return etree.tostring(volume, encoding="unicode")


def _copy_nvram(base: str, action: CloneDomain, card: HostCard, hands: Hands) -> None:
    source = parse(base).findtext("os/nvram") or ""
    if not source:
        return
    target = nvram_path(source, action.place.name)
    script = '[ ! -e "$1" ] || cp -p --sparse=always -- "$1" "$2"'
    reply = hands.shell.run(card, ["sh", "-c", script, "sh", source, target])
    if reply.code != 0:
        raise Refused(card.name, f"could not copy the UEFI variables: {reply.err.strip()[:200]}")


def _clear(action: CloneDomain, home: HostCard, base_card: HostCard, hands: Hands) -> None:
    """Volumes named in the unfinished domain's own mark, then the domain; nothing without that mark."""
    reading = hands.hypervisor.domain(home, action.uuid)
    if reading is None:
        return
    making = read_domain(reading, {}).making
    for disk in action.disks:
        if f"{disk.pool}/{disk.volume}" in making:
            hands.hypervisor.refresh_pool(base_card, disk.pool)
            hands.hypervisor.delete_volume(base_card, disk.pool, disk.volume)
    if making:
        hands.hypervisor.undefine_domain(home, action.uuid)
