"""Disks that travel, in the domain's own words: our note of copies in its metadata, and the files beneath a disk. Pure.

The note is an element of its own beside the mark, so that whoever writes the one never loses the other.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote, unquote

from lxml import etree

from reconciler.kinds.vm.state import VolumeAt

COPIES = "urn:reconciler:copies"


def read_copies(root: Any) -> tuple[tuple[VolumeAt, ...], tuple[VolumeAt, ...]]:
    """Volumes that a move is making, and volumes that moves left behind, wherever they are."""
    note = root.find(f"metadata/{{{COPIES}}}copies")
    if note is None:
        return (), ()
    return _volumes(note.get("making", "")), _volumes(note.get("left", ""))


def _volumes(text: str) -> tuple[VolumeAt, ...]:
    words = [word.split("/") for word in text.split()]
    return tuple(VolumeAt(host, pool, unquote(name)) for host, pool, name in words)


def write_copies(making: Iterable[VolumeAt], left: Iterable[VolumeAt]) -> str:
    """The metadata element, without a prefix, as libvirt's setMetadata takes it; empty where nothing is to be said."""
    note = etree.Element("copies")
    for name, volumes in (("making", making), ("left", left)):
        words = [f"{v.host}/{v.pool}/{quote(v.name, safe='')}" for v in sorted(set(volumes))]
        if words:
            note.set(name, " ".join(words))
    return etree.tostring(note, encoding="unicode") if note.attrib else ""


def beneath(live: Any) -> dict[str, str]:
    """By disk target the file its image is a layer over, as the running domain says; none where the image is whole."""
    found = {}
    for disk in live.findall("devices/disk"):
        source, target = disk.find("backingStore/source"), disk.find("target")
        if source is not None and target is not None:
            found[target.get("dev", "")] = next(iter(_places(source)), "another image")
    return found


def _places(source: Any) -> Sequence[str]:
    return [source.get(key) for key in ("file", "dev", "name", "volume") if source.get(key)]
