"""Firewall: declared beside seen in each layer, and what to do about a difference."""

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.kinds.firewall.actions import NewZone, Reload, StartFirewall
from reconciler.kinds.firewall.intervals import covers, joined
from reconciler.kinds.firewall.safety import lockout_at_start
from reconciler.kinds.firewall.state import ITEMS, LAYERS, FirewallDesired, FirewallState, Layer, ZoneDesired, ZoneState
from reconciler.kinds.firewall.zones import steps_of_zone
from reconciler.model.action import Action, Refusal
from reconciler.model.change import Comparison, Difference
from reconciler.model.desired import Desired, View
from reconciler.model.disruption import Disruption
from reconciler.model.ref import Place

Step = Action | Refusal


def compare(view: View) -> Sequence[Comparison]:
    """Each document's declared lists beside runtime and permanent of the host's firewalld."""
    comparisons = []
    for item in view.of("firewall"):
        seen = _seen(view, item)
        if seen is not None:
            comparisons.append(_compare(item, seen, _will_run(view, item.place.host, seen)))
    return comparisons


def _seen(view: View, item: Desired) -> FirewallState | None:
    host = item.place.host
    if view.snapshot.silence(host, "firewall"):
        return None
    seen: FirewallState | None = view.snapshot.get(Place("firewall", host, host))
    return seen


def _will_run(view: View, host: str, seen: FirewallState) -> bool:
    """Does firewalld run, or does any document of this host want it to?"""
    return seen.running or any(item.value.run for item in view.of("firewall") if item.place.host == host)


def _compare(item: Desired, seen: FirewallState, will_run: bool) -> Comparison:
    want: FirewallDesired = item.value
    if not seen.installed:
        return Comparison(item.place, {"firewalld": "not installed"}, {"firewalld": "installed"}, item.origin)
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    if want.run:
        old["state"] = f"{'running' if seen.running else 'stopped'}, {'enabled' if seen.enabled else 'disabled'}"
        new["state"] = "running, enabled"
    if want.zones and not will_run:
        old["firewalld"], new["firewalld"] = "stopped", "running"
        return Comparison(item.place, old, new, item.origin)
    old["zones"] = {zone.name: {layer: _found(zone, layer_of(seen, layer)) for layer in LAYERS} for zone in want.zones}
    new["zones"] = {zone.name: dict.fromkeys(LAYERS, _wanted(zone)) for zone in want.zones}
    return Comparison(item.place, old, new, item.origin)


def layer_of(seen: FirewallState, layer: Layer) -> Mapping[str, ZoneState]:
    """The zones of a layer; a firewalld that does not run will begin with its permanent ones."""
    return seen.runtime if layer == "runtime" and seen.running else seen.permanent


def _wanted(zone: ZoneDesired) -> dict[str, tuple[str, ...]]:
    lists: dict[str, tuple[str, ...] | None] = {name: getattr(zone, name) for name in ITEMS.values()}
    declared = {name: values for name, values in lists.items() if values is not None}
    if "ports" in declared and zone.exclusive:
        declared["ports"] = joined(declared["ports"])
    return declared


def _found(zone: ZoneDesired, zones: Mapping[str, ZoneState]) -> dict[str, tuple[str, ...]] | None:
    """The declared lists as seen: all when exclusive, else what of the declared is there; None without the zone."""
    there = zones.get(zone.name)
    if there is None:
        return None
    found = {}
    for name, wanted in _wanted(zone).items():
        seen: tuple[str, ...] = getattr(there, name)
        if zone.exclusive:
            found[name] = joined(seen) if name == "ports" else seen
        elif name == "ports":
            found[name] = tuple(port for port in wanted if covers(seen, port))
        else:
            found[name] = tuple(value for value in wanted if value in seen)
    return found


def plan(difference: Difference, view: View) -> Sequence[Step]:
    """firewalld first, then the zones; weave puts the steps of all documents of a host in order."""
    item = view.at(difference.place)
    if item is None:
        return ()
    host = item.place.host
    seen: FirewallState = view.snapshot.get(Place("firewall", host, host))
    want: FirewallDesired = item.value
    if not seen.installed:
        fix = f"install firewalld on {host}, or do not select it in spec.hosts"
        return [refusal(item, "firewalld is not installed", fix)]
    if want.zones and not _will_run(view, host, seen):
        fix = "declare `state: running`, or start firewalld by hand"
        return [refusal(item, "firewalld is stopped, so its zones cannot be compared", fix)]
    port = view.fleet.hosts[host].connection.port
    if not seen.running and (zone := lockout_at_start(seen, port)):
        fix = f"run `firewall-offline-cmd --zone={zone} --add-service=ssh` on {host}, then plan again"
        reason = f"starting firewalld would lock the reconciler out: zone {zone} does not let port {port} in"
        return [refusal(item, reason, fix)]
    steps: list[Step] = []
    if want.run and not (seen.running and seen.enabled):
        reason = f"firewalld is {'running' if seen.running else 'stopped'}, {'enabled' if seen.enabled else 'disabled'}"
        steps.append(StartFirewall(place=item.place, reason=reason))
    for zone_wanted in want.zones:
        steps += _zone(item, zone_wanted, seen, port)
    return steps


def refusal(item: Desired, reason: str, fix: str) -> Refusal:
    """A refusal that points at the document."""
    return Refusal(item.place, reason, fix, item.origin.file, item.origin.line)


def _zone(item: Desired, zone: ZoneDesired, seen: FirewallState, port: int) -> list[Step]:
    """A zone firewalld does not run with needs a reload, which must not take an open lease away."""
    missing = zone.name not in seen.permanent
    reload = zone.name not in layer_of(seen, "runtime")
    if reload and seen.timed:
        fix = "apply again when the move that uses the lease has ended"
        return [refusal(item, f"zone {zone.name} needs a reload, which would close a lease that is open now", fix)]
    steps: list[Step] = []
    if missing:
        steps.append(NewZone(place=item.place, zone=zone.name, reason=f"there is no zone {zone.name}"))
    problem, changes = steps_of_zone(item, zone, seen, port)
    if problem:
        return [refusal(item, *problem)]
    steps += changes
    if reload:
        steps.append(_reload(item, zone, seen))
    return steps


def _reload(item: Desired, zone: ZoneDesired, seen: FirewallState) -> Reload:
    lost = sorted(
        f"{value} in {name}"
        for name, running in seen.runtime.items()
        for field in ("services", "ports", "rich_rules")
        for value in set(getattr(running, field)) - set(getattr(seen.permanent.get(name, running), field))
    )
    reason = f"zone {zone.name} is new" + (f"; lost, as in runtime only: {', '.join(lost)}" if lost else "")
    return Reload(place=item.place, reason=reason, disruption=Disruption.LIVE)
