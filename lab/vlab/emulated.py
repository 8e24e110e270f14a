"""Starts, finds and ends the QEMU process that is a host with its own kernel, and runs commands in it by ssh.

It must not use KVM, which may be there and still not run an ordinary guest, nor touch a process that it did not start.
"""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from vlab import emulated_image
from vlab.errors import LabError
from vlab.places import HostPlaces, Places
from vlab.process import Result, run
from vlab.seed import machine_id
from vlab.topology import Host, Topology

MEMORY = {"compute": 2560, "storage": 1024}
QEMU = (
    *("nice", "-n", "5", "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2"),
    *("-display", "none", "-no-user-config", "-nodefaults", "-rtc", "base=utc", "-device", "virtio-rng-pci"),
)
KERNEL = "root=/dev/vda rw console=ttyS0 quiet net.ifnames=0 panic=10 tsc=unstable mitigations=off apparmor=0 selinux=0"
PATIENCE = 900.0


def name(place: HostPlaces) -> str:
    """What tells this host's process from every other."""
    return f"lab-{place.machine}"


def monitor(place: HostPlaces) -> Path:
    return place.run / f"{place.host}.monitor"


def pid(place: HostPlaces) -> int | None:
    """The QEMU that this lab started, if it lives still; a recycled pid is told by its arguments."""
    try:
        found = int(place.pid.read_text())
        words = Path(f"/proc/{found}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return found if name(place).encode() in words else None


def start(topology: Topology, places: Places, host: Host, tree: Path) -> None:
    """Switch the machine on, in a session of its own, its console going to a file."""
    place = places.host(host.name)
    _tap(place, places.bridge)
    words = [
        *QEMU,
        *("-name", name(place), "-m", str(MEMORY[host.role]), "-uuid", _uuid(topology, host)),
        *("-kernel", str(emulated_image.kernel(tree)), "-initrd", str(emulated_image.initrd(tree)), "-append", KERNEL),
        *("-drive", f"file={emulated_image.disk(place)},format=qcow2,if=virtio,cache=unsafe,discard=unmap"),
        *("-netdev", f"tap,id=wire,ifname={place.veth},script=no,downscript=no"),
        *("-device", f"virtio-net-pci,netdev=wire,mac={emulated_image.mac(topology, host)}"),
        *("-serial", f"file:{place.console}", "-monitor", f"unix:{monitor(place)},server=on,wait=off"),
    ]
    with (place.state / "qemu.log").open("ab") as log:
        started = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, close_fds=True
        )
    place.pid.write_text(f"{started.pid}\n")


def inside(
    places: Places, host: Host, *argv: str, stdin: str | None = None, check: bool = True, timeout: float = 300
) -> Result:
    """Run a command in the host, as root, by ssh."""
    return run(*login(places, host), shlex.join(argv), stdin=stdin, check=check, timeout=timeout)


def login(places: Places, host: Host) -> list[str]:
    """The words of an ssh that trusts only the host's own key."""
    options = [
        "BatchMode=yes",
        "IdentitiesOnly=yes",
        "StrictHostKeyChecking=yes",
        "ConnectTimeout=60",
        "LogLevel=ERROR",
    ]
    options.append(f"UserKnownHostsFile={places.known_hosts}")
    words = ["ssh", "-F", "/dev/null", "-i", str(places.key)]
    return [*words, *(word for option in options for word in ("-o", option)), f"root@{host.address}"]


def wait_until_up(places: Places, host: Host, timeout: float = PATIENCE) -> str:
    """Wait for systemd's verdict; `degraded` is an answer too."""
    place, began = places.host(host.name), time.monotonic()
    while time.monotonic() < began + timeout:
        if pid(place) is None and time.monotonic() > began + 5:  # a process that becomes QEMU has no words for a moment
            break
        if _listens(host.address):
            said = inside(places, host, "systemctl", "is-system-running", "--wait", check=False).out.strip()
            if said in ("running", "degraded"):
                return said
        time.sleep(1)
    raise LabError(f"{place.machine} did not come up", f"read {place.console} and {place.state / 'qemu.log'}")


def stop(place: HostPlaces, timeout: float = 180) -> None:
    """Press the power button; cut the power if that does not help."""
    if pid(place) is not None:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.connect(str(monitor(place)))
            line.sendall(b"system_powerdown\n")
            _wait_for_the_end(place, timeout)
    cut_power(place)


def cut_power(place: HostPlaces) -> None:
    """End the host at once: first its link, so that nobody hears a farewell, then its process."""
    if Path(f"/sys/class/net/{place.veth}").exists():
        run("ip", "link", "set", place.veth, "down", check=False)
    victim = pid(place)
    if victim is not None:
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        _wait_for_the_end(place, 20)
    for file in (place.pid, monitor(place)):
        file.unlink(missing_ok=True)
    if Path(f"/sys/class/net/{place.veth}").exists():
        run("ip", "link", "delete", place.veth, check=False)


def _wait_for_the_end(place: HostPlaces, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while (found := pid(place)) is not None and time.monotonic() < deadline:
        with suppress(ChildProcessError):
            os.waitpid(found, os.WNOHANG)
        time.sleep(0.1)


def _tap(place: HostPlaces, bridge: str) -> None:
    if not Path(f"/sys/class/net/{place.veth}").exists():
        run("ip", "tuntap", "add", "dev", place.veth, "mode", "tap")
    run("ip", "link", "set", place.veth, "master", bridge, "up")


def _uuid(topology: Topology, host: Host) -> str:
    digest = machine_id(topology, host)
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]))


def _listens(address: str) -> bool:
    try:
        with socket.create_connection((address, 22), timeout=3):
            return True
    except OSError:
        return False
