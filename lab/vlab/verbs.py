"""The verbs of the lab: name, one line of help, arguments, and the function that does it.

It must not hold more than the few lines that connect a verb to the module that knows how.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from vlab import certificates, faults, identity, kept, lifecycle, machine, report, reset, ways_in
from vlab.places import Places
from vlab.topology import Topology


@dataclass(frozen=True)
class Lab:
    """What a verb gets: the lab and the options."""

    topology: Topology
    places: Places
    options: argparse.Namespace


@dataclass(frozen=True)
class Verb:
    """How a verb is offered on the command line."""

    help: str
    run: Callable[[Lab], int]
    arguments: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = field(default=())


def _up(lab: Lab) -> int:
    lifecycle.up(lab.topology, lab.places)
    print(report.table(lab.topology, lab.places))
    return 0


def _build(lab: Lab) -> int:
    base, guest = lifecycle.build(lab.topology.suite)
    print(f"{base}\n{guest}")
    return 0


def _down(lab: Lab) -> int:
    machine.need_root()
    purge = lab.options.purge or lab.options.images
    lifecycle.down(lab.topology, lab.places, purge=purge, images=lab.options.images)
    return 0


def _reset(lab: Lab) -> int:
    machine.need_root()
    if lab.options.hard:
        reset.hard(lab.topology, lab.places)
    else:
        reset.reset(lab.topology, lab.places, lab.options.to)
    return 0


def _keep(lab: Lab) -> int:
    machine.need_root()
    kept.keep(lab.topology, lab.places, lab.options.state)
    return 0


def _status(lab: Lab) -> int:
    rows = report.rows(lab.topology, lab.places)
    as_json = lab.options.output == "json"
    print(json.dumps([row.__dict__ for row in rows], indent=2) if as_json else report.table(lab.topology, lab.places))
    return 0 if all(row.systemd == "running" for row in rows) else 1


def _doctor(lab: Lab) -> int:
    findings = machine.examine(len(lab.topology.hosts))
    for found in findings:
        print(f"{'ok  ' if found.fine else 'FAIL'}  {found.what:<28} {found.seen}")
        if not found.fine:
            print(f"      remedy: {found.remedy}")
    return 0 if all(found.fine for found in findings) else 1


def _pool_spec(lab: Lab) -> int:
    print(json.dumps(identity.pool_spec(lab.topology), indent=2))
    return 0


def _way(go: Callable[[Topology, Places, argparse.Namespace], int]) -> Callable[[Lab], int]:
    return lambda lab: go(lab.topology, lab.places, lab.options)


def _fault(cause: Callable[[Topology, Places, str], int]) -> Callable[[Lab], int]:
    return lambda lab: cause(lab.topology, lab.places, lab.options.host)


HOST = (("host",), {"metavar": "HOST"})
COMMAND = (("command",), {"nargs": argparse.REMAINDER, "metavar": "CMD"})
LINES = (("-n",), {"type": int, "default": 20, "dest": "lines"})
VERBS: dict[str, Verb] = {
    "up": Verb("start the lab; builds and installs what is missing", _up),
    "down": Verb(
        "stop it and leave nothing running",
        _down,
        (
            (("--purge",), {"action": "store_true", "help": "remove the hosts' state and the keys too"}),
            (("--images",), {"action": "store_true", "help": "remove the image cache too"}),
        ),
    ),
    "reset": Verb(
        "bring every host back to its first state, in place",
        _reset,
        (
            (("--hard",), {"action": "store_true", "help": "fresh overlays and a reboot"}),
            (("--to",), {"default": "", "metavar": "STATE", "help": "the state that `keep` kept under this name"}),
        ),
    ),
    "keep": Verb(
        "keep the state of all hosts, with their guests' memory, for `reset --to`",
        _keep,
        ((("state",), {"metavar": "STATE"}),),
    ),
    "status": Verb(
        "table of the hosts",
        _status,
        ((("-o", "--output"), {"choices": ("text", "json"), "default": "text"}),),
    ),
    "ssh": Verb(
        "log in to a host, or run a command there",
        _way(ways_in.ssh),
        (HOST, COMMAND),
    ),
    "exec": Verb(
        "run a command in a host without ssh",
        _way(ways_in.execute),
        (HOST, COMMAND),
    ),
    "guest-ssh": Verb(
        "log in to a guest by name or address",
        _way(ways_in.guest_ssh),
        ((("guest",), {"metavar": "NAME|ADDRESS"}), COMMAND),
    ),
    "heartbeat": Verb(
        "last heartbeats of a guest on each host",
        _way(ways_in.heartbeat),
        ((("guest",), {"metavar": "NAME"}), LINES),
    ),
    "logs": Verb(
        "journal of a host",
        _way(ways_in.logs),
        (
            HOST,
            (("-u", "--unit"), {"help": "of one unit only"}),
            LINES,
        ),
    ),
    "power-cut": Verb(
        "end a host at once, like a pulled plug",
        _fault(faults.power_cut),
        (HOST,),
    ),
    "boot": Verb("boot a host that is off", _fault(faults.boot), (HOST,)),
    "cut": Verb(
        "drop all traffic between two hosts",
        lambda lab: faults.cut(lab.topology, lab.places, lab.options.host, lab.options.other),
        (HOST, (("other",), {"metavar": "OTHER"})),
    ),
    "heal": Verb("end all cuts", lambda lab: faults.heal(lab.topology, lab.places)),
    "certificates": Verb(
        "give hosts QEMU's migration certificates, good or broken, or take them away",
        lambda lab: certificates.put(lab.topology, lab.places, lab.options.state, lab.options.hosts),
        (
            (("state",), {"choices": certificates.STATES}),
            (("hosts",), {"nargs": "*", "metavar": "HOST"}),
        ),
    ),
    "pool-spec": Verb("the shared pool of this lab, as JSON for a StoragePool", _pool_spec),
    "build": Verb("build the images only", _build),
    "doctor": Verb("is this machine fit for a lab?", _doctor),
}
QUIET = {"status", "ssh", "exec", "guest-ssh", "heartbeat", "logs", "pool-spec", "doctor"}
