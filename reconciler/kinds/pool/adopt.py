"""StoragePool documents for pools that are there, one for all hosts that have it alike. Pure.

A pool of a type that cannot be declared, or defined otherwise on another host, is named and left alone.
"""

from collections.abc import Sequence
from typing import Any

from reconciler.kind import Adopted, Draft
from reconciler.kinds.pool.state import Definition, PoolState
from reconciler.model.desired import View

TYPES = ("dir", "netfs")
_NETWORK = ("nfs", "nfs4", "fuse.glusterfs", "cifs", "ceph")
_Seen = tuple[str, PoolState]


def adopt(view: View) -> Adopted:
    """One document for each pool name."""
    by_name: dict[str, list[_Seen]] = {}
    for place, state in view.snapshot.of("pool"):
        if place.host in view.fleet.hosts:
            by_name.setdefault(place.name, []).append((place.host, state))
    drafts, notes = [], []
    for name, seen in by_name.items():
        fit = [(host, state) for host, state in seen if state.definition.type in TYPES]
        notes += [f"pool/{name}@{h}: type {s.definition.type}: not declarable" for h, s in seen if (h, s) not in fit]
        alike = _alike(fit)
        others = ", ".join(host for host, state in fit if (host, state) not in alike)
        if others:
            notes.append(f"pool/{name}: defined otherwise on {others}: not declared there")
        if alike:
            drafts.append(_draft(name, alike))
    return Adopted(tuple(drafts), tuple(notes))


def _alike(seen: Sequence[_Seen]) -> list[_Seen]:
    """The hosts of the definition that most have; of equals, the first one's."""
    groups: dict[Definition, list[_Seen]] = {}
    for host, state in seen:
        groups.setdefault(state.definition, []).append((host, state))
    return max(groups.values(), key=len, default=[])


def _draft(name: str, seen: Sequence[_Seen]) -> Draft:
    definition, states = seen[0][1].definition, [state for _, state in seen]
    spec: dict[str, Any] = {"hosts": [host for host, _ in seen], "type": definition.type}
    if definition.type == "netfs":
        spec["source"] = {"host": definition.host, "dir": definition.dir, "format": definition.format}
        if definition.protocol:
            spec["source"]["protocolVersion"] = definition.protocol
    spec["target"] = definition.target
    remarks = []
    active, autostart = {state.active for state in states}, {state.autostart for state in states}
    spec["state"] = None if len(active) > 1 else "active" if active == {True} else "inactive"
    if len(active) > 1:
        remarks.append("state is not managed: it is active on some of its hosts only")
    if len(autostart) == 1:
        spec["autostart"] = autostart.pop()
    if _shared(definition, states):
        spec["shared"] = True
        remarks.append("shared: the same server and folder on all its hosts; proven with a token before each move")
    return Draft("StoragePool", name, spec, tuple(remarks))


def _shared(definition: Definition, states: Sequence[PoolState]) -> bool:
    """Do all of them show the same files, by what is defined or mounted there?"""
    mounted = {(state.mounted_type, state.mounted_source) for state in states}
    network = len(mounted) == 1 and next(iter(mounted))[0] in _NETWORK
    return len(states) > 1 and (definition.type == "netfs" or network)
