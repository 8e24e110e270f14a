"""Builds the root file system that every host of every lab is an overlay on.

It must not contain anything of one lab: no key, no name, no address.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from vlab.places import CACHE, FILES
from vlab.process import run
from vlab.progress import step

SUITE = "bookworm"
"""Debian's, unless a lab says another."""
PACKAGES = (
    *(
        "systemd",
        "systemd-sysv",
        "dbus",
        "iproute2",
        "procps",
        "util-linux",
        "hostname",
        "kmod",
        "netbase",
        "sudo",
        "less",
        "git",
    ),
    *("openssh-server", "openssh-client", "netcat-openbsd", "iputils-ping", "firewalld", "nftables"),
    *("libvirt-daemon-system", "libvirt-clients", "qemu-system-x86", "qemu-utils", "virtinst"),
    *("glusterfs-client", "glusterfs-server"),
)
STABLE = ("bookworm", "trixie")
TESTING = ('--aptopt=Acquire::Check-Valid-Until "false"',)
"""A mirror may keep testing for longer than its signature says; who signed it is checked all the same."""
_APART = ("libvirt-daemon-lock", "libvirt-daemon-plugin-lockd")
MORE_PACKAGES = {"trixie": _APART, "forky": _APART}
"""What a suite has in packages of their own."""
NFS_PACKAGES = ("nfs-common", "nfs-kernel-server")
LEAVE_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")


def flavour() -> str:
    """`nfs` where the kernel has an NFS client, else `glusterfs`, which needs FUSE only."""
    run("modprobe", "-q", "nfs", check=False)
    kinds = Path("/proc/filesystems").read_text().split()
    return "nfs" if "nfs" in kinds or "nfs4" in kinds else "glusterfs"


def packages(suite: str = SUITE) -> tuple[str, ...]:
    """What is installed in the image."""
    return (*PACKAGES, *MORE_PACKAGES.get(suite, ()), *(NFS_PACKAGES if flavour() == "nfs" else ()))


def path(suite: str = SUITE) -> Path:
    """Where the image of the present recipe lives, built or not; each suite has its own."""
    recipe = "\n".join([suite, *packages(suite), (FILES / "image-setup.sh").read_text()])
    return CACHE / f"base-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def build(suite: str = SUITE) -> Path:
    """Make the image unless it is there; a half-made one never gets its final name."""
    return make(path(suite), packages(suite), ("image-setup.sh",), suite)


def make(final: Path, included: tuple[str, ...], scripts: tuple[str, ...], suite: str = SUITE) -> Path:
    """A root file system of those packages of that suite, after those scripts of `files/` ran in it."""
    if final.is_dir():
        return final
    making = final.with_name(final.name + ".making")
    shutil.rmtree(making, ignore_errors=True)
    with step(f"base image {final.name} of {suite}: {len(included)} packages and what they need"):
        run(
            "mmdebstrap",
            "--variant=minbase",
            "--dpkgopt=force-unsafe-io",
            *(TESTING if suite not in STABLE else ()),
            *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEAVE_OUT),
            f"--include={','.join(included)}",
            *(f"--customize-hook=copy-in {FILES / script} /tmp" for script in scripts),
            *(f'--customize-hook=chroot "$1" sh -eu /tmp/{script}' for script in scripts),
            suite,
            making,
            timeout=1200,
        )
        making.rename(final)
    return final
