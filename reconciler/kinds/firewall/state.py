"""What firewalld is on a host and shall be: whether it runs, and its zones, runtime and permanent apart.

Values only. Our leases' rules are in no zone here; `timed` says that one is open.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from reconciler.kinds.firewall.rules import canonical_rule

__all__ = [
    "ITEMS",
    "LAYERS",
    "VOLATILE",
    "FirewallDesired",
    "FirewallState",
    "Item",
    "Layer",
    "ZoneDesired",
    "ZoneState",
    "canonical_rule",
]

VOLATILE = {"volatile": True}
Item = Literal["service", "port", "rich-rule", "interface"]
Layer = Literal["runtime", "permanent"]
LAYERS: tuple[Layer, ...] = ("permanent", "runtime")
ITEMS: Mapping[Item, str] = {
    "service": "services",
    "port": "ports",
    "rich-rule": "rich_rules",
    "interface": "interfaces",
}


@dataclass(frozen=True, slots=True)
class ZoneState:
    """One zone in one layer; lists are sorted, ports are entries as firewalld keeps them, rules canonical."""

    interfaces: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    rich_rules: tuple[str, ...] = ()
    target: str = "default"


@dataclass(frozen=True, slots=True)
class FirewallState:
    """firewalld on one host. `runtime` is empty while it does not run.

    `reached` is the interface that holds the address the reconciler logs in to, empty where that is unknown.
    """

    installed: bool = False
    running: bool = False
    enabled: bool = False
    default_zone: str = ""
    runtime: Mapping[str, ZoneState] = field(default_factory=dict)
    permanent: Mapping[str, ZoneState] = field(default_factory=dict)
    reached: str = ""
    timed: bool = field(default=False, metadata=VOLATILE)


@dataclass(frozen=True, slots=True)
class ZoneDesired:
    """One declared zone; None means: this list is not managed. Lists are sorted, rules canonical."""

    name: str
    interfaces: tuple[str, ...] | None = None
    services: tuple[str, ...] | None = None
    ports: tuple[str, ...] | None = None
    rich_rules: tuple[str, ...] | None = None
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class FirewallDesired:
    """One Firewall document on one host; `run` asks for firewalld active and enabled."""

    zones: tuple[ZoneDesired, ...] = ()
    run: bool = False
