"""Why each guest is moved that a plan moves, in words: its host, its rules, or those who come where it was.

Explains a finished plan; it decides nothing. A move without a cause would be a balancing one, and there are none.
"""

from collections.abc import Mapping, Sequence

from reconciler.placement.problem import Avoid, Gather, Guest, Host, Problem, Rule, Spread

SHOWN = 3


def causes(problem: Problem, goal: Mapping[str, str], later: bool = False) -> Mapping[str, str]:
    """By name, for everyone who ends on another host than now; empty text where there is no cause.

    With `later` some come only in a later plan, and nobody knows here where to.
    """
    hosts = {host.name: host for host in problem.hosts}
    at = {guest.name: guest.at for guest in problem.guests}
    moved = [guest for guest in problem.guests if guest.at and goal[guest.name] not in ("", guest.at)]
    if not moved:
        return {}
    full, coming = _full(problem, {guest.at for guest in moved}), _coming(at, goal)
    rules: dict[str, list[Rule]] = {guest.name: [] for guest in moved}
    for rule in problem.rules:
        for name in rules.keys() & _names(rule):
            rules[name].append(rule)
    reaches = {name: frozenset(able) for name, able in problem.reaches.items()}
    found = {}
    for guest in moved:
        own = _own(guest, hosts[guest.at], reaches)
        broken = (_broken(rule, guest, (at, goal), hosts) for rule in rules[guest.name])
        crowd = f"{guest.at} is too full" if guest.at in full else ""
        others = [name for name in coming.get(guest.at, ()) if name != guest.name]
        others = others or _instead(guest, rules[guest.name], (at, goal), hosts)
        found[guest.name] = own or next(filter(None, broken), "") or crowd or _way(others, later)
    return found


def _own(guest: Guest, host: Host, reaches: Mapping[str, frozenset[str]]) -> str:
    if host.drain:
        return f"{host.name} drains"
    if guest.to not in ("", guest.at):
        return f"it is to be on {guest.to}"
    if guest.reach and guest.at not in reaches[guest.reach]:
        return f"it should not be on {guest.at}"
    return ""


def _broken(
    rule: Rule, guest: Guest, when: tuple[Mapping[str, str], Mapping[str, str]], hosts: Mapping[str, Host]
) -> str:
    """What a rule had against where it was; or who of the same rule it goes with."""
    (at, goal), name = when, guest.name
    known = [other for other in _names(rule) if other != name and other in at]
    others = [other for other in known if at[other]]
    match rule:
        case Gather(over=over):
            here = _domain(hosts[guest.at], over)
            away = [o for o in known if goal[o] != at[o] or (at[o] and _domain(hosts[at[o]], over) != here)]
            return f"it is to be together with {_listed(away)}" if away else ""
        case Spread(over=over, most=most):
            here = _domain(hosts[guest.at], over)
            near = [other for other in others if _domain(hosts[at[other]], over) == here]
            return f"it shares {over or 'its host'} with {_listed(near)}" if len(near) >= most else ""
        case Avoid(guest=one):
            near = [other for other in others if at[other] == guest.at and one in (name, other)]
            return f"it shares its host with {_listed(near)}" if near else ""


def _instead(
    guest: Guest, rules: Sequence[Rule], when: tuple[Mapping[str, str], Mapping[str, str]], hosts: Mapping[str, Host]
) -> list[str]:
    """Who comes to its rack, or what else a rule spreads over, so that it would be one too many there."""
    (at, goal), found = when, list[str]()
    for rule in rules:
        if isinstance(rule, Spread):
            here = _domain(hosts[guest.at], rule.over)
            others = [name for name in dict.fromkeys(rule.guests) if name != guest.name and goal.get(name)]
            near = [name for name in others if _domain(hosts[goal[name]], rule.over) == here]
            found += [name for name in near if goal[name] != at[name]] if len(near) >= rule.most else []
    return found


def _way(others: Sequence[str], later: bool) -> str:
    """It was well where it was: these come there instead."""
    if not others:
        return "it makes way for those that come in a later pass" if later else ""
    return f"it makes way for {_listed(others)}"


def _full(problem: Problem, names: set[str]) -> set[str]:
    """Those of these hosts that are."""
    memory, vcpus = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    for guest in problem.guests:
        if guest.at in names:
            memory[guest.at] += guest.memory
            vcpus[guest.at] += guest.vcpus
    rooms = {host.name: host.room() for host in problem.hosts if host.name in names}
    return {name for name, room in rooms.items() if memory[name] > room[0] or vcpus[name] > room[1]}


def _coming(at: Mapping[str, str], goal: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for name, host in sorted((name, host) for name, host in goal.items() if host and host != at[name]):
        found.setdefault(host, []).append(name)
    return found


def _names(rule: Rule) -> tuple[str, ...]:
    return (rule.guest, *rule.others) if isinstance(rule, Avoid) else rule.guests


def _domain(host: Host, over: str) -> tuple[int, str]:
    return (1, host.labels[over]) if over and over in host.labels else (0, host.name)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
