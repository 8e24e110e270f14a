"""firewalld's own language: the commands that ask for its state, D-Bus JSON and zone XML read. Pure."""

import base64
import ipaddress
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.kind import Sight
from reconciler.kinds.firewall.intervals import listed
from reconciler.kinds.firewall.rules import canonical_rule, is_lease_rule
from reconciler.kinds.firewall.state import FirewallState, ZoneState
from reconciler.kinds.firewall.zone_xml import read_zone
from reconciler.model.desired import Desired
from reconciler.model.fleet import Fleet, HostCard
from reconciler.model.ref import Place

_UNIT = ["systemctl", "show", "-p", "LoadState", "-p", "ActiveState", "-p", "UnitFileState", "firewalld.service"]
_RUNTIME = """
systemctl -q is-active firewalld || exit 0
ask() { busctl --json=short --auto-start=no --timeout=10 call \
org.fedoraproject.FirewallD1 /org/fedoraproject/FirewallD1 "$@" 2>&1; }
answer=$(ask org.fedoraproject.FirewallD1 getDefaultZone); printf 'default %s - %s\\n' $? "$answer"
answer=$(ask org.fedoraproject.FirewallD1.zone getActiveZones); printf 'active %s - %s\\n' $? "$answer"
active=$(printf %s "$answer" | grep -o '"[A-Za-z0-9_/-]*":{' | tr -d '":{')
for zone in $(printf '%s\\n' "$@" $active | sort -u); do
  answer=$(ask org.fedoraproject.FirewallD1.zone getZoneSettings2 s "$zone")
  printf 'zone %s %s %s\\n' $? "$zone" "$(printf %s "$answer" | tr '\\n' ' ')"
done
"""
_PERMANENT = """
default=$(sed -n 's/^DefaultZone=//p' /etc/firewalld/firewalld.conf 2>/dev/null | head -n1)
printf 'default %s\\n' "$default"
own=$(cd /etc/firewalld/zones 2>/dev/null && ls | sed -n 's/\\.xml$//p')
for zone in $(printf '%s\\n' "$@" $own $default | sort -u); do
  for folder in /etc/firewalld/zones /usr/lib/firewalld/zones; do
    [ -f "$folder/$zone.xml" ] || continue
    printf 'zone %s %s\\n' "$zone" "$(base64 -w0 <"$folder/$zone.xml")"
    break
  done
done
"""
_BOUND = """
reached=
[ -z "$1" ] || reached=$(ip -o addr show to "$1" | head -n1 | cut -d' ' -f2 | cut -d@ -f1)
printf 'reached %s\\n' "$reached"
shift
command -v nmcli >/dev/null && systemctl -q is-active NetworkManager || exit 0
for nic in $(printf '%s\\n' "$@" $reached | sort -u); do
  uuid=$(nmcli -g GENERAL.CON-UUID device show "$nic" 2>/dev/null) || continue
  [ -n "$uuid" ] || continue
  printf 'nic %s %s\\n' "$nic" "$(nmcli -g connection.zone connection show "$uuid" 2>/dev/null)"
done
"""


def facts(host: HostCard, fleet: Fleet, desired: Sequence[Desired]) -> Mapping[str, Sequence[str]]:
    """Commands by name; zones and interfaces are arguments, never part of a script. None starts firewalld."""
    zones = [zone for item in desired if item.place.kind == "firewall" for zone in item.value.zones]
    if not any(item.place.kind == "firewall" for item in desired):
        return {}
    names = sorted({zone.name for zone in zones})
    interfaces = sorted({name for zone in zones for name in zone.interfaces or ()})
    return {
        "unit": _UNIT,
        "runtime": ["sh", "-c", _RUNTIME, "sh", *names],
        "permanent": ["sh", "-c", _PERMANENT, "sh", *names],
        "bound": ["sh", "-c", _BOUND, "sh", host.address if _is_ip(host.address) else "", *interfaces],
    }


