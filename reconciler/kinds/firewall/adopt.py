"""Firewall documents for zones that are there: what is in force and permanent, one for all hosts that are alike. Pure.

Nothing is declared exclusive, so nothing would be taken away; what is only in one of the two layers is named.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.kind import Adopted, Draft
from reconciler.kinds.firewall.intervals import covers
from reconciler.kinds.firewall.state import ITEMS, FirewallState, ZoneState, canonical_rule
from reconciler.model.desired import View
from reconciler.model.ref import Place

FOREIGN = ("libvirt", "docker", "podman")
_YAML = {"rich_rules": "richRules"}
_Lists = dict[str, tuple[str, ...]]


def adopt(view: View) -> Adopted:
    """One document for each group of hosts that are alike; a host nobody asked yet gets one without zones."""
    groups: dict[str, tuple[FirewallState, dict[str, _Lists], list[str]]] = {}
    drafts, notes = [], []
    for host in view.fleet.hosts:
        seen: FirewallState | None = view.snapshot.get(Place("firewall", host, host))
        if seen is None:
            drafts.append(Draft("Firewall", f"ask-{host}"[:63], {"hosts": [host], "zones": []}))
        elif not seen.installed or not seen.running:
            what = "not running" if seen.installed else "not installed"
            notes.append(f"firewall@{host}: firewalld is {what}: not declared")
        else:
            zones = {name: lists for name, lists in _zones(view, host, seen) if lists}
            notes += _one_layer(host, seen, zones)
            groups.setdefault(repr((seen.enabled, zones)), (seen, zones, []))[2].append(host)
    taken: set[str] = set()
    for seen, zones, hosts in groups.values():
        name = next(
            n
            for n in _names(seen.default_zone if seen.default_zone in zones else next(iter(zones), "firewall"))
            if n not in taken
        )
        taken.add(name)
        drafts.append(_draft(name, seen, zones, hosts))
    return Adopted(tuple(drafts), tuple(notes))


def _names(first: str) -> Iterator[str]:
    yield first
    yield from (f"{first}-{number}" for number in range(2, 10_000))


def _zones(view: View, host: str, seen: FirewallState) -> Iterator[tuple[str, _Lists]]:
    """The common part of both layers. NetworkManager's binding of an interface is only known once it was asked for."""
    asked = {
        nic
        for item in view.of("firewall")
        if item.place.host == host
        for zone in item.value.zones
        for nic in zone.interfaces or ()
    }
    for name in sorted(seen.runtime.keys() & seen.permanent.keys()):
        if not name.startswith(FOREIGN):
            yield name, dict(_both(seen.runtime[name], seen.permanent[name], asked))


def _both(runtime: ZoneState, permanent: ZoneState, asked: set[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in ("interfaces", "services"):
        here, stored = getattr(runtime, name), getattr(permanent, name)
        values = tuple(v for v in here if v in stored or (name == "interfaces" and v not in asked))
        if values:
            yield name, values
    entries = sorted({*runtime.ports, *permanent.ports})
    ports = tuple(port for port in entries if covers(runtime.ports, port) and covers(permanent.ports, port))
    rules = tuple(rule for rule in runtime.rich_rules if rule in permanent.rich_rules and _sound(rule))
    if ports:
        yield "ports", ports
    if rules:
        yield "rich_rules", rules


def _sound(rule: str) -> bool:
    try:
        return canonical_rule(rule) == rule
    except ValueError:
        return False


def _one_layer(host: str, seen: FirewallState, zones: Mapping[str, _Lists]) -> Iterator[str]:
    """What is in one layer only: the next reload takes it away, or brings it."""
    for name in zones:
        for item in ITEMS.values():
            here, stored = getattr(seen.runtime[name], item), getattr(seen.permanent[name], item)
            said = zones[name].get(item, ())
            for value in sorted({*here, *stored} - {*said}):
                where = "runtime" if value in here else "permanent configuration"
                if (value in here) != (value in stored):
                    yield f"firewall@{host}: zone {name}: {value} is in the {where} only: not declared"


def _draft(name: str, seen: FirewallState, zones: Mapping[str, _Lists], hosts: list[str]) -> Draft:
    spec: dict[str, Any] = {"hosts": hosts}
    if seen.enabled:
        spec["state"] = "running"
    spec["zones"] = [
        {"name": zone, **{_YAML.get(item, item): list(values) for item, values in lists.items()}}
        for zone, lists in zones.items()
    ]
    remarks = () if seen.enabled else ("firewalld runs here, but is not enabled, so its state is not declared",)
    return Draft("Firewall", name, spec, (*remarks, "exclusive: true in a zone removes what is not listed there"))
