"""firewalld of one host in memory: runtime and permanent zones, rules with an end, and who may reach which port.

Speaks no command line; tests/fakes/shell_firewall does.
"""

import re
from dataclasses import dataclass, field

LEASE = 'priority="-24242"'
_SOURCE = re.compile(r'source address="([0-9.]+)/32" port port="(\d+)" protocol="tcp" accept')
SERVICES = {"ssh": 22, "libvirt": 16509, "cockpit": 9090, "dhcpv6-client": 546}


@dataclass
class Zone:
    """One zone of one layer; ports as `22/tcp`, rules with the time they end (None: never)."""

    interfaces: set[str] = field(default_factory=set)
    services: set[str] = field(default_factory=set)
    ports: set[str] = field(default_factory=set)
    rules: dict[str, float | None] = field(default_factory=dict)

    def copy(self) -> "Zone":
        return Zone(set(self.interfaces), set(self.services), set(self.ports), dict(self.rules))

    def items(self, kind: str) -> set[str]:
        return {"interface": self.interfaces, "service": self.services, "port": self.ports}[kind]


@dataclass
class Firewalld:
    """Runtime exists only while it runs; a start copies the permanent layer."""

    running: bool = False
    enabled: bool = False
    default: str = "public"
    runtime: dict[str, Zone] = field(default_factory=dict)
    permanent: dict[str, Zone] = field(default_factory=lambda: {"public": Zone(services={"ssh", "dhcpv6-client"})})

    def start(self) -> None:
        if not self.running:
            self.reload()
        self.running = self.enabled = True

    def stop(self) -> None:
        self.running, self.runtime = False, {}

    def reload(self) -> None:
        """Timed and runtime-only rules are lost; interfaces stay where they are."""
        holder = {nic: name for name, zone in self.runtime.items() for nic in zone.interfaces}
        self.runtime = {name: zone.copy() for name, zone in self.permanent.items()}
        for nic, name in holder.items():
            for zone in self.runtime.values():
                zone.interfaces.discard(nic)
            if name in self.runtime:
                self.runtime[name].interfaces.add(nic)

    def expire(self, now: float) -> None:
        for zone in self.runtime.values():
            zone.rules = {rule: end for rule, end in zone.rules.items() if end is None or end > now}

    def zone_of(self, nic: str) -> str:
        return next((name for name, zone in self.runtime.items() if nic in zone.interfaces), self.default)

    def admits(self, nic: str, peer: str, port: int) -> bool:
        """May that peer reach that TCP port through that interface?"""
        if not self.running:
            return True
        zone = self.runtime.get(self.zone_of(nic), Zone())
        ranges = [text.removesuffix("/tcp").split("-") for text in zone.ports if text.endswith("/tcp")]
        standing = any(int(words[0]) <= port <= int(words[-1]) for words in ranges)
        by_rule = any((found := _SOURCE.search(rule)) and found.groups() == (peer, str(port)) for rule in zone.rules)
        return standing or by_rule or port in {SERVICES[name] for name in zone.services}

    def leases(self) -> list[str]:
        """Rules of ours, in either layer."""
        zones = [*self.runtime.values(), *self.permanent.values()]
        return [rule for zone in zones for rule in zone.rules if LEASE in rule]