def _is_ip(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True


def read(sight: Sight) -> Sequence[tuple[Place, Any]]:
    """firewalld's state from the replies; raises ValueError when it answered what is not understood."""
    if "unit" not in sight.replies:
        return []
    unit = dict(line.split("=", 1) for line in sight.replies["unit"].out.split() if "=" in line)
    if "LoadState" not in unit:
        raise ValueError(f"systemctl says {(sight.replies['unit'].err or 'nothing').strip()[:200]}")
    default, runtime, timed = _runtime(sight.replies["runtime"].out)
    configured, permanent = _permanent(sight.replies["permanent"].out)
    reached, bound = _bound(sight.replies["bound"].out)
    state = FirewallState(
        installed=unit["LoadState"] not in ("not-found", "masked"),
        running=unit.get("ActiveState") == "active",
        enabled=unit.get("UnitFileState") == "enabled",
        default_zone=default or configured,
        runtime=runtime,
        permanent={name: _binding(zone, name, bound) for name, zone in permanent.items()},
        reached=reached,
        timed=timed,
    )
    return [(Place("firewall", sight.host.name, sight.host.name), state)]


def _runtime(text: str) -> tuple[str, dict[str, ZoneState], bool]:
    """Default zone, zones by name, and whether a rule of our leases is among them."""
    default, zones, timed = "", {}, False
    for line in text.splitlines():
        what, code, name, answer = [*line.split(" ", 3), "", "", ""][:4]
        if code != "0" and "INVALID_ZONE" in answer:
            continue
        if code != "0":
            raise ValueError(f"firewalld's D-Bus says {answer[:200] or line[:200]!r}")
        data = json.loads(answer)["data"][0]
        if what == "default":
            default = str(data)
        elif what == "zone":
            zones[name], leased = read_settings(data)
            timed = timed or leased
    return default, zones, timed


def read_settings(data: Mapping[str, Any]) -> tuple[ZoneState, bool]:
    """The answer of getZoneSettings2 as a zone, and whether a rule of our leases is in it."""
    values = {key: item["data"] for key, item in data.items()}
    rules = [_rule(text) for text in values.get("rules_str", ())]
    zone = ZoneState(
        interfaces=tuple(sorted(values.get("interfaces", ()))),
        services=tuple(sorted(values.get("services", ()))),
        ports=listed(f"{port}/{protocol}" for port, protocol in values.get("ports", ())),
        rich_rules=tuple(sorted({rule for rule in rules if not is_lease_rule(rule)})),
        target=str(values.get("target", "default")),
    )
    return zone, any(is_lease_rule(rule) for rule in rules)


def _rule(text: str) -> str:
    """firewalld may know words we do not: such a rule is shown as it is."""
    try:
        return canonical_rule(text)
    except ValueError:
        return text


def _permanent(text: str) -> tuple[str, dict[str, ZoneState]]:
    default, zones = "", {}
    for line in text.splitlines():
        what, name, content = [*line.split(" "), "", ""][:3]
        if what == "default":
            default = name
        elif what == "zone":
            zones[name] = read_zone(base64.b64decode(content))
    return default, zones


def _bound(text: str) -> tuple[str, dict[str, str]]:
    """The interface we come in by, and the zone NetworkManager's profile of each interface names, if it names one."""
    reached, bound = "", {}
    for line in text.splitlines():
        what, nic, zone = [*line.split(" "), "", ""][:3]
        if what == "reached":
            reached = nic
        elif zone:
            bound[nic] = zone
    return reached, bound


def _binding(zone: ZoneState, name: str, bound: Mapping[str, str]) -> ZoneState:
    """NetworkManager's profile is the permanent configuration of its interfaces, not the zone's XML."""
    here = {nic for nic, its_zone in bound.items() if its_zone == name}
    return replace(zone, interfaces=tuple(sorted((set(zone.interfaces) - bound.keys()) | here)))
