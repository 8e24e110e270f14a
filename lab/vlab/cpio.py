"""Writes the newc archive format which the Linux kernel unpacks as its first root.

It must not read the file system; callers hand over names and contents.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, field


@dataclass
class Archive:
    """An archive in the making; parents of a file are added by themselves."""

    chunks: list[bytes] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def folder(self, name: str, mode: int = 0o755) -> None:
        self._add(name, stat.S_IFDIR | mode, b"")

    def file(self, name: str, content: bytes, mode: int = 0o644) -> None:
        self._add(name, stat.S_IFREG | mode, content)

    def link(self, name: str, target: str) -> None:
        self._add(name, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, name: str, major: int, minor: int) -> None:
        self._add(name, stat.S_IFCHR | 0o600, b"", (major, minor))

    def done(self) -> bytes:
        """The archive, ended and padded so that another may follow it."""
        body = b"".join([*self.chunks, _entry("TRAILER!!!", 0, 0, b"", (0, 0))])
        return body + bytes(-len(body) % 512)

    def _add(self, name: str, mode: int, content: bytes, device: tuple[int, int] = (0, 0)) -> None:
        if name in self.seen:
            return
        parent = name.rpartition("/")[0]
        if parent:
            self.folder(parent)
        self.seen.add(name)
        self.chunks.append(_entry(name, len(self.seen), mode, content, device))


def _entry(name: str, inode: int, mode: int, content: bytes, device: tuple[int, int]) -> bytes:
    fields = (inode, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name.encode()) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % value for value in fields) + name.encode() + b"\0"
    return head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)
