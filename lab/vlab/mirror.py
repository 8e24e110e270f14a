"""Makes one folder tree equal to another, touching only what differs.

It must not follow links nor cross into another file system.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path


def copy(source: Path, target: Path) -> int:
    """Make `target` equal to `source`; answers how many entries were changed or removed."""
    if not target.exists():
        target.mkdir(parents=True)
    changed = _same_folder(source, target)
    _attributes(source.lstat(), target)
    return changed


def _same_folder(source: Path, target: Path) -> int:
    changed = 0
    wanted = {entry.name: entry for entry in os.scandir(source)}
    for entry in list(os.scandir(target)):
        if entry.name not in wanted:
            _remove(Path(entry.path))
            changed += 1
    for name, entry in wanted.items():
        changed += _same_entry(Path(entry.path), target / name)
    return changed


def _same_entry(source: Path, target: Path) -> int:
    want = source.lstat()
    have = target.lstat() if os.path.lexists(target) else None
    if have is not None and stat.S_IFMT(have.st_mode) != stat.S_IFMT(want.st_mode):
        _remove(target)
        have = None
    if stat.S_ISDIR(want.st_mode):
        if have is None:
            target.mkdir()
        changed = _same_folder(source, target)
    elif have is not None and _alike(want, have, source, target):
        return 0
    elif stat.S_ISLNK(want.st_mode):
        target.unlink(missing_ok=True)
        target.symlink_to(os.readlink(source))
        changed = 1
    elif stat.S_ISREG(want.st_mode):
        fresh = target.with_name(f".lab-{target.name}")
        shutil.copyfile(source, fresh)
        _attributes(want, fresh)
        fresh.rename(target)
        return 1
    else:
        return 0
    if not stat.S_ISLNK(want.st_mode):
        _attributes(want, target)
    return changed


def _alike(want: os.stat_result, have: os.stat_result, source: Path, target: Path) -> bool:
    if stat.S_ISLNK(want.st_mode):
        return os.readlink(source) == os.readlink(target)
    return _marks(want) == _marks(have)


def _marks(seen: os.stat_result) -> tuple[int, ...]:
    return (seen.st_mode, seen.st_uid, seen.st_gid, seen.st_size, seen.st_mtime_ns)


def _attributes(want: os.stat_result, target: Path) -> None:
    have = target.lstat()
    if (have.st_uid, have.st_gid) != (want.st_uid, want.st_gid):
        os.chown(target, want.st_uid, want.st_gid)
    if stat.S_IMODE(have.st_mode) != stat.S_IMODE(want.st_mode):
        target.chmod(stat.S_IMODE(want.st_mode))
    if have.st_mtime_ns != want.st_mtime_ns:
        os.utime(target, ns=(want.st_atime_ns, want.st_mtime_ns))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
