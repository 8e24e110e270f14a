"""A move's notes in our mark on the domain itself, so that a later pass can finish it without any memory. Pure.

The rest of the mark stays as it is; what is empty is removed.
"""

from typing import Any

from lxml import etree

from reconciler.kinds.vm.wire import MARK, parse


def noted(xml: str, **notes: str) -> str:
    """The mark of this domain XML as an element for setMetadata, with other notes."""
    found = parse(xml).find(f"metadata/{{{MARK}}}vm")
    mark = etree.Element("vm", dict(found.attrib) if found is not None else {})
    _note(mark, notes)
    return str(etree.tostring(mark, encoding="unicode"))


def with_notes(xml: str, **notes: str) -> str:
    """The domain XML with other notes in its mark."""
    root = parse(xml)
    metadata = root.find("metadata")
    if metadata is None:
        metadata = etree.SubElement(root, "metadata")
    mark = metadata.find(f"{{{MARK}}}vm")
    if mark is None:
        mark = etree.SubElement(metadata, f"{{{MARK}}}vm", nsmap={"reconciler": MARK})
    _note(mark, notes)
    return str(etree.tostring(root, encoding="unicode"))


def _note(mark: Any, notes: dict[str, str]) -> None:
    for name, text in notes.items():
        mark.attrib.pop(name, None)
        if text:
            mark.set(name, text)
