"""Firewall actions on the real host: one change per call, then firewalld is asked whether it is so."""

from reconciler.errors import Refused
from reconciler.kinds.firewall.actions import (
    AddToZone,
    NewZone,
    Reload,
    RemoveFromZone,
    StartFirewall,
    ZoneAction,
)
from reconciler.kinds.firewall.rules import LEASE_PRIORITY
from reconciler.model.action import Action
from reconciler.model.fleet import HostCard
from reconciler.model.outcome import Done
from reconciler.ports import Hands
from reconciler.readings import Reply

_ALREADY = {11: "ALREADY_ENABLED", 12: "NOT_ENABLED", 16: "ZONE_ALREADY_SET", 26: "NAME_CONFLICT"}


def run(action: Action, hands: Hands) -> Done:
    """Carry out one firewall action; raises Refused when firewalld says no."""
    card = hands.hosts[action.place.host]
    match action:
        case StartFirewall():
            return _start(card, hands)
        case NewZone(zone=zone):
            return _new_zone(card, zone, hands)
        case Reload():
            return _reload(card, hands)
        case AddToZone() | RemoveFromZone():
            return _change(card, action, hands)
        case _:
            raise TypeError(f"not a firewall action: {action.id}")


def _start(card: HostCard, hands: Hands) -> Done:
    before = hands.shell.run(card, ["systemctl", "is-active", "firewalld"])
    _must(card, hands.shell.run(card, ["systemctl", "enable", "--now", "firewalld"], deadline=60), "start firewalld")
    said = hands.shell.run(card, ["firewall-cmd", "--state"])
    if said.code != 0:
        fix = f"see `journalctl -u firewalld` on {card.name}"
        raise Refused(card.name, f"firewalld was started but says {(said.out or said.err).strip()[:200]!r}", fix)
    return Done("firewalld is running and enabled", changed=before.code != 0)


def _new_zone(card: HostCard, zone: str, hands: Hands) -> Done:
    changed = _told(card, hands, ["--permanent", f"--new-zone={zone}"], f"make zone {zone}")
    listed = hands.shell.run(card, ["firewall-cmd", "--permanent", "--get-zones"]).out.split()
    if zone not in listed:
        raise Refused(card.name, f"zone {zone} was made, but firewalld does not list it")
    return Done(f"zone {zone} is there", changed=changed)


def _reload(card: HostCard, hands: Hands) -> Done:
    """Looks for open leases first: they live in runtime only and a reload would close them."""
    rules = hands.shell.run(card, ["firewall-cmd", "--list-all-zones"])
    _must(card, rules, "read the zones before a reload")
    if f'priority="{LEASE_PRIORITY}"' in rules.out:
        fix = "apply again when the move that uses it has ended"
        raise Refused(card.name, "a lease is open, and a reload of firewalld would close it", fix)
    _must(card, hands.shell.run(card, ["firewall-cmd", "--reload"], deadline=60), "reload firewalld")
    return Done("firewalld runs with its permanent configuration")


def _change(card: HostCard, action: ZoneAction, hands: Hands) -> Done:
    """Add or remove, then query: exit codes of firewall-cmd are not proof."""
    scope = [*(["--permanent"] if action.permanent else []), f"--zone={action.zone}"]
    if action.item == "service" and action.verb == AddToZone.verb:
        _known_service(card, action, hands)
    changed = _told(card, hands, [*scope, f"--{_word(action)}-{action.item}={action.value}"], action.explain())
    asked = hands.shell.run(card, ["firewall-cmd", *scope, f"--query-{action.item}={action.value}"])
    wanted = "no" if isinstance(action, RemoveFromZone) else "yes"
    if asked.out.strip() != wanted:
        said = (asked.out or asked.err).strip()[:200]
        raise Refused(card.name, f"could not {action.explain()}: firewalld took it, but then says {said!r}")
    return Done(f"zone {action.zone}, {action.layer}: {action.item} {action.value}: {wanted}", changed=changed)


def _word(action: ZoneAction) -> str:
    if isinstance(action, RemoveFromZone):
        return "remove"
    return "change" if action.item == "interface" else "add"


def _known_service(card: HostCard, action: ZoneAction, hands: Hands) -> None:
    """Some versions take an unknown service into a permanent zone, and then cannot load that zone."""
    scope = ["--permanent"] if action.permanent else []
    asked = hands.shell.run(card, ["firewall-cmd", *scope, f"--info-service={action.value}"])
    if asked.code != 0 and "INVALID_SERVICE" in asked.out + asked.err:
        fix = f"see `firewall-cmd --get-services` on {card.name}, or list the ports instead"
        raise Refused(card.name, f"firewalld knows no service {action.value!r} (INVALID_SERVICE)", fix)


def _told(card: HostCard, hands: Hands, options: list[str], what: str) -> bool:
    """Run firewall-cmd; False when it was so already."""
    reply = hands.shell.run(card, ["firewall-cmd", *options])
    if reply.code in _ALREADY or any(word in reply.out + reply.err for word in _ALREADY.values()):
        return False
    _must(card, reply, what)
    return True


def _must(card: HostCard, reply: Reply, what: str) -> None:
    if reply.code != 0:
        raise Refused(card.name, f"could not {what}: {(reply.err or reply.out).strip()[:300]}")
