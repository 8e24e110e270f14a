"""Writes the files that make an overlay a particular host, before that host boots.

It must not need the host to run; what needs libvirt is done after boot by `first_state`.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from vlab.identity import public_key
from vlab.places import Places
from vlab.process import run
from vlab.topology import Host, Topology

LIBVIRTD = ("libvirtd.service", "libvirtd.socket", "libvirtd-ro.socket", "libvirtd-admin.socket")
SYSCTL = """net.bridge.bridge-nf-call-iptables = 0
net.bridge.bridge-nf-call-ip6tables = 0
net.bridge.bridge-nf-call-arptables = 0
net.ipv4.conf.all.arp_accept = 1
net.ipv4.conf.default.arp_accept = 1
"""
ZONE = """<?xml version="1.0" encoding="utf-8"?>
<zone>
  <short>{name}</short>
  <description>For use in public areas. Made by the lab as a copy of public.</description>
  <interface name="br0"/>
  <service name="ssh"/>
  <service name="dhcpv6-client"/>
  <service name="cockpit"/>
  <forward/>
</zone>
"""


def seed(topology: Topology, places: Places, host: Host, guest: Path) -> None:
    """All files of one host."""
    root = places.host(host.name).root
    for name, text in {**_common(topology, host), **_network(topology, host)}.items():
        write(root / name, text)
    _ssh(root, places, host)
    if host.role == "compute":
        write(root / f"etc/firewalld/zones/{topology.zone}.xml", ZONE.format(name=topology.zone))
        write(root / "etc/sysctl.d/90-lab.conf", SYSCTL)
        _boot_files(root, places, guest)
        run("systemctl", f"--root={root}", "enable", "-q", "firewalld.service", *LIBVIRTD)
    else:
        (root / "srv/bricks").mkdir(parents=True, exist_ok=True)
        run("systemctl", f"--root={root}", "disable", "-q", *LIBVIRTD, "firewalld.service")
        run("systemctl", f"--root={root}", "enable", "-q", "glusterd.service")


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """A file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def machine_id(topology: Topology, host: Host) -> str:
    """Stable for a host of a lab, different for all others."""
    return hashlib.md5(f"{topology.name}/{host.name}".encode(), usedforsecurity=False).hexdigest()


def _common(topology: Topology, host: Host) -> dict[str, str]:
    names = ["127.0.0.1 localhost", "::1 localhost ip6-localhost", f"{host.address} {host.fqdn} {host.name}"]
    if host.role != "storage":
        names.append(f"{topology.storage.address} {topology.storage.fqdn}")
    return {
        "etc/machine-id": machine_id(topology, host) + "\n",
        "etc/hostname": host.name + "\n",
        "etc/hosts": "\n".join(names) + "\n",
    }


def _network(topology: Topology, host: Host) -> dict[str, str]:
    digest = machine_id(topology, host)
    mac = f"02:77:{digest[0:2]}:{digest[2:4]}:{digest[4:6]}:{host.number:02x}"
    length = topology.subnet.prefixlen
    return {
        "etc/systemd/network/10-br0.netdev": (
            f"[NetDev]\nName=br0\nKind=bridge\nMACAddress={mac}\n[Bridge]\nSTP=no\nForwardDelaySec=0\n"
        ),
        "etc/systemd/network/20-host0.network": "[Match]\nName=host0\n[Network]\nBridge=br0\nLinkLocalAddressing=no\n",
        "etc/systemd/network/30-br0.network": (
            "[Match]\nName=br0\n[Link]\nRequiredForOnline=no\n"
            f"[Network]\nAddress={host.address}/{length}\nGateway={topology.gateway}\nLinkLocalAddressing=no\n"
        ),
    }


def _ssh(root: Path, places: Places, host: Host) -> None:
    key = places.host(host.name).ssh_key
    for suffix, mode in (("", 0o600), (".pub", 0o644)):
        write(root / f"etc/ssh/ssh_host_ed25519_key{suffix}", Path(str(key) + suffix).read_text(), mode)
    write(root / "root/.ssh/authorized_keys", public_key(places) + "\n", 0o600)
    (root / "root/.ssh").chmod(0o700)
    write(root / "etc/ssh/sshd_config.d/10-lab.conf", "UseDNS no\nPermitRootLogin prohibit-password\n")


def _boot_files(root: Path, places: Places, guest: Path) -> None:
    """Kernel and initramfs at the same path on every host, or the guest could not move."""
    boot = root / "var/lib/libvirt/boot"
    boot.mkdir(parents=True, exist_ok=True)
    boot.chmod(0o755)
    shutil.copy(guest / "vmlinuz", boot / "vmlinuz")
    shutil.copy(places.initrd, boot / "initrd.img")
    for file in boot.iterdir():
        file.chmod(0o644)
