"""A commit's files as plain files in a folder, written by us from git's objects: no filter, hook or link has a say.

Refuses what is no plain file and what is too large; runs nothing and follows nothing.
"""

import glob
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reconciler.adapters.git import Git, plain
from reconciler.errors import SourceError

MAX_FILES = 20_000
MAX_FILE = 8 * 2**20
MAX_ALL = 64 * 2**20
_ENTRY = re.compile(rb"(\d{6}) (\w+) ([0-9a-f]+) +(\d+|-)\t(.+)", re.DOTALL)
_WHAT = {"120000": "a symbolic link", "160000": "a submodule"}


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    path: PurePosixPath
    blob: str
    size: int


def write_out(git: Git, sha: str, to: Path, within: str = "") -> None:
    """All files below `within` at the same relative paths in `to`; raises SourceError or GitFailed, and writes none."""
    entries = _listed(git, sha, PurePosixPath(within))
    texts = _texts(git, entries)
    to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = Path(tempfile.mkdtemp(prefix=f".{to.name}.", dir=to.parent))
    try:
        for entry, text in zip(entries, texts, strict=True):
            _write(sha, fresh, entry, text)
        _replace(fresh, to)
    finally:
        for left in to.parent.glob(f".{glob.escape(to.name)}.*"):
            shutil.rmtree(left, ignore_errors=True)


def _listed(git: Git, sha: str, within: PurePosixPath) -> Sequence[_Entry]:
    if within.is_absolute() or ".." in within.parts:
        raise SourceError(f"not a folder of the repository: {plain(str(within), 80)!r}", "write it relative to its top")
    entries: list[_Entry] = []
    for line in filter(None, git.run("ls-tree", "-r", "-z", "-l", sha).split(b"\0")):
        found = _ENTRY.fullmatch(line)
        if not found:
            raise _refused(sha, f"git lists {plain(repr(line), 80)}")
        name = os.fsdecode(found[5])
        path = PurePosixPath(name)
        if within.parts != path.parts[: len(within.parts)]:
            continue
        mode, size = found[1].decode(), int(found[4]) if found[4] != b"-" else 0
        _check(sha, name, mode, size)
        entries.append(_Entry(name, path, found[3].decode(), size))
    if not entries:
        below = f" below {within}" if within.parts else ""
        fix = "was it emptied by mistake? what was applied last stays as it is"
        raise _refused(sha, f"it has no file{below}", fix)
    total = sum(entry.size for entry in entries)
    if len(entries) > MAX_FILES or total > MAX_ALL:
        raise _refused(sha, f"it has {len(entries)} files of {total // 2**20} MiB, more than {MAX_FILES} or 64 MiB")
    return entries


def _check(sha: str, name: str, mode: str, size: int) -> None:
    shown = plain(name, 80)
    if mode not in ("100644", "100755", "100664"):
        raise _refused(sha, f"{shown} is {_WHAT.get(mode, f'of mode {mode}')}", "only plain files are taken")
    bad = any(part in ("", ".", "..") or part.lower() == ".git" for part in name.split("/"))
    if bad or plain(name, 4096) != name:
        raise _refused(sha, f"{shown!r} is no name for a file")
    if size > MAX_FILE:
        raise _refused(sha, f"{shown} is larger than {MAX_FILE // 2**20} MiB", "keep disks and images elsewhere")


def _texts(git: Git, entries: Sequence[_Entry]) -> Iterator[bytes]:
    """The blobs as they are stored, in that order."""
    given = git.run("cat-file", "--batch", stdin="".join(f"{entry.blob}\n" for entry in entries).encode())
    at = 0
    for entry in entries:
        head = f"{entry.blob} blob {entry.size}\n".encode()
        if not given.startswith(head, at):
            raise SourceError(f"git does not give {plain(entry.name, 80)}", "delete the mirror; it is fetched again")
        at += len(head)
        yield given[at : at + entry.size]
        at += entry.size + 1


def _write(sha: str, fresh: Path, entry: _Entry, text: bytes) -> None:
    path = fresh.joinpath(*entry.path.parts)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(text)
    except OSError as error:
        raise _refused(sha, f"{plain(entry.name, 80)} cannot be written: {error.strerror}") from None


def _replace(fresh: Path, to: Path) -> None:
    """`to` is the new tree, or still the old one; a kill between the two renames leaves none, and the next pass one."""
    if to.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{to.name}.", dir=to.parent))
        os.rename(to, old)
        os.rename(fresh, to)
        shutil.rmtree(old, ignore_errors=True)
    else:
        os.rename(fresh, to)


def _refused(sha: str, why: str, fix: str = "") -> SourceError:
    return SourceError(f"commit {sha[:12]} is not taken: {why}", fix)
