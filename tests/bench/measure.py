"""The three measurements: a live move, a plan with nothing to do, a clone. Each side runs in turn, in the same run."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.bench.stopwatch import median, seconds, spread
from tests.e2e.hosts import POOL, RUN, LabHost, hosts
from tests.e2e.user import User

VM = "mvp4_lqd25"
RECONCILER = str(Path(sys.executable).parent / "reconciler")
CLONE_GIB = 4


@dataclass(frozen=True)
class Row:
    """One line of the table; `held` says whether the limit was kept."""

    what: str
    ours: str
    theirs: str
    ratio: str
    limit: str
    held: bool


def _last_beat(host: LabHost) -> int:
    text = host.do("tail", "-n", "3", f"/var/log/libvirt/qemu/{VM}-heartbeat.log").stdout
    return int(re.findall(r"^(\d+) \d+\s*$", text, re.M)[-1])


def _place(user: User, there: str) -> None:
    path = user.folder / "vms.yaml"
    path.write_text(re.sub(r"placement: \{host: lq-d2[56]\}", f"placement: {{host: {there}}}", path.read_text()))


def live_move(user: User, rounds: int) -> list[Row]:
    """Whole commands: `apply` against the script of the practice, both in both directions."""
    known = hosts()
    there, here = known["lq-d26"], known["lq-d25"]
    ours: list[float] = []
    theirs: list[float] = []
    gaps: dict[str, list[float]] = {"ours": [], "theirs": []}
    for turn in range(2 * rounds):
        mine = turn % 4 in (0, 3)
        began = _last_beat(here)
        if mine:
            _place(user, there.name)
            ours.append(seconds([RECONCILER, "apply", str(user.folder), "--yes"]))
        else:
            script = str(Path(__file__).with_name("by_hand.sh"))
            keys = [str(RUN / "id_ed25519"), str(RUN / "known_hosts")]
            theirs.append(seconds([script, *keys, VM, here.address, there.address, there.fqdn]))
        _place(user, there.name)
        gaps["ours" if mine else "theirs"].append(_silence(here, there, began))
        here, there = there, here
    ratio, quiet = median(ours) / median(theirs), median(gaps["ours"]) / max(1.0, median(gaps["theirs"]))
    return [
        Row(
            "one live move, whole command",
            spread(ours),
            f"shell script {spread(theirs)}",
            f"{ratio:.2f}",
            "1.25",
            ratio <= 1.25,
        ),
        Row(
            "longest silence of the guest's heartbeat",
            f"{median(gaps['ours']):.0f} ms",
            f"shell script {median(gaps['theirs']):.0f} ms",
            f"{quiet:.2f}",
            "1.00, noise 10 %",
            quiet <= 1.1,
        ),
    ]


def _silence(origin: LabHost, arrival: LabHost, began: int) -> float:
    """Beats before and after the move, joined: the gap between two hosts' files counts too."""
    text = "".join(h.do("cat", f"/var/log/libvirt/qemu/{VM}-heartbeat.log").stdout for h in (origin, arrival))
    found = {int(a): int(b) for a, b in re.findall(r"^(\d+) (\d+)\s*$", text, re.M) if int(a) >= began}
    times = [found[number] for number in sorted(found)]
    return max((b - a for a, b in pairwise(times)), default=0)


def idle_plan(user: User, rounds: int) -> list[Row]:
    """`plan` of two hosts with nothing to do."""
    times = [seconds([RECONCILER, "plan", str(user.folder), "--detailed-exitcode"]) for _ in range(rounds)]
    return [Row("plan with nothing to do, two hosts", spread(times), "-", "-", "1.5 s", median(times) < 1.5)]


def clone(user: User, rounds: int) -> list[Row]:
    """A clone of a disk of random data into the shared pool: `apply` against virt-clone."""
    host = hosts()["lq-d25"]
    _fat_base(host)
    user.write("fat.yaml", FAT)
    ours: list[float] = []
    theirs: list[float] = []
    for turn in range(2 * rounds):
        host.sh("sync", timeout=600)
        if turn % 4 in (0, 3):
            ours.append(seconds([RECONCILER, "apply", str(user.folder), "--yes", "--target", "vm/fat-copy"]))
        else:
            theirs.append(_virt_clone(host))
        host.sh("virsh undefine fat-copy; virsh vol-delete --pool CONT_VOL_COMP fat-copy.qcow2")
    (user.folder / "fat.yaml").unlink()
    ratio = median(ours) / median(theirs)
    what = f"clone of {CLONE_GIB} GiB into the shared pool, whole command"
    return [Row(what, spread(ours), f"virt-clone {spread(theirs)}", f"{ratio:.2f}", "1.10", ratio <= 1.1)]


def _fat_base(host: LabHost) -> None:
    disk = "/var/lib/libvirt/images/fat.qcow2"
    raw = "/var/tmp/fat.raw"
    host.sh(f"head -c {CLONE_GIB}G /dev/urandom >{raw}; qemu-img convert -O qcow2 {raw} {disk}; rm {raw}", timeout=600)
    host.sh(
        "virsh pool-refresh default; virsh dumpxml --inactive mvp1 | sed 's/mvp1/fat/g; /<uuid>/d; "
        "s/52:54:00:77:00:01/52:54:00:77:00:77/' >/tmp/fat.xml; virsh define /tmp/fat.xml"
    )


def _virt_clone(host: LabHost) -> float:
    command = f"virt-clone --original fat --name fat-copy --file {POOL}/fat-copy.qcow2 --mac 52:54:00:77:00:78"
    ssh = ["ssh", "-i", str(RUN / "id_ed25519"), "-o", f"UserKnownHostsFile={RUN}/known_hosts", f"root@{host.address}"]
    return seconds([*ssh, command])


FAT = """apiVersion: reconciler/v1alpha1
kind: VirtualMachine
metadata: {name: fat-copy}
spec:
  placement: {host: lq-d25}
  source:
    clone:
      from: fat
      disks: [{target: vda, pool: CONT_VOL_COMP, volume: fat-copy.qcow2}]
"""
MEASURES: tuple[Callable[[User, int], list[Row]], ...] = (idle_plan, live_move, clone)
