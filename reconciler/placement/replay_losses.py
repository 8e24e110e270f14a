"""Check from the outside that the plan's refuges are ones: whichever host is lost, its guests fit where it says.

Shares no code with the planner, and does not look for better refuges.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from reconciler.placement.problem import Guest, Problem
from reconciler.placement.solution import Solution


def losses(problem: Problem, plan: Solution, on: Mapping[str, str]) -> list[str]:
    """Guests that run without a refuge and are not named as such, and refuges that are none."""
    refuges = dict(plan.refuges)
    named = {(exposed.host, name) for exposed in plan.exposed for name in exposed.guests}
    open_ = frozenset(host.name for host in problem.hosts if not host.drain and not host.closed)
    able = {"": open_, **{reach: open_.intersection(hosts) for reach, hosts in problem.reaches.items()}}
    wrong = []
    memory, vcpus = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for guest in problem.guests:
        host, refuge = on[guest.name], refuges.get(guest.name, "")
        memory["", host] += guest.memory
        vcpus["", host] += guest.vcpus if guest.memory else 0
        if refuge:
            wrong += [f"at the end {guest.name} {what}" for what in _unfit(guest, host, refuge, able[guest.reach])]
            memory[host, refuge] += guest.memory
            vcpus[host, refuge] += guest.vcpus
        elif host and guest.memory and (host, guest.name) not in named:
            wrong.append(f"at the end {guest.name} has no refuge, and nobody says so")
    rooms = {host.name: host.room() for host in problem.hosts}
    for lost, refuge in sorted(memory):
        full = memory[lost, refuge] + memory["", refuge], vcpus[lost, refuge] + vcpus["", refuge]
        if lost and refuge in rooms and (full[0] > rooms[refuge][0] or full[1] > rooms[refuge][1]):
            wrong.append(f"if {lost} were lost, {refuge} would be too full")
    return wrong


def _unfit(guest: Guest, host: str, refuge: str, able: frozenset[str]) -> Iterator[str]:
    if not host:
        yield "runs nowhere and has a refuge"
    if refuge == host:
        yield "has its own host as a refuge"
    if refuge not in able:
        yield f"has {refuge} as a refuge, where it cannot go"
