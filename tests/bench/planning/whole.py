"""The whole command at scale: 10,000 VMs on 1,000 hosts as files, drained by `plan --snapshot` in a process of its own.

Every host and every VM is a file of specs, and the snapshot is as `reconciler snapshot` writes it. Measures; judges
nothing.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from reconciler.engine.codec import dump_snapshot
from reconciler.model.ref import Place
from reconciler.model.snapshot import Snapshot
from tests.worlds import world

GIB = 2**30
PATTERN = "two_VMs_change_places"
HEAD = "apiVersion: reconciler/v1alpha1\nkind: "
POOL = (
    "{hosts: all, type: netfs, source: {host: nas.vpd.com, dir: /comp, format: glusterfs}, shared: true,"
    " target: /var/lib/libvirt/images/COMPARTIDO, autostart: true, minFree: 256MiB}"
)


@dataclass(frozen=True)
class Cost:
    """CPU seconds and MiB at most of one process, and its last line."""

    seconds: float
    memory: float
    said: str


def planned(folder: Path) -> Cost:
    """One run of the command; raises RuntimeError where it does not end with changes pending."""
    argv = [sys.executable, "-m", "reconciler", "plan", "specs", "--snapshot", "snapshot.json", "--detailed-exitcode"]
    own = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    with (folder / "said.txt").open("w", encoding="utf-8") as out:
        process = subprocess.Popen(argv, cwd=folder, env=own, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    said = (folder / "said.txt").read_text(encoding="utf-8").splitlines()
    if os.waitstatus_to_exitcode(status) != 2:
        raise RuntimeError(f"the command failed: {said[-1:]}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said[-1])


def write(folder: Path, hosts: int, vms: int, drain: int) -> None:
    """Half of the VMs name their host, half have a policy; the first `drain` hosts are in maintenance."""
    rng = Random(1)
    names = [f"h{number:04}" for number in range(hosts)]
    (folder / "specs").mkdir(parents=True)
    _specs(folder, "fleet", "Fleet", "vpd", "{limits: {moves: 1000}, defaults: {migration: {encrypt: off}}}")
    _specs(folder, "pool", "StoragePool", "CONT_VOL_COMP", POOL)
    address = {name: f"10.{n // 62500}.{n // 250 % 250}.{n % 250 + 1}" for n, name in enumerate(names)}
    for number, name in enumerate(names):
        away = ", maintenance: true" if number < drain else ""
        fields = f"fqdn: {name}.vpd.com, address: {address[name]}, reserve: {{memory: 1GiB}}"
        _specs(folder, name, "Host", name, f"{{{fields}{away}}}")
    objects, free = _hosts(address), dict.fromkeys(names, 64)
    domain = world(PATTERN).seen.objects[Place("vm", "lq-d25", "mvp4_lqd25")]
    for number in range(vms):
        size = rng.choice((2, 4, 4))
        host = rng.choice([name for name in rng.sample(names, 20) if free[name] >= size + 16])
        free[host] -= size
        disk = replace(domain.disks[0], path=domain.disks[0].path.replace("p4", f"v{number}"))
        nic = replace(domain.nics[0], mac=f"52:54:00:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}")
        own = {"uuid": f"00000000-0000-4000-8000-{number:012d}", "memory": size * GIB, "fleet": "vpd"}
        objects[Place("vm", host, f"v{number:05}")] = replace(domain, disks=(disk,), nics=(nic,), **own)
        where = "{hosts: all}" if number % 2 else f"{{host: {host}}}"
        _specs(folder, f"v{number:05}", "VirtualMachine", f"v{number:05}", f"{{placement: {where}, power: running}}")
    text = json.dumps(dump_snapshot(Snapshot(1_795_000_000, objects)))
    (folder / "snapshot.json").write_text(text, encoding="utf-8")


def _specs(folder: Path, file: str, kind: str, name: str, spec: str) -> None:
    text = f"{HEAD}{kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"
    (folder / "specs" / f"{file}.yaml").write_text(text, encoding="utf-8")


def _hosts(address: dict[str, str]) -> dict[Place, object]:
    """Each as the pattern's second host, with a name and an address of its own, and all names in its /etc/hosts."""
    seen, found = world(PATTERN).seen, dict[Place, object]()
    block = tuple(sorted((ip, f"{name}.vpd.com") for name, ip in address.items()))
    resolves = {f"{name}.vpd.com": ip for name, ip in address.items()}
    for place, state in seen.objects.items():
        if place.host == "lq-d26" and place.kind != "vm":
            for name, ip in address.items():
                at = Place(place.kind, name, name if place.name == place.host else place.name)
                match place.kind:
                    case "host":
                        own = {"static_name": name, "fqdn": f"{name}.vpd.com", "block": block, "resolves": resolves}
                        found[at] = replace(state, **own)
                    case "room":
                        found[at] = replace(state, memory=65 * GIB)
                    case "gate":
                        found[at] = replace(state, address=ip)
                    case _:
                        found[at] = state
    return found
