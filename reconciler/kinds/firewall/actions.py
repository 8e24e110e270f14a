"""What can be done to firewalld: start it, make a zone, reload, and put one item into a zone or take it out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from reconciler.kinds.firewall.intervals import joined, without
from reconciler.kinds.firewall.state import ITEMS, FirewallState, Item, Layer, ZoneState
from reconciler.model.action import Action
from reconciler.model.ref import Place
from reconciler.model.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class FirewallAction(Action):
    """Any of them: the place is the document's, what changes is the one firewalld of that host."""

    @property
    def observed(self) -> Place:
        """Where the host's firewalld stands in a snapshot."""
        return Place("firewall", self.place.host, self.place.host)

    def effect(self, snapshot: Snapshot) -> Snapshot:
        state: FirewallState = snapshot.get(self.observed)
        return snapshot.having(self.observed, self.applied(state))

    def applied(self, state: FirewallState) -> FirewallState:
        """The firewalld after this action."""
        return state


@dataclass(frozen=True, kw_only=True)
class StartFirewall(FirewallAction):
    """Start and enable firewalld; its runtime is then its permanent configuration."""

    verb: ClassVar[str] = "start-firewall"

    def applied(self, state: FirewallState) -> FirewallState:
        runtime = state.runtime if state.running else dict(state.permanent)
        return replace(state, running=True, enabled=True, runtime=runtime)

    def explain(self) -> str:
        return "start and enable firewalld"


@dataclass(frozen=True, kw_only=True)
class NewZone(FirewallAction):
    """Make an empty zone in the permanent configuration; only a reload brings it to runtime."""

    verb: ClassVar[str] = "new-zone"
    symbol: ClassVar[str] = "+"
    zone: str

    @property
    def detail(self) -> str:
        return f":{self.zone}"

    def applied(self, state: FirewallState) -> FirewallState:
        return replace(state, permanent={**state.permanent, self.zone: ZoneState()})

    def explain(self) -> str:
        return f"make zone {self.zone} (permanent)"


@dataclass(frozen=True, kw_only=True)
class Reload(FirewallAction):
    """Make the permanent configuration the running one; what is in runtime only is lost, but for interfaces."""

    verb: ClassVar[str] = "reload"

    def applied(self, state: FirewallState) -> FirewallState:
        holder = {nic: name for name, zone in state.runtime.items() for nic in zone.interfaces}
        holder = {**{n: name for name, zone in state.permanent.items() for n in zone.interfaces}, **holder}
        runtime = {
            name: replace(zone, interfaces=tuple(sorted(nic for nic, there in holder.items() if there == name)))
            for name, zone in state.permanent.items()
        }
        return replace(state, runtime=runtime)

    def explain(self) -> str:
        return "reload firewalld"


@dataclass(frozen=True, kw_only=True)
class ZoneAction(FirewallAction):
    """One item of one zone in one layer."""

    zone: str
    item: Item
    value: str
    permanent: bool

    @property
    def layer(self) -> Layer:
        return "permanent" if self.permanent else "runtime"

    @property
    def detail(self) -> str:
        return f":{self.zone}:{self.layer}:{self.item}:{self.value}"

    def _with_zones(self, state: FirewallState, zones: Mapping[str, ZoneState]) -> FirewallState:
        return replace(state, permanent=zones) if self.permanent else replace(state, runtime=zones)


@dataclass(frozen=True, kw_only=True)
class AddToZone(ZoneAction):
    """Put one service, port range, rich rule or interface into a zone; an interface leaves the zone it was in."""

    verb: ClassVar[str] = "add"
    symbol: ClassVar[str] = "+"

    def applied(self, state: FirewallState) -> FirewallState:
        zones = dict(state.permanent if self.permanent else state.runtime)
        if self.item == "interface":
            zones = {name: _lacking(zone, self.item, self.value) for name, zone in zones.items()}
        zone = zones.get(self.zone, ZoneState())
        items = (*getattr(zone, ITEMS[self.item]), self.value)
        kept = joined(items) if self.item == "port" else tuple(sorted(set(items)))
        return self._with_zones(state, {**zones, self.zone: _having(zone, self.item, kept)})

    def explain(self) -> str:
        return f"add {self.item} {self.value} to zone {self.zone} ({self.layer})"


@dataclass(frozen=True, kw_only=True)
class RemoveFromZone(ZoneAction):
    """Take one service, port range, rich rule or interface out of a zone."""

    verb: ClassVar[str] = "remove"
    symbol: ClassVar[str] = "-"

    def applied(self, state: FirewallState) -> FirewallState:
        zones = dict(state.permanent if self.permanent else state.runtime)
        zone = _lacking(zones.get(self.zone, ZoneState()), self.item, self.value)
        return self._with_zones(state, {**zones, self.zone: zone})

    def explain(self) -> str:
        return f"remove {self.item} {self.value} from zone {self.zone} ({self.layer})"


def _lacking(zone: ZoneState, item: Item, value: str) -> ZoneState:
    items: tuple[str, ...] = getattr(zone, ITEMS[item])
    left = without(items, [value]) if item == "port" else tuple(i for i in items if i != value)
    return _having(zone, item, left)


def _having(zone: ZoneState, item: Item, values: tuple[str, ...]) -> ZoneState:
    match item:
        case "service":
            return replace(zone, services=values)
        case "port":
            return replace(zone, ports=values)
        case "rich-rule":
            return replace(zone, rich_rules=values)
        case "interface":
            return replace(zone, interfaces=values)
