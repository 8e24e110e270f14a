"""All firewall steps of a host in one safe order: one start, one reload, additions before removals, one at a time.

Of other kinds' actions it only delays those that cross to a host whose firewall changes; it adds and drops none.
"""

from collections.abc import Sequence
from dataclasses import replace

from reconciler.kinds.firewall.actions import (
    AddToZone,
    FirewallAction,
    NewZone,
    Reload,
    RemoveFromZone,
    StartFirewall,
    ZoneAction,
)
from reconciler.model.action import Action, Refusal
from reconciler.model.desired import View


def weave(actions: Sequence[Action], view: View) -> tuple[Sequence[Action], Sequence[Refusal]]:
    """Permanent first, then the reload, then runtime; interfaces follow what their zone needs; removals come last."""
    hosts = sorted({action.place.host for action in actions if isinstance(action, FirewallAction)})
    woven: list[Action] = []
    last: dict[str, str] = {}
    for host in hosts:
        mine = _once([a for a in actions if isinstance(a, FirewallAction) and a.place.host == host])
        chained = _chained(sorted(mine, key=_phase))
        last[host] = chained[-1].id
        woven += chained
    first = next((number for number, action in enumerate(actions) if isinstance(action, FirewallAction)), 0)
    others = [_waiting(a, last) for a in actions if not isinstance(a, FirewallAction)]
    return [*others[:first], *woven, *others[first:]], ()


def _once(actions: Sequence[FirewallAction]) -> list[FirewallAction]:
    """Several documents may ask for a start or a reload; one of each is enough."""
    kept: list[FirewallAction] = []
    for action in actions:
        single = isinstance(action, (StartFirewall, Reload))
        if not single or not any(type(other) is type(action) for other in kept):
            kept.append(action)
    return kept


def _phase(action: FirewallAction) -> int:
    """A reload undoes what is in runtime only, and NetworkManager binds an interface at once, even when asked to
    do so permanently: so permanent lists, reload, runtime lists, interfaces, and then what runtime loses.
    """
    match action:
        case StartFirewall():
            return 0
        case NewZone():
            return 1
        case AddToZone(permanent=True, item="service" | "port" | "rich-rule"):
            return 2
        case RemoveFromZone(permanent=True):
            return 3
        case Reload():
            return 4
        case AddToZone(item="service" | "port" | "rich-rule"):
            return 5
        case AddToZone(permanent=False):
            return 6
        case AddToZone():
            return 7
        case _:
            return 8


def _chained(ordered: Sequence[FirewallAction]) -> list[FirewallAction]:
    """firewall-cmd rewrites a whole permanent zone for one item, so never two at a time on one host."""
    chained: list[FirewallAction] = []
    for action in ordered:
        needs = tuple(before.id for before in chained if _needs(action, before))
        after = (chained[-1].id,) if chained else ()
        chained.append(replace(action, needs=(*action.needs, *needs), after=(*action.after, *after)))
    return chained


def _needs(action: FirewallAction, before: FirewallAction) -> bool:
    """Nothing goes without a running firewalld; nothing into a zone that could not be made; and nothing is taken away,
    nor an interface moved, when an addition to that zone failed.
    """
    match before:
        case StartFirewall():
            return True
        case NewZone(zone=zone):
            return isinstance(action, Reload) or (isinstance(action, ZoneAction) and action.zone == zone)
        case Reload():
            return isinstance(action, ZoneAction) and not action.permanent
        case AddToZone(item="service" | "port" | "rich-rule"):
            if not isinstance(action, ZoneAction) or action.zone != before.zone:
                return False
            return isinstance(action, RemoveFromZone) or action.item == "interface"
        case _:
            return False


def _waiting(action: Action, last: dict[str, str]) -> Action:
    """A move begins when the firewalls at both ends are done: a reload would close its lease."""
    if action.passage is None:
        return action
    ends = [last[host] for host in (action.passage.source, action.passage.destination) if host in last]
    return replace(action, after=(*action.after, *ends)) if ends else action
