"""One declared zone beside the same zone as seen: the items to add and to take out, in each layer.

Decides nothing about firewalld itself (start, reload), and drops a zone's steps whole when they would lock us out.
"""

from collections.abc import Iterator

from reconciler.kinds.firewall.actions import AddToZone, RemoveFromZone, ZoneAction
from reconciler.kinds.firewall.intervals import covers, listed, without
from reconciler.kinds.firewall.safety import lockout
from reconciler.kinds.firewall.state import ITEMS, LAYERS, FirewallState, Item, Layer, ZoneDesired, ZoneState
from reconciler.model.desired import Desired
from reconciler.model.disruption import Disruption

Problem = tuple[str, str]


def steps_of_zone(
    item: Desired, zone: ZoneDesired, seen: FirewallState, port: int
) -> tuple[Problem | None, list[ZoneAction]]:
    """The steps, or (reason, fix) when they would take away the way in at `port`."""
    steps: list[ZoneAction] = []
    for layer in LAYERS:
        steps += _steps(item, zone, seen, layer)
    return lockout(seen, steps, port), steps


def _steps(item: Desired, zone: ZoneDesired, seen: FirewallState, layer: Layer) -> Iterator[ZoneAction]:
    there = _start(zone, seen, layer)
    for kind, name in ITEMS.items():
        wanted: tuple[str, ...] | None = getattr(zone, name)
        if wanted is None:
            continue
        have: tuple[str, ...] = getattr(there, name)
        for value in _missing(kind, wanted, have):
            yield AddToZone(
                place=item.place,
                zone=zone.name,
                item=kind,
                value=value,
                permanent=layer == "permanent",
                reason=f"declared, not in the {layer} configuration",
            )
        for value in _surplus(kind, wanted, have) if zone.exclusive else ():
            yield RemoveFromZone(
                place=item.place,
                zone=zone.name,
                item=kind,
                value=value,
                permanent=layer == "permanent",
                reason=f"not declared, and the zone is exclusive ({layer})",
                disruption=Disruption.LIVE,
            )


def _start(zone: ZoneDesired, seen: FirewallState, layer: Layer) -> ZoneState:
    """What the layer's steps begin from: a reload gives a new runtime zone all that is permanent by then."""
    permanent = seen.permanent.get(zone.name, ZoneState())
    if layer == "permanent":
        return permanent
    if zone.name in seen.runtime:
        return seen.runtime[zone.name]
    if zone.name in seen.permanent and not seen.running:
        return permanent
    after = {name: getattr(zone, name) for name in ITEMS.values()}
    lists = {name: getattr(permanent, name) if values is None else values for name, values in after.items()}
    return ZoneState(**{**lists, "interfaces": ()})


def _missing(kind: Item, wanted: tuple[str, ...], have: tuple[str, ...]) -> list[str]:
    return [value for value in wanted if not (covers(have, value) if kind == "port" else value in have)]


def _surplus(kind: Item, wanted: tuple[str, ...], have: tuple[str, ...]) -> tuple[str, ...]:
    """What is not declared; of ports the undeclared part of each entry: nothing spans two."""
    if kind == "port":
        return listed(piece for entry in have for piece in without([entry], wanted))
    return tuple(value for value in have if value not in wanted)
