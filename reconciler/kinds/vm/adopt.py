"""VirtualMachine documents for domains that are there: where they are, what they have, and no source. Pure.

Without a source nothing can be made of it: should the VM be gone one day, the plan refuses and says so.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.kind import Adopted, Draft
from reconciler.kinds.vm.state import DomainState, Nic
from reconciler.model.desired import View
from reconciler.model.ref import Place
from reconciler.model.units import write_size

_Seen = tuple[Place, DomainState]


def adopt(view: View) -> Adopted:
    """One document for each VM that is on one host, whole, and nobody else's."""
    by_name: dict[str, list[_Seen]] = {}
    for place, state in view.snapshot.of("vm"):
        if place.host in view.fleet.hosts:
            by_name.setdefault(place.name, []).append((place, state))
    fleets = frozenset(state.fleet for seen in by_name.values() for _, state in seen if state.fleet)
    drafts, notes, macs = [], [], set[str]()
    for name, seen in by_name.items():
        place, state = seen[0]
        why = _left_out(seen, view.fleet.name)
        if why:
            notes.append(f"vm/{name}@{place.host}: {why}: not declared")
            continue
        drafts.append(_draft(place, state, macs))
        notes += [f"{place}: {text}" for text in _warnings(state)]
    return Adopted(tuple(drafts), tuple(notes), fleets)


def _left_out(seen: Sequence[_Seen], fleet: str) -> str:
    state = seen[0][1]
    if len(seen) > 1:
        return f"is on {' and '.join(place.host for place, _ in seen)}"
    if state.fleet not in ("", fleet):
        return f"belongs to fleet {state.fleet!r}"
    if state.making or state.copying or state.coming or state.resume or state.migrating:
        return "somebody is at work on it (a clone or a move)"
    return ""


def _draft(place: Place, state: DomainState, macs: set[str]) -> Draft:
    spec: dict[str, Any] = {"placement": {"host": place.host}}
    if state.power in ("running", "stopped"):
        spec["power"] = state.power
    spec["autostart"] = state.autostart
    spec["vcpus"] = state.vcpus
    if state.memory:
        spec["memory"] = write_size(state.memory)
    if state.nics:
        spec["interfaces"] = [_nic(nic, macs) for nic in state.nics]
    if state.prune:
        spec["prune"] = "allowed"
    where = [f"disk {disk.target}: {disk.path or 'empty'}" for disk in state.disks]
    return Draft("VirtualMachine", place.name, spec, (*where, *_warnings(state)))


def _nic(nic: Nic, macs: set[str]) -> dict[str, str]:
    """What is known of it; a MAC that another VM has too would be a mistake in the specs."""
    said = {"mac": nic.mac} if nic.mac and nic.mac not in macs else {}
    macs.add(nic.mac)
    at = {"network": nic.network} if nic.network else {"bridge": nic.bridge} if nic.bridge else {}
    return {**said, **at}


def _warnings(state: DomainState) -> Iterator[str]:
    """What is not declarable, and what will keep it from moving."""
    if state.power not in ("running", "stopped"):
        yield f"is {state.power}: its power is not declared"
    if not state.persistent:
        yield "is transient: it is gone when it stops; `virsh define` makes it stay"
    if state.keeps:
        yield f"has {', '.join(state.keeps)}: not declarable, kept as they are"
    if state.immovable:
        yield f"has {', '.join(state.immovable)}: not declarable, kept; a move is refused"
    if state.bound:
        yield f"has {', '.join(state.bound)}: not declarable, kept"
    for number, nic in enumerate(state.nics):
        if not nic.network and not nic.bridge:
            yield f"interface {number} is on no network and no bridge: only its MAC is declared"
