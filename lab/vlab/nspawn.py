"""Starts, finds and ends the container that is a host, and runs commands in it.

It must not use machined or a host's own network: the way in stays open when sshd or the firewall is down.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from vlab.errors import LabError
from vlab.places import HostPlaces
from vlab.process import Result, run

CGROUPS = Path("/sys/fs/cgroup")
NSPAWN = (
    *("systemd-nspawn", "--quiet", "--settings=no", "--register=no", "--keep-unit", "--boot"),
    *("--capability=all", "--system-call-filter=userfaultfd", "--private-network", "--kill-signal=SIGRTMIN+4"),
    *("--resolv-conf=off", "--timezone=off", "--link-journal=no", "--bind=/dev/net/tun", "--bind=/dev/fuse"),
)


def supervisor(host: HostPlaces) -> int | None:
    """The nspawn process that this lab started, if it lives still; a recycled pid is told by its arguments."""
    try:
        pid = int(host.pid.read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if f"--machine={host.machine}".encode() in words else None


def leader(host: HostPlaces) -> int | None:
    """Pid 1 of the host, seen from outside."""
    pid = supervisor(host)
    if pid is None:
        return None
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for child in children:
            status = Path(f"/proc/{child}/status").read_text()
            if next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[2:] == ["1"]:
                return int(child)
    except (OSError, StopIteration):
        return None
    return None


def start(host: HostPlaces, bridge: str, uuid: str, binds: list[str]) -> None:
    """Boot the host in a session and control group of its own, its console going to a file."""
    shutil.rmtree(host.root / "run/systemd", ignore_errors=True)
    words = [
        *NSPAWN,
        f"--directory={host.root}",
        f"--machine={host.machine}",
        f"--uuid={uuid}",
        f"--network-veth-extra={host.veth}:host0",
        *(f"--bind={bind}" for bind in binds),
    ]
    groups = _own_cgroups(host)
    if not groups:
        words = ["systemd-run", "--scope", "--quiet", "-p", "Delegate=yes", f"--unit=lab-{host.machine}", *words]
    join = " ".join(f"echo $$ > {group}/cgroup.procs;" for group in groups)
    environment = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
    with host.console.open("ab") as console:
        started = subprocess.Popen(
            ["sh", "-c", f'{join} exec "$@"', "sh", *words],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            start_new_session=True,
            env=environment,
        )
    host.pid.write_text(f"{started.pid}\n")
    _attach(host, bridge)


def _own_cgroups(host: HostPlaces) -> list[Path]:
    """Groups of its own in each hierarchy where no systemd manages them; none where one does."""
    if Path("/run/systemd/system").is_dir():
        return []
    made = [root / host.cgroup for root in _cgroup_roots()]
    for group in made:
        group.mkdir(parents=True, exist_ok=True)
    return made


def _cgroup_roots() -> list[Path]:
    if (CGROUPS / "unified").is_dir():
        return [root for root in (CGROUPS / "systemd", CGROUPS / "unified") if root.is_dir()]
    return [CGROUPS]


def _attach(host: HostPlaces, bridge: str) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if Path(f"/sys/class/net/{host.veth}").exists():
            run("ip", "link", "set", host.veth, "master", bridge, "up")
            return
        if supervisor(host) is None and time.monotonic() > deadline - 13:
            break
        time.sleep(0.05)
    raise LabError(f"{host.machine} did not start", f"read {host.console}")


def inside(host: HostPlaces, *argv: str, stdin: str | None = None, check: bool = True, timeout: float = 120) -> Result:
    """Run a command in the host without its network."""
    pid = leader(host)
    if pid is None:
        raise LabError(f"{host.machine} does not run", f"lab/lab boot {host.host}")
    clean = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"]
    return run("nsenter", "-t", str(pid), "-a", *clean, *argv, stdin=stdin, check=check, timeout=timeout)


def wait_until_up(host: HostPlaces, timeout: float = 90) -> str:
    """Wait for systemd's verdict; `degraded` is an answer too."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if leader(host) is not None:
            said = inside(host, "systemctl", "is-system-running", check=False, timeout=10).out.strip()
            if said in ("running", "degraded"):
                return said
        elif supervisor(host) is None:
            break
        time.sleep(0.2)
    raise LabError(f"{host.machine} did not come up", f"read {host.console}, or lab/lab logs {host.host}")


def stop(host: HostPlaces, timeout: float = 20) -> None:
    """Shut the host down in order; cut its power if it does not go."""
    pid = supervisor(host)
    first = leader(host)
    if pid is not None and first is not None:
        os.kill(first, signal.SIGRTMIN + 4)
        deadline = time.monotonic() + timeout
        while supervisor(host) is not None and time.monotonic() < deadline:
            _reap(pid)
            time.sleep(0.1)
    cut_power(host)


def cut_power(host: HostPlaces) -> None:
    """End the host at once: first its link, so that nobody hears a farewell, then its processes."""
    if Path(f"/sys/class/net/{host.veth}").exists():
        run("ip", "link", "set", host.veth, "down", check=False)
    pid = supervisor(host)
    first = leader(host)
    for victim in (first, pid):
        if victim is not None:
            _end(victim)
    host.pid.unlink(missing_ok=True)
    run("ip", "link", "delete", host.veth, check=False)
    _remove_cgroups(host)


def _end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        _reap(pid)
        time.sleep(0.02)


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def _remove_cgroups(host: HostPlaces) -> None:
    for root in _cgroup_roots():
        group = root / host.cgroup
        for folder in sorted((path for path in group.rglob("*") if path.is_dir()), key=lambda path: -len(path.parts)):
            _rmdir(folder)
        for folder in (group, group.parent, group.parent.parent):
            _rmdir(folder)


def _rmdir(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return
