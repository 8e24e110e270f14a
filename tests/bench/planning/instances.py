"""Public instances as Problems: BtrPlace's TDSC (placement at scale) and mVM's (timetables for given targets).

Reads the files where they are, /work/shared/instances or PLANNING_INSTANCES; nothing of them is kept in this project.
"""

import gzip
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reconciler.placement.problem import Dirty, Gather, Guest, Host, Limits, Problem, Rule, Spread

ROOT = Path(os.environ.get("PLANNING_INSTANCES", "/work/shared/instances"))


def tdsc_files() -> list[Path]:
    return sorted((ROOT / "tdsc").glob("*.json.gz"))


def testbed_files() -> list[Path]:
    return sorted((ROOT / "mvm/testbed").glob("random.*.json"), key=lambda path: int(path.name.split(".")[1]))


def tdsc(path: Path) -> Problem:
    """`preserve` is what a VM needs from now on; `among` gathers over its parts; offline hosts are left out."""
    with gzip.open(path) as file:
        told = json.load(file)
    nodes = told["model"]["mapping"]["onlineNodes"]
    views = {view["rcId"]: view for view in told["model"]["views"] if "rcId" in view}
    memory, cpu = views["memory"], views["uCpu"]
    rules, grown, labels = _rules(told["constraints"])
    hosts = tuple(Host(_host(n), memory["nodes"][n], cpu["nodes"][n], labels.get(int(n), {})) for n in nodes)
    at = {vm: _host(node) for node, on in nodes.items() for vm in on["runningVMs"]}
    at |= dict.fromkeys(told["model"]["mapping"]["readyVMs"], "")
    guests = tuple(
        Guest(_vm(vm), memory["vms"][str(vm)], grown.get(vm, cpu["vms"][str(vm)]), place, dirty=Dirty(5, 2, 0))
        for vm, place in at.items()
    )
    return Problem(hosts, guests, rules=tuple(rules))


def _rules(told: list[dict[str, Any]]) -> tuple[list[Rule], dict[int, int], dict[int, dict[str, str]]]:
    rules: list[Rule] = []
    grown: dict[int, int] = {}
    labels: dict[int, dict[str, str]] = {}
    known: dict[str, str] = {}
    for one in told:
        match one["id"]:
            case "preserve":
                grown[one["vm"]] = one["amount"]
            case "spread":
                rules.append(Spread(tuple(_vm(vm) for vm in one["vms"]), always=one["continuous"]))
            case "among":
                parts = sorted(sorted(part) for part in one["parts"])
                key = str(parts)
                if key not in known:
                    known[key] = f"parts{len(known)}"
                    for number, part in enumerate(parts):
                        for node in part:
                            labels.setdefault(node, {})[known[key]] = f"p{number:02}"
                rules.append(Gather(tuple(_vm(vm) for vm in one["vms"]), known[key]))
            case "online" | "offline" | "running":
                pass
            case other:
                raise ValueError(f"not known: {other}")
    return rules, grown, labels


def _host(number: object) -> str:
    return f"n{int(str(number)):05}"


def _vm(number: object) -> str:
    return f"v{int(str(number)):05}"


def testbed(path: Path) -> tuple[Problem, int]:
    """Four hosts, ten VMs, all move to where mVM's own plan put them; and that plan's seconds."""
    told = json.loads(path.read_text(encoding="utf-8"))
    actions, origin = told["actions"], told["origin"]
    link: dict[int, int] = {}
    for action in actions:
        for end in (action["from"], action["to"]):
            link[end] = max(link.get(end, 0), action["bw"])
    targets = {action["vm"]: action["to"] for action in actions}
    return _mvm(origin, targets, link), max(action["end"] for action in actions)


def scale(family: str, limit: int) -> Iterator[tuple[str, Problem]]:
    """Instances of mVM's infrastructure family, such as x10, in order; 1 Gbit/s for every host."""
    with tarfile.open(ROOT / "mvm/random_infra_scale.tar.xz") as tar:
        members = [m for m in tar.getmembers() if f"/{family}/" in m.name and m.name.endswith(".json")]
        for member in sorted(members, key=lambda m: int(m.name.split("_")[-1].split(".")[0]))[:limit]:
            file = tar.extractfile(member)
            if file is not None:
                told = json.load(file)
                targets = {one["vm"]: one["nodes"][0] for one in told["constraints"] if one["id"] == "fence"}
                yield member.name, _mvm(told["model"], targets, {})


def _mvm(told: dict[str, Any], targets: dict[int, int], link: dict[int, int]) -> Problem:
    views = {view["rcId"]: view for view in told["views"] if "rcId" in view}
    vms = told["attributes"]["vms"]
    online = told["mapping"]["onlineNodes"]
    hosts = tuple(
        Host(_host(n), views["mem"]["nodes"][n] * 1000, views["cpu"]["nodes"][n], link=link.get(int(n), 1000))
        for n in online
    )
    guests = []
    for node, on in online.items():
        for vm in on["runningVMs"]:
            has = vms[str(vm)]
            dirty = Dirty(
                has.get("maxDirtySize", has.get("hotDirtySize")),
                has.get("maxDirtyDuration", has.get("hotDirtyDuration")),
                int(has.get("dirtyRate", has.get("coldDirtyRate"))),
            )
            need = views["cpu"]["vms"][str(vm)]
            to = _host(targets[vm]) if vm in targets else ""
            guests.append(Guest(_vm(vm), has["memUsed"], need, _host(node), to=to, dirty=dirty))
    return Problem(hosts, tuple(guests), limits=Limits(moves_in=0, moves_out=0))
