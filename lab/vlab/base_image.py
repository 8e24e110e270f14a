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
    ),
    *("openssh-server", "openssh-client", "netcat-openbsd", "iputils-ping", "firewalld", "nftables"),
    *("libvirt-daemon-system", "libvirt-clients", "qemu-system-x86", "qemu-utils", "virtinst"),
    *("glusterfs-client", "glusterfs-server"),
)
NFS_PACKAGES = ("nfs-common", "nfs-kernel-server")
LEAVE_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")


def flavour() -> str:
    """`nfs` where the kernel has an NFS client, else `glusterfs`, which needs FUSE only."""
    run("modprobe", "-q", "nfs", check=False)
    kinds = Path("/proc/filesystems").read_text().split()
    return "nfs" if "nfs" in kinds or "nfs4" in kinds else "glusterfs"


def packages() -> tuple[str, ...]:
    """What is installed in the image."""
    return (*PACKAGES, *(NFS_PACKAGES if flavour() == "nfs" else ()))


def path() -> Path:
    """Where the image of the present recipe lives, built or not."""
    recipe = "\n".join([SUITE, *packages(), (FILES / "image-setup.sh").read_text()])
    return CACHE / f"base-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def build() -> Path:
    """Make the image unless it is there; a half-made one never gets its final name."""
    return make(path(), packages(), ("image-setup.sh",))


def make(final: Path, included: tuple[str, ...], scripts: tuple[str, ...]) -> Path:
    """A root file system of those packages, after those scripts of `files/` ran in it."""
    if final.is_dir():
        return final
    making = final.with_name(final.name + ".making")
    shutil.rmtree(making, ignore_errors=True)
    with step(f"base image {final.name}: {len(included)} packages and what they need"):
        run(
            "mmdebstrap",
            "--variant=minbase",
            "--dpkgopt=force-unsafe-io",
            *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEAVE_OUT),
            f"--include={','.join(included)}",
            *(f"--customize-hook=copy-in {FILES / script} /tmp" for script in scripts),
            *(f'--customize-hook=chroot "$1" sh -eu /tmp/{script}' for script in scripts),
            SUITE,
            making,
            timeout=1200,
        )
        making.rename(final)
    return final
