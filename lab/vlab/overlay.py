"""A host's root: an overlay of its own writable layer on the shared base image.

It must not change the base image, and drops a writable layer only when told to.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from vlab.places import HostPlaces
from vlab.process import run


def mounted(path: Path) -> bool:
    """Whether something is mounted exactly there."""
    return str(path) in mounts()


def mounts() -> list[str]:
    """Every mount point of the machine, in the order of mounting."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line.split()[4].replace("\\040", " ") for line in lines]


def mount(base: Path, host: HostPlaces) -> None:
    """Put the root together unless it is."""
    for folder in (host.root, host.upper, host.work):
        folder.mkdir(parents=True, exist_ok=True)
    if not mounted(host.root):
        layers = f"lowerdir={base},upperdir={host.upper},workdir={host.work}"
        run("mount", "-t", "overlay", f"lab-{host.machine}", "-o", layers, host.root)


def unmount_below(folder: Path) -> None:
    """Take away every mount in a folder, the last one first."""
    for point in reversed(mounts()):
        inside = point == str(folder) or point.startswith(f"{folder}/")
        if inside and not run("umount", point, check=False).ok:
            run("umount", "-l", point)


def drop(host: HostPlaces) -> None:
    """Forget everything the host ever wrote; its SSH host key stays."""
    unmount_below(host.root)
    for folder in (host.upper, host.work, host.first, host.kept_states):
        shutil.rmtree(folder, ignore_errors=True)
