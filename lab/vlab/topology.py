"""What a lab consists of: the values read from topology.yaml, checked and completed.

It must not look at the machine; the same file always gives the same values.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from vlab.errors import LabError

Role = Literal["storage", "compute"]
Machines = Literal["containers", "emulated"]
SUITES = ("bookworm", "trixie", "forky")
NAME = re.compile(r"[a-z][a-z0-9-]{0,20}")


@dataclass(frozen=True)
class Host:
    """One machine of the lab."""

    name: str
    fqdn: str
    address: str
    role: Role
    number: int


@dataclass(frozen=True)
class Base:
    """The base VM: which host owns it at first and what it looks like."""

    name: str
    host: str
    memory: int
    mac: str


@dataclass(frozen=True)
class Topology:
    """A whole lab."""

    name: str
    subnet: ipaddress.IPv4Network
    network: str
    zone: str
    volume: str
    pool: str
    target: str
    base: Base
    hosts: tuple[Host, ...]
    machines: Machines = field(default="containers", repr=False)  # not part of what a container is made from
    suite: str = field(default="bookworm", repr=False)  # it is in the name of the image

    @property
    def storage(self) -> Host:
        return next(host for host in self.hosts if host.role == "storage")

    @property
    def compute(self) -> tuple[Host, ...]:
        return tuple(host for host in self.hosts if host.role == "compute")

    @property
    def gateway(self) -> str:
        return str(self.subnet[1])

    def host(self, name: str) -> Host:
        for host in self.hosts:
            if name in (host.name, host.fqdn, host.address):
                return host
        known = ", ".join(host.name for host in self.hosts)
        raise LabError(f"the lab has no host {name!r}", f"use one of: {known}")


def load(path: Path, name: str | None, subnet: str | None, suite: str | None = None) -> Topology:
    """Read a topology file; name, subnet and suite may be overridden, so that labs stand side by side."""
    raw = _yaml(path)
    if name is not None:
        raw["name"] = name
    if subnet is not None:
        raw["subnet"] = subnet
    if suite is not None:
        raw["suite"] = suite
    try:
        made = _build(raw)
    except (KeyError, TypeError, ValueError) as wrong:
        raise LabError(f"{path}: {type(wrong).__name__}: {wrong}", "compare with lab/topology.yaml") from wrong
    _check(made, path)
    return made


def _yaml(path: Path) -> dict[str, Any]:
    try:
        from ruamel.yaml import YAML
    except ImportError:
        raise LabError("ruamel.yaml is missing", "apt-get install python3-ruamel.yaml, or make .venv") from None
    if not path.is_file():
        raise LabError(f"no topology file {path}", "name one with --topology FILE")
    return dict(YAML(typ="safe", pure=True).load(path))


def _build(raw: dict[str, Any]) -> Topology:
    subnet = ipaddress.IPv4Network(raw["subnet"])
    hosts = tuple(
        Host(h["name"], f"{h['name']}.{raw['domain']}", str(subnet[h["number"]]), h["role"], h["number"])
        for h in raw["hosts"]
    )
    pool = raw["pool"]
    return Topology(
        name=raw["name"],
        subnet=subnet,
        network=raw["network"],
        zone=raw["zone"],
        volume=raw["volume"],
        pool=pool["name"],
        target=pool["target"],
        base=Base(**raw["base"]),
        hosts=hosts,
        machines=raw.get("machines", "containers"),
        suite=raw.get("suite", "bookworm"),
    )


def _check(made: Topology, path: Path) -> None:
    names = [made.name, *(host.name for host in made.hosts)]
    wrong = [name for name in names if not NAME.fullmatch(name)]
    if wrong:
        raise LabError(f"{path}: not a usable name: {', '.join(wrong)}", "lower case letters, digits, dashes; up to 21")
    if len({host.number for host in made.hosts}) != len(made.hosts) or len(set(names)) != len(names):
        raise LabError(f"{path}: two hosts share a name or number")
    if sum(host.role == "storage" for host in made.hosts) != 1 or not made.compute:
        raise LabError(f"{path}: a lab has one storage host and at least one compute host")
    made.host(made.base.host)
    if made.machines not in get_args(Machines):
        raise LabError(f"{path}: machines: {made.machines!r}", f"one of: {', '.join(get_args(Machines))}")
    if made.suite not in SUITES or (made.suite != SUITES[0] and made.machines != "containers"):
        raise LabError(f"{path}: suite: {made.suite!r}", f"one of: {', '.join(SUITES)}; emulated machines: the first")
