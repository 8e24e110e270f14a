"""The verbs of the lab: name, one line of help, arguments, and the function that does it.

It must not hold more than the few lines that connect a verb to the module that knows how.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from vlab import faults, identity, lifecycle, machine, report, reset, ways_in
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
    base, guest = lifecycle.build()
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
        reset.reset(lab.topology, lab.places)
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


HOST = (("host",), {"metavar": "HOST"})
COMMAND = (("command",), {"nargs": argparse.REMAINDER, "metavar": "CMD"})
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
        ((("--hard",), {"action": "store_true", "help": "fresh overlays and a reboot"}),),
    ),
    "status": Verb(
        "table of the hosts",
        _status,
        ((("-o", "--output"), {"choices": ("text", "json"), "default": "text"}),),
    ),
    "ssh": Verb(
        "log in to a host, or run a command there",
        lambda lab: ways_in.ssh(lab.topology, lab.places, lab.options),
        (HOST, COMMAND),
    ),
    "exec": Verb(
        "run a command in a host without ssh",
        lambda lab: ways_in.execute(lab.topology, lab.places, lab.options),
        (HOST, COMMAND),
    ),
    "guest-ssh": Verb(
        "log in to a guest by name or address",
        lambda lab: ways_in.guest_ssh(lab.topology, lab.places, lab.options),
        ((("guest",), {"metavar": "NAME|ADDRESS"}), COMMAND),
    ),
    "heartbeat": Verb(
        "last heartbeats of a guest on each host",
        lambda lab: ways_in.heartbeat(lab.topology, lab.places, lab.options),
        ((("guest",), {"metavar": "NAME"}), (("-n",), {"type": int, "default": 3, "dest": "lines"})),
    ),
    "logs": Verb(
        "journal of a host",
        lambda lab: ways_in.logs(lab.topology, lab.places, lab.options),
        (
            HOST,
            (("-u", "--unit"), {"help": "of one unit only"}),
            (("-n",), {"type": int, "default": 100, "dest": "lines"}),
        ),
    ),
    "power-cut": Verb(
        "end a host at once, like a pulled plug",
        lambda lab: faults.power_cut(lab.topology, lab.places, lab.options.host),
        (HOST,),
    ),
    "boot": Verb(
        "boot a host that is off", lambda lab: faults.boot(lab.topology, lab.places, lab.options.host), (HOST,)
    ),
    "cut": Verb(
        "drop all traffic between two hosts",
        lambda lab: faults.cut(lab.topology, lab.places, lab.options.host, lab.options.other),
        (HOST, (("other",), {"metavar": "OTHER"})),
    ),
    "heal": Verb("end all cuts", lambda lab: faults.heal(lab.topology, lab.places)),
    "pool-spec": Verb("the shared pool of this lab, as JSON for a StoragePool", _pool_spec),
    "build": Verb("build the images only", _build),
    "doctor": Verb("is this machine fit for a lab?", _doctor),
}
QUIET = {"status", "ssh", "exec", "guest-ssh", "heartbeat", "logs", "pool-spec", "doctor"}
