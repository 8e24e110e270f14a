"""The product installed on a host as a service: the running Python's packages, the shipped units, a user of its own.

What `pip install` would fetch is carried over from here, since a lab's hosts reach no package index.
"""

import io
import re
import sysconfig
import tarfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

from tests.e2e.hosts import ROOT, RUN, LabHost

HOME = "/opt/reconciler/.venv"
_SITE = f"{HOME}/lib/python3.11/site-packages"
_PROGRAM = f"#!{HOME}/bin/python\nfrom reconciler.__main__ import main\nmain()\n"


def install(host: LabHost) -> None:
    """As docs/guides/first-repository.md says, with the packages carried over instead of fetched."""
    host.sh(f"python3 -m venv --without-pip {HOME}")
    unpack(host, _SITE, packages())
    unpack(host, f"{HOME}/bin", {"reconciler": _PROGRAM.encode()}, mode=0o755)
    units = {path.name: path.read_bytes() for path in (ROOT / "packaging/systemd").glob("reconciler*.*")}
    unpack(host, "/etc/systemd/system", {name: data for name, data in units.items() if "/" not in name})
    host.sh("useradd --system --create-home --home-dir /var/lib/reconciler reconciler; mkdir -p /etc/reconciler")
    unpack(host, "/etc/reconciler", {"host_key": (RUN / "id_ed25519").read_bytes()}, mode=0o600)
    unpack(host, "/etc/reconciler", {"known_hosts": (RUN / "known_hosts").read_bytes()})
    host.out("systemctl", "daemon-reload")


def unpack(host: LabHost, folder: str, files: dict[str, bytes], mode: int = 0o644) -> None:
    """Those files below that folder of the host, root's."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))
    host.feed(["tar", "-x", "-C", folder], packed.getvalue())


def packages() -> dict[str, bytes]:
    """Every file of the product and of what it needs at run time, by its path below site-packages."""
    files = {str(path.relative_to(ROOT)): path.read_bytes() for path in _sources(ROOT / "reconciler")}
    site = Path(sysconfig.get_path("platlib"))
    for dist in _needed("reconciler", {"libvirt"}, {}).values():
        for name in dist.files or ():
            path = Path(str(dist.locate_file(name))).resolve()
            if path.is_relative_to(site) and path.is_file() and path.suffix != ".pyc":
                files[str(path.relative_to(site))] = path.read_bytes()
    return files


def _sources(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def _needed(name: str, extras: set[str], found: dict[str, Distribution]) -> dict[str, Distribution]:
    """The distribution and, one below the other, what it requires here."""
    name = re.sub(r"[-_.]+", "-", name).lower()
    if name in found:
        return found
    found[name] = distribution(name)
    for line in found[name].requires or ():
        wanted = Requirement(line)
        if wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in ({""} | extras)):
            _needed(wanted.name, wanted.extras, found)
    return found
