"""Specs from a file, a folder or standard input, with the git commit they are at; reads, never writes.

A folder that is no checkout has no commit.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from reconciler.adapters.git import ask

MAX_ATTACHED = 2**20
_STREAMS: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def _standard_input() -> str:
    """Read once: whoever asks again, as for the fleet's name where there are mistakes, gets the same."""
    stream = sys.stdin.buffer
    if stream not in _STREAMS:
        _STREAMS[stream] = stream.read().decode(errors="surrogateescape")
    return _STREAMS[stream]


class FolderSource:
    """A SpecSource over a path: all *.yaml and *.yml below a folder (but hidden ones), one file, or `-`."""

    def __init__(self, path: str) -> None:
        self.path = path

    def files(self) -> Sequence[tuple[str, str]]:
        """Pairs of path (as people would type it) and text; raises ValueError naming what cannot be read.

        Bytes that are no UTF-8 become lone surrogates, for `load` to refuse beside every other mistake.
        """
        if self.path == "-":
            return [("<stdin>", _standard_input())]
        root = Path(self.path)
        if root.is_file():
            return [(str(root), _read(root, "surrogateescape"))]
        if not root.is_dir():
            raise ValueError(f"{self.path}: no such file or folder")
        shown = sorted(_below(root))
        if not shown:
            raise ValueError(f"{self.path}: no *.yaml file in it")
        return [(str(p), _read(p, "surrogateescape")) for p in shown]

    def read(self, beside: str, relative: str) -> str:
        """A file named by a spec, relative to the spec's own folder and never outside the specs."""
        folder = Path(beside).parent if beside != "<stdin>" else Path.cwd()
        root = (Path(self.path) if Path(self.path).is_dir() else folder).resolve()
        wanted = (folder / relative).resolve()
        if relative.startswith("/") or not wanted.is_relative_to(root):
            raise ValueError(f"{relative}: files named by a spec must lie inside the specs' folder")
        if not wanted.is_file():
            if beside == "<stdin>":
                where = f"{folder}, where standard input's files are looked for"
                raise ValueError(f"{relative}: no such file below {where}")
            raise ValueError(f"{relative}: no such file beside {beside}")
        if wanted.stat().st_size > MAX_ATTACHED:
            raise ValueError(f"{relative}: larger than {MAX_ATTACHED // 1024} KiB")
        return _read(wanted)

    def commit(self) -> tuple[str, bool]:
        """The commit the folder is at and whether anything below it differs; empty outside git."""
        folder = self.path if os.path.isdir(self.path) else os.path.dirname(self.path) or "."
        if self.path == "-":
            return "", False
        commit = ask(folder, "rev-parse", "--verify", "--quiet", "HEAD")
        return commit, bool(commit and ask(folder, "status", "--porcelain", "--", "."))


class SavedSpecs:
    """A SpecSource of what a plan or a snapshot carries in itself; asks no file and no git."""

    def __init__(self, texts: Sequence[tuple[str, str]], attached: Mapping[str, str]) -> None:
        self._texts, self._attached = texts, attached

    def files(self) -> Sequence[tuple[str, str]]:
        """As they were."""
        return self._texts

    def read(self, beside: str, relative: str) -> str:
        """Raises ValueError for a file that was not taken along."""
        if f"{beside} {relative}" not in self._attached:
            raise ValueError(f"{relative}: not among the files that were saved with {beside}")
        return self._attached[f"{beside} {relative}"]

    def commit(self) -> tuple[str, bool]:
        """None."""
        return "", False


def _below(root: Path) -> Iterator[Path]:
    """The files of specs; hidden folders are not even looked into."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.endswith((".yaml", ".yml")) and not name.startswith("."):
                path = Path(folder, name)
                if path.is_file():
                    yield path


def _read(path: Path, errors: str = "strict") -> str:
    try:
        return path.read_text(encoding="utf-8", errors=errors)
    except UnicodeDecodeError:
        raise ValueError(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
