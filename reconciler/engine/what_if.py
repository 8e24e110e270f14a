"""Specs as they would be, without an edit: what somebody asks before it is written down. Pure; for plans only."""

from dataclasses import replace

from reconciler.engine.once import Wanted
from reconciler.errors import PlanError


def supposed(wanted: Wanted, said: str) -> Wanted:
    """`drain=HOST,HOST`: these hosts in maintenance too. Raises PlanError for other words and unknown hosts."""
    word, _, value = said.partition("=")
    names = [name for name in value.split(",") if name]
    if word != "drain" or not names:
        raise PlanError(f"--what-if {said}: not a question that can be asked", "write drain=HOST or drain=HOST,HOST")
    hosts = dict(wanted.fleet.hosts)
    for name in names:
        if name not in hosts:
            raise PlanError(f"--what-if {said}: no Host named {name!r}", f"hosts: {', '.join(hosts) or 'none'}")
        hosts[name] = replace(hosts[name], maintenance=True)
    return replace(wanted, fleet=replace(wanted.fleet, hosts=hosts))
