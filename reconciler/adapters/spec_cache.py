"""What spec files read as, remembered by their content between commands: what did not change is not parsed again.

Never a reason to fail, and never trusted from anybody else: whatever is wrong with what was kept, the text is read.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from reconciler import __version__

LEAST = 100
"""So few files are parsed sooner than anything is looked up."""
MOST_BYTES = 64 * 2**20
MOST_KEPT = 16
"""Folders of specs that are remembered at a time."""
_WRONG = (OSError, ValueError, TypeError, AttributeError)


def cache_folder() -> Path:
    """XDG_CACHE_HOME/reconciler/specs, by default below ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "reconciler" / "specs"


class SpecCache:
    """A SpecMemory of one path of specs, as the program text in the file `reader` reads them.

    `save` keeps what its files read as now, and nothing else.
    """

    def __init__(self, path: str, reader: str, folder: Path | None = None) -> None:
        self._reader = reader
        self._folder = folder or cache_folder()
        self._file = self._folder / f"{hashlib.sha256(os.path.realpath(path).encode()).hexdigest()[:24]}.json"
        self._known: dict[str, Any] | None = None
        self._used: dict[str, Any] = {}
        self._fresh = False

    def begin(self, count: int) -> None:
        """So many files are to be read."""
        self._used, self._fresh = {}, False
        self._known = (self._known or _kept(self._file, self._reader)) if count >= LEAST else None

    def recall(self, text: str) -> Sequence[tuple[Any, int, dict[str, int]]] | None:
        """The documents of this text, the line of each and of each path in it; None where it was not seen before."""
        if self._known is None:
            return None
        key = _key(text)
        found = self._known.get(key)
        if found is not None:
            self._used[key] = found
        return found

    def keep(self, text: str, documents: Sequence[tuple[Any, int, dict[str, int]]]) -> None:
        """Of a text without mistakes."""
        if self._known is not None:
            self._used[_key(text)], self._fresh = documents, True

    def save(self) -> None:
        """Whole or not at all, where there is anything new."""
        if self._known is None or not (self._fresh or len(self._known) > 2 * len(self._used)):
            return
        with suppress(*_WRONG):
            body = json.dumps(self._used, separators=(",", ":")).encode()
            if len(body) <= MOST_BYTES:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _write(self._file, f"{_head(body, self._reader)}\n".encode() + body)
                _clear(self._folder)
        self._known = self._used


def _key(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _head(body: bytes, reader: str) -> str:
    """What another version kept, or another reader, is of no use."""
    text = hashlib.sha256(Path(reader).read_bytes()).hexdigest()[:16]
    return f"reconciler-specs {__version__} {text} {hashlib.sha256(body).hexdigest()}"


def _kept(file: Path, reader: str) -> dict[str, Any]:
    """Empty where it is not ours alone to write, or not as it was written."""
    with suppress(*_WRONG):
        with open(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as opened:
            for status in (os.fstat(opened.fileno()), os.stat(file.parent)):
                if status.st_uid != os.geteuid() or status.st_mode & 0o022:
                    return {}
            head, _, body = opened.read(MOST_BYTES + 1024).partition(b"\n")
        known = json.loads(body) if head.decode() == _head(body, reader) else {}
        return known if isinstance(known, dict) else {}
    return {}


def _write(file: Path, content: bytes) -> None:
    number, name = tempfile.mkstemp(dir=file.parent, prefix=".new-")
    try:
        with open(number, "wb") as opened:
            opened.write(content)
        os.replace(name, file)
    except BaseException:
        os.unlink(name)
        raise


def _clear(folder: Path) -> None:
    """The oldest go, and so does what a killed process left."""
    files = sorted((path for path in folder.iterdir() if path.is_file()), key=lambda path: -path.stat().st_mtime)
    for path in files[MOST_KEPT:]:
        path.unlink()
