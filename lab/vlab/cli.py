"""The command line: reads words, finds the lab, calls the verb, tells how long it took.

It must not do any of the work itself.
"""

from __future__ import annotations

import argparse
import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vlab import emulated_verbs
from vlab import topology as topologies
from vlab.errors import LabError
from vlab.places import LOCKS, Places
from vlab.progress import say
from vlab.verbs import QUIET, VERBS, Lab

DEFAULT = Path(__file__).resolve().parent.parent / "topology.yaml"


def main(words: list[str]) -> int:
    """Run one verb; the answer is the exit code."""
    options = _parser().parse_args(words)
    began = time.monotonic()
    try:
        topology = topologies.load(options.topology, options.name, options.subnet, options.suite)
        lab = Lab(topology, Places(topology.name), options)
        verb = VERBS[options.verb].run
        if topology.machines == "emulated":
            verb = emulated_verbs.VERBS.get(options.verb, verb)
        if options.verb in QUIET:
            return verb(lab)
        with _alone(topology.name):
            code = verb(lab)
        say(f"lab {topology.name}: {options.verb} took {time.monotonic() - began:.1f} s")
        return code
    except LabError as problem:
        say(f"lab: {problem}")
        return 1
    except KeyboardInterrupt:
        say("lab: interrupted; `lab/lab down` cleans up")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab", description="Real libvirt hosts on one machine.")
    parser.add_argument("--topology", type=Path, default=DEFAULT, metavar="FILE", help="default: lab/topology.yaml")
    parser.add_argument("--name", help="another lab beside the one of the file")
    parser.add_argument("--subnet", metavar="A.B.C.0/24", help="the other lab's addresses")
    parser.add_argument("--suite", choices=topologies.SUITES, help="which Debian its hosts are; default: the first")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, verb in VERBS.items():
        sub = verbs.add_parser(name, help=verb.help)
        for flags, settings in verb.arguments:
            sub.add_argument(*flags, **settings)
    return parser


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """One changing verb at a time per lab."""
    with (LOCKS / f"reconciler-lab-{name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"  waiting for another `lab` command on {name} ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
