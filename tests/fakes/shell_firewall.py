"""firewall-cmd, nft and the D-Bus answers of a fake host, as firewalld 1.3 gives them.

Knows exactly the options the product uses; any other raises.
"""

import base64
import json
from collections.abc import Sequence

from reconciler.readings import Reply
from tests.fakes.firewalld import LEASE, SERVICES, Firewalld, Zone
from tests.fakes.machines import Host
from tests.fakes.world import World

_ITEMS = ("interface", "service", "port")


def settings(zone: Zone) -> str:
    """The answer of getZoneSettings2."""
    ports = [tuple(port.split("/")) for port in sorted(zone.ports)]
    values = {
        "interfaces": {"type": "as", "data": sorted(zone.interfaces)},
        "services": {"type": "as", "data": sorted(zone.services)},
        "ports": {"type": "a(ss)", "data": ports},
        "rules_str": {"type": "as", "data": sorted(zone.rules)},
        "target": {"type": "s", "data": "default"},
    }
    return json.dumps({"type": "a{sv}", "data": [values]})


def runtime(firewall: Firewalld, zones: Sequence[str]) -> str:
    if not firewall.running:
        return ""
    lines = [f'default 0 - {{"type":"s","data":["{firewall.default}"]}}']
    active = {name: {} for name, zone in firewall.runtime.items() if zone.interfaces}
    lines.append(f"active 0 - {json.dumps({'type': 'a{sa{sas}}', 'data': [active]})}")
    for name in sorted({*zones, *active}):
        known = firewall.runtime.get(name)
        lines.append(
            f"zone 0 {name} {settings(known)}" if known else f"zone 1 {name} Call failed: INVALID_ZONE: {name}"
        )
    return "\n".join(lines) + "\n"


def permanent(firewall: Firewalld) -> str:
    lines = [f"default {firewall.default}"]
    for name, zone in sorted(firewall.permanent.items()):
        lines.append(f"zone {name} {base64.b64encode(_xml(zone).encode()).decode()}")
    return "\n".join(lines) + "\n"


def _xml(zone: Zone) -> str:
    parts = [f'<interface name="{name}"/>' for name in sorted(zone.interfaces)]
    parts += [f'<service name="{name}"/>' for name in sorted(zone.services)]
    parts += ['<port port="{}" protocol="{}"/>'.format(*port.split("/")) for port in sorted(zone.ports)]
    for rule in zone.rules:
        words = dict(word.split("=", 1) for word in rule.replace('"', "").split() if "=" in word)
        parts.append(
            f'<rule priority="{words["priority"]}" family="ipv4"><source address="{words["address"]}"/>'
            f'<port port="{words["port"]}" protocol="tcp"/><accept/></rule>'
        )
    return f"<zone>{''.join(parts)}</zone>"


def firewall_cmd(world: World, host: Host, options: Sequence[str]) -> Reply:
    """One call of firewall-cmd."""
    firewall = host.firewall
    given = {name: value for name, _, value in (option.partition("=") for option in options)}
    if not firewall.running:
        return Reply(252, "", "FirewallD is not running")
    if "--state" in given:
        return Reply(0, "running\n")
    if "--reload" in given:
        firewall.reload()
        return Reply(0, "success\n")
    if "--list-all-zones" in given:
        return Reply(0, "\n".join(rule for zone in firewall.runtime.values() for rule in zone.rules))
    layer = firewall.permanent if "--permanent" in given else firewall.runtime
    if "--get-zones" in given:
        return Reply(0, " ".join(sorted(layer)) + "\n")
    if "--new-zone" in given:
        if given["--new-zone"] in layer:
            return Reply(26, "", "Error: NAME_CONFLICT")
        firewall.permanent[given["--new-zone"]] = Zone()
        return Reply(0, "success\n")
    if "--info-service" in given:
        known = given["--info-service"] in SERVICES
        return Reply(0, given["--info-service"]) if known else Reply(101, "", "Error: INVALID_SERVICE")
    if given.get("--zone") not in layer:
        return Reply(112, "", f"Error: INVALID_ZONE: {given.get('--zone')}")
    return _in_zone(world, layer, given)


def _in_zone(world: World, layer: dict[str, Zone], given: dict[str, str]) -> Reply:
    zone = layer[given["--zone"]]
    if "--list-rich-rules" in given:
        return Reply(0, "\n".join(zone.rules) + "\n")
    for option, value in given.items():
        verb, _, item = option.removeprefix("--").partition("-")
        if item == "rich-rule":
            return _rule(world, zone, verb, value, given)
        if item in _ITEMS:
            return _item(layer, zone, verb, item, value)
    raise world.wrong(f"firewall-cmd knows nothing of {given}")


def _rule(world: World, zone: Zone, verb: str, rule: str, given: dict[str, str]) -> Reply:
    if verb == "query":
        return Reply(0, "yes\n") if rule in zone.rules else Reply(1, "no\n")
    if verb == "remove":
        there = zone.rules.pop(rule, 0.0) != 0.0
        return Reply(0, "success\n") if there else Reply(12, "", "Error: NOT_ENABLED")
    if LEASE in rule and "--timeout" not in given:
        raise world.wrong(f"a lease's rule without an end: {rule}")
    if rule in zone.rules:
        return Reply(11, "", "Warning: ALREADY_ENABLED")
    zone.rules[rule] = world.time + float(given["--timeout"]) if "--timeout" in given else None
    return Reply(0, "success\n")


def _item(layer: dict[str, Zone], zone: Zone, verb: str, item: str, value: str) -> Reply:
    items = zone.items(item)
    if verb == "query":
        return Reply(0, "yes\n") if value in items else Reply(1, "no\n")
    if verb == "remove":
        items.discard(value)
        return Reply(0, "success\n")
    if verb == "change":
        for other in layer.values():
            other.interfaces.discard(value)
    items.add(value)
    return Reply(0, "success\n")


def ruleset(host: Host) -> str:
    """`nft list ruleset`: the lines that our rules become."""
    lines = []
    for zone in host.firewall.runtime.values():
        for rule in zone.rules:
            words = dict(word.split("=", 1) for word in rule.replace('"', "").split() if "=" in word)
            address = words["address"].removesuffix("/32")
            lines.append(f"\t\tip saddr {address} tcp dport {words['port']} accept")
    return "\n".join(lines) + "\n"
