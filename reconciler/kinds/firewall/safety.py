"""Would a change of zones lock the reconciler out? Asked of values, before anything is planned.

Knows the way in only as the interface of the host's address and the port of the connection; sources are not weighed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.kinds.firewall.actions import ZoneAction
from reconciler.kinds.firewall.intervals import covers
from reconciler.kinds.firewall.state import FirewallState, ZoneState


def carries(zone: ZoneState, port: int) -> bool:
    """Does this zone let SSH at `port` in?"""
    ssh = port == 22
    words = [f'port port="{port}" protocol="tcp"', *(['service name="ssh"'] if ssh else [])]
    by_rule = any(rule.endswith("accept") and any(word in rule for word in words) for rule in zone.rich_rules)
    return zone.target == "ACCEPT" or (ssh and "ssh" in zone.services) or covers(zone.ports, f"{port}/tcp") or by_rule


def way_in(zones: Mapping[str, ZoneState], state: FirewallState) -> str:
    """The zone that holds the interface we come in by."""
    return next((name for name, zone in zones.items() if state.reached in zone.interfaces), state.default_zone)


def lockout_at_start(state: FirewallState, port: int) -> str:
    """The zone that would shut us out when firewalld starts, or nothing."""
    zone = way_in(state.permanent, state)
    return zone if state.reached and zone in state.permanent and not carries(state.permanent[zone], port) else ""


def lockout(state: FirewallState, steps: Sequence[ZoneAction], port: int) -> tuple[str, str] | None:
    """(reason, fix) when these steps would end our way in, in either layer; None when not, or not known."""
    if not state.reached:
        return None
    before = state if state.running else replace(state, runtime=state.permanent)
    after = before
    for step in steps:
        if step.permanent or step.zone in before.runtime:
            after = step.applied(after)
    for old, new in ((before.permanent, after.permanent), (before.runtime, after.runtime)):
        was, now = way_in(old, state), way_in(new, state)
        if now not in new or carries(new[now], port):
            continue
        if was != now or carries(old[was], port):
            reason = f"zone {now} would lock the reconciler out: it comes in by {state.reached}, port {port}"
            return reason, f"list {'service ssh' if port == 22 else f'port {port}/tcp'} in zone {now}"
    return None
