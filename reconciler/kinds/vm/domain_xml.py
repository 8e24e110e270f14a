"""New domain XML out of existing one: a clone's, an imported file's, changed resources. Pure; defines nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from lxml import etree

from reconciler.kinds.vm.state import WantedNic
from reconciler.kinds.vm.wire import parse, put_mark


def clone_xml(base: str, name: str, uuid: str, disks: Mapping[str, tuple[str, str]], nics: Sequence[WantedNic]) -> str:
    """The base's XML made another VM's. `disks` maps a target to (path, format).

    New: name, UUID (also in SMBIOS), MACs, disk paths, NVRAM path. Dropped or loosened: tap names, fixed graphics
    ports, agent channel paths. Serial and log files get the new name; the guest's content is untouched.
    """
    root = parse(base)
    old = root.findtext("name") or ""
    root.find("name").text = name
    root.find("uuid").text = uuid
    root.attrib.pop("id", None)
    for entry in root.findall("sysinfo/system/entry[@name='uuid']"):
        entry.text = uuid
    genid = root.find("genid")
    if genid is not None:
        genid.text = None
    _point_disks(root, disks)
    _replace_nics(root, nics)
    _rename_files(root, old, name)
    nvram = root.find("os/nvram")
    if nvram is not None and nvram.text:
        nvram.text = nvram_path(nvram.text, name)
    return _text(root)


def nvram_path(base: str, name: str) -> str:
    """Where a clone's UEFI variables go: beside the base's, named after the clone."""
    return f"{base.rpartition('/')[0]}/{name}_VARS.fd"


def _point_disks(root: Any, disks: Mapping[str, tuple[str, str]]) -> None:
    for disk in root.findall("devices/disk"):
        target = disk.find("target").get("dev")
        if target not in disks:
            continue
        path, kind = disks[target]
        disk.set("type", "file")
        for tag in ("source", "backingStore", "mirror"):
            for element in disk.findall(tag):
                disk.remove(element)
        driver = disk.find("driver")
        if driver is None:
            driver = etree.Element("driver", name="qemu")
            disk.insert(0, driver)
        driver.set("type", kind)
        source = etree.Element("source", file=path)
        driver.addnext(source)


def _replace_nics(root: Any, nics: Sequence[WantedNic]) -> None:
    for element, wanted in zip(root.findall("devices/interface"), nics, strict=True):
        for tag in ("target", "alias"):
            for child in element.findall(tag):
                element.remove(child)
        element.find("mac").set("address", wanted.mac)
        source = element.find("source")
        if wanted.network:
            element.set("type", "network")
            source.attrib.clear()
            source.set("network", wanted.network)
        if wanted.bridge:
            element.set("type", "bridge")
            source.attrib.clear()
            source.set("bridge", wanted.bridge)


def _rename_files(root: Any, old: str, name: str) -> None:
    """Paths of serial files and logs carry the VM's name; agent sockets and VNC ports are left to libvirt."""
    for source in root.xpath("devices/*[self::serial or self::console or self::parallel]/source[@path]"):
        source.set("path", _renamed(source.get("path"), old, name))
    for log in root.xpath("devices/*/log[@file]"):
        log.set("file", _renamed(log.get("file"), old, name))
    for source in root.xpath("devices/channel[@type='unix']/source[@path]"):
        source.attrib.pop("path")
    for graphics in root.findall("devices/graphics"):
        if graphics.get("port") not in (None, "-1"):
            graphics.set("port", "-1")
            graphics.set("autoport", "yes")


def _renamed(path: str, old: str, name: str) -> str:
    folder, slash, file = path.rpartition("/")
    if not path.startswith("/") or path.startswith("/dev/"):
        return path
    return folder + slash + (file.replace(old, name) if old in file else f"{name}-{file}")


def marked(xml: str, fleet: str, digest: str = "", making: Sequence[str] = ()) -> str:
    """The XML with our mark in its metadata."""
    root = parse(xml)
    put_mark(root, fleet, digest, making)
    return _text(root)


def with_resources(xml: str, vcpus: int | None, memory: int | None) -> str:
    """The XML with other vCPUs or memory (bytes), for the next boot."""
    root = parse(xml)
    if vcpus is not None:
        vcpu = root.find("vcpu")
        vcpu.text = str(vcpus)
        vcpu.attrib.pop("current", None)
    if memory is not None:
        for tag in ("memory", "currentMemory"):
            element = root.find(tag)
            if element is not None:
                element.text = str(memory // 1024)
                element.set("unit", "KiB")
    return _text(root)


def with_uuid(xml: str, uuid: str) -> str:
    """The XML with that UUID, where it names none itself."""
    root = parse(xml)
    if root.find("uuid") is None:
        element = etree.Element("uuid")
        element.text = uuid
        root.find("name").addnext(element)
    return _text(root)


def _text(root: Any) -> str:
    return str(etree.tostring(root, encoding="unicode"))
