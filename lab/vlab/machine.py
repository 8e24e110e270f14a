"""What the machine itself must offer, and the installation of the Debian packages that are missing.

It must not change the machine beyond those packages, kernel modules, and two settings which the last `down` restores.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vlab.errors import LabError
from vlab.places import CACHE, RUN, STATE
from vlab.process import run
from vlab.progress import step

TOOLS = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "systemctl": "systemd",
    "dnsmasq": "dnsmasq-base",
    "ip": "iproute2",
    "nft": "nftables",
    "nsenter": "util-linux",
    "mke2fs": "e2fsprogs",
    "depmod": "kmod",
    "ssh": "openssh-client",
    "openssl": "openssl",
    "faketime": "faketime",
}
NOTHING: Mapping[str, str] = {}
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
NODES = {"/dev/net/tun": "tun", "/dev/fuse": "fuse"}
USERFAULTFD = Path("/proc/sys/vm/unprivileged_userfaultfd")
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
ENOUGH = 1024
GIB = 1 << 30


@dataclass(frozen=True)
class Finding:
    """One thing looked at; a remedy is given when it is not fine."""

    what: str
    fine: bool
    seen: str
    remedy: str = ""


def missing_packages(more: Mapping[str, str] = NOTHING) -> list[str]:
    """Debian packages whose programs are not there."""
    wanted = {**TOOLS, **more}
    missing = sorted({package for tool, package in wanted.items() if shutil.which(tool, path=_path()) is None})
    return missing if KEYRING.exists() else [*missing, "debian-archive-keyring"]


def install(more: Mapping[str, str] = NOTHING) -> None:
    """Install what is missing."""
    need_root()
    missing = missing_packages(more)
    if not missing:
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with step(f"installing {' '.join(missing)}"):
        run("apt-get", "update", "-q", env=quiet)
        run("apt-get", "install", "-y", "-q", "--no-install-recommends", *missing, env=quiet, timeout=900)


def need_root() -> None:
    """Containers, mounts and bridges need root."""
    if os.geteuid() != 0:
        raise LabError("the lab needs root", "run it with sudo")


def allow_postcopy() -> None:
    """QEMU, which is not root, needs userfaultfd for a post-copy move; the setting is not a container's to change."""
    if USERFAULTFD.exists() and USERFAULTFD.read_text().strip() == "0":
        (RUN / "userfaultfd.before").write_text("0")
        USERFAULTFD.write_text("1")


def allow_watches() -> None:
    """Each host's systemd takes some 20 inotify instances of root's; with the usual 128 the third lab does not boot."""
    before = int(INOTIFY.read_text())
    if before < ENOUGH:
        CACHE.mkdir(parents=True, exist_ok=True)
        (CACHE / "inotify.before").write_text(str(before))
        INOTIFY.write_text(str(ENOUGH))


def leave_no_setting() -> None:
    """After the last lab is down, the machine is set as before."""
    if not RUN.is_dir() or any(entry.is_dir() for entry in RUN.iterdir()):
        return
    watches = CACHE / "inotify.before"
    if watches.exists():
        INOTIFY.write_text(watches.read_text())
        watches.unlink()
    before = RUN / "userfaultfd.before"
    if before.exists():
        USERFAULTFD.write_text(before.read_text())
        before.unlink()
    RUN.rmdir()


def examine(hosts: int) -> list[Finding]:
    """Everything `doctor` reports, for a lab of that many hosts."""
    return [_root(), _packages(), _cgroups(), *_kernel(), _forwarding(), *_room(hosts)]


def _root() -> Finding:
    return Finding("root", os.geteuid() == 0, f"uid {os.geteuid()}", "run it with sudo")


def _packages() -> Finding:
    missing = missing_packages()
    return Finding("packages", not missing, " ".join(missing) or "all there", f"apt-get install {' '.join(missing)}")


def _cgroups() -> Finding:
    v2 = "cgroup2" in Path("/proc/mounts").read_text()
    return Finding("cgroups", v2, "cgroup2 is mounted" if v2 else "no cgroup2", "mount -t cgroup2 none /sys/fs/cgroup")


def _kernel() -> list[Finding]:
    for module in ("overlay", "fuse", "tun", "bridge", "br_netfilter", "veth"):
        run("modprobe", "-q", module, check=False)
    kinds = Path("/proc/filesystems").read_text().split()
    found = [
        Finding(f"{name} file system", name in kinds, "known" if name in kinds else "unknown", f"modprobe {name}")
        for name in ("overlay", "fuse")
    ]
    for node, module in NODES.items():
        there = Path(node).exists()
        found.append(Finding(node, there, "there" if there else "missing", f"modprobe {module}"))
    bridge = Path("/proc/sys/net/bridge").exists()
    return [*found, Finding("bridge", bridge, "there" if bridge else "missing", "modprobe bridge br_netfilter")]


def _forwarding() -> Finding:
    """A machine that runs Docker drops what bridges forward."""
    rules = run("iptables", "-S", "FORWARD", check=False).out
    drops = "-P FORWARD DROP" in rules and Path("/proc/sys/net/bridge/bridge-nf-call-iptables").exists()
    return Finding(
        "bridged frames", not drops, "dropped by iptables" if drops else "pass", "iptables -I FORWARD -i rl-+ -j ACCEPT"
    )


def _room(hosts: int) -> list[Finding]:
    meminfo = Path("/proc/meminfo").read_text().splitlines()
    free = int(next(line for line in meminfo if line.startswith("MemAvailable:")).split()[1]) << 10
    need = hosts * GIB
    found = [Finding("memory", free >= need, f"{free / GIB:.1f} GiB free", f"{need // GIB} GiB for {hosts} hosts")]
    for folder in (CACHE, STATE):
        there = next(path for path in (folder, *folder.parents) if path.exists())
        space = shutil.disk_usage(there).free
        found.append(Finding(f"disk {folder}", space >= 4 * GIB, f"{space / GIB:.1f} GiB free", "free 4 GiB there"))
    return found


def _path() -> str:
    return os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
