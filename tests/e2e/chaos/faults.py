"""What may go wrong in one step of a random walk; each strikes once and can be healed. Judges nothing."""

import signal
import time
from collections.abc import Callable, Mapping
from random import Random
from subprocess import Popen

from tests.e2e.hosts import LabHost, lab

Strike = Callable[["Popen[str]", LabHost], None]


def _nothing(process: "Popen[str]", host: LabHost) -> None:
    pass


def _kill(process: "Popen[str]", host: LabHost) -> None:
    process.kill()


def _interrupt(process: "Popen[str]", host: LabHost) -> None:
    process.send_signal(signal.SIGINT)


def _cut(process: "Popen[str]", host: LabHost) -> None:
    lab("cut", "lq-d25", "lq-d26")
    time.sleep(4)
    lab("heal")


def _inside(script: str) -> Strike:
    def strike(process: "Popen[str]", host: LabHost) -> None:
        host.do("sh", "-c", script)

    return strike


# What came by a migration once keeps `-incoming` in its command line for good: only what waits for memory is paused.
_KILL_INCOMING = 'for d in $(virsh list --state-paused --name); do kill -9 $(pgrep -f "[g]uest=$d,"); done'
FAULTS: Mapping[str, tuple[int, Strike]] = {
    "nothing": (3, _nothing),
    "kill -9 of the reconciler": (6, _kill),
    "Ctrl-C": (2, _interrupt),
    "link cut for 4 s": (2, _cut),
    "libvirtd killed": (2, _inside("systemctl kill -s KILL --kill-whom=main libvirtd")),
    "incoming QEMU killed": (2, _inside(_KILL_INCOMING)),
    "firewalld reloaded": (1, _inside("firewall-cmd --reload")),
    "runtime made permanent": (1, _inside("firewall-cmd --runtime-to-permanent")),
    "sshd restarted": (1, _inside("systemctl restart ssh sshd 2>/dev/null")),
}


def pick(random: Random) -> tuple[str, Strike]:
    """One fault, by weight."""
    name = random.choices(list(FAULTS), [weight for weight, _ in FAULTS.values()])[0]
    return name, FAULTS[name][1]
