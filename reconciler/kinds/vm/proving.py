"""Proof on real hosts that a VM is what and where it should be: read on every host, then its declared checks.

Only looks; what it finds wrong is an error with the numbers seen.
"""

from reconciler.errors import HostError, NeedsHuman, Refused
from reconciler.kinds.vm import copies
from reconciler.kinds.vm.actions import ProveDomain
from reconciler.kinds.vm.state import Check, DomainState
from reconciler.kinds.vm.wire import read_domain, read_neighbours
from reconciler.model.fleet import HostCard
from reconciler.model.outcome import Done
from reconciler.model.units import show_size
from reconciler.ports import Hands

_TCP = 'exec 3<>"/dev/tcp/$0/$1"'
_BANNER = 'exec 3<>"/dev/tcp/$0/$1"; IFS= read -r -t 5 line <&3; printf "%s" "$line"'


def prove(action: ProveDomain, hands: Hands) -> Done:
    """Same UUID running here and nowhere else, stored, with the declared resources; then every check."""
    card, name = hands.hosts[action.place.host], action.place.name
    state = _alone(action, card, hands)
    wrong = [
        f"{what} is {show(seen)}, declared {show(wanted)}"
        for what, seen, wanted, show in (
            ("vCPU", state.vcpus, action.vcpus, str),
            ("memory", state.memory, action.memory, show_size),
            ("autostart", state.autostart, action.autostart, str),
        )
        if wanted is not None and seen != wanted
    ]
    if wrong or not state.persistent:
        stored = [] if state.persistent else ["it is not stored on the host"]
        raise Refused(card.name, f"{name}: {'; '.join([*wrong, *stored])}", "plan again")
    copies.proven(action.copies, state, card, hands)
    address = _checks(action, state, card, hands)
    return Done(_summary(state, card, address), changed=False, facts=_facts(state, address))


def _alone(action: ProveDomain, card: HostCard, hands: Hands) -> DomainState:
    here = hands.hypervisor.domain(card, action.uuid)
    if here is None or here.state != "running":
        raise Refused(
            card.name, f"{action.place.name} is {here.state if here else 'absent'}, not running", "plan again"
        )
    for other in hands.others(card.name):
        try:
            seen = hands.hypervisor.domain(other, action.uuid)
        except HostError as error:
            raise NeedsHuman(
                f"{action.place.name} runs on {card.name}; whether also on {other.name} is unknown", str(error)
            ) from None
        if seen is not None:
            raise NeedsHuman(
                f"{action.place.name} runs on {card.name} and is {seen.state} on {other.name}",
                "find out which one is right; nothing was touched",
            )
    return read_domain(here, {})


def _checks(action: ProveDomain, state: DomainState, card: HostCard, hands: Hands) -> str:
    address = ""
    for check in action.checks:
        end = hands.clock.now() + check.timeout
        while True:
            address = check.address or _address(action, state, hands)
            said = _try(check, address, card, hands) if address else "no address of it is known yet"
            if not said:
                break
            if hands.clock.now() >= end:
                fix = "does the guest get an address, and does its service listen? see its console"
                raise Refused(card.name, f"{action.place.name}: check {check.kind} {check.port} failed: {said}", fix)
            hands.tell(f"waiting for {check.kind} {check.port}", 0, 0, {"said": said})
            hands.clock.sleep(0.5)
    return address or _address(action, state, hands)


def _address(action: ProveDomain, state: DomainState, hands: Hands) -> str:
    """By the host's own word (lease, ARP, agent), else by any host's table of neighbours."""
    reading = hands.hypervisor.domain(hands.hosts[action.place.host], action.uuid)
    macs = [nic.mac for nic in state.nics]
    known = dict(reading.addresses) if reading else {}
    for mac in macs:
        if mac in known:
            return known[mac]
    for card in hands.others(""):
        table = read_neighbours(hands.shell.run(card, ["ip", "-4", "-o", "neigh", "show"]).out)
        found = next((table[mac] for mac in macs if mac in table), "")
        if found:
            return found
    return ""


def _try(check: Check, address: str, card: HostCard, hands: Hands) -> str:
    """Empty when the check passed, else what was seen. Asked from the host, which reaches its guests' networks."""
    script = _TCP if check.kind == "tcp" else _BANNER
    reply = hands.shell.run(card, ["timeout", "6", "bash", "-c", script, address, str(check.port)])
    if reply.code not in (0, 1) or (check.kind == "tcp" and reply.code != 0):
        return f"{address}: {(reply.err.strip().splitlines() or ['no answer'])[-1][-120:]}"
    if check.kind == "ssh" and not reply.out.startswith("SSH-"):
        return f"{address}: no SSH banner but {reply.out[:40]!r}"
    return ""


def _facts(state: DomainState, address: str) -> dict[str, object]:
    return {
        "uuid": state.uuid,
        "address": address,
        "vcpus": state.vcpus,
        "memory": state.memory,
        "label": state.label,
        "console": state.console,
        "taints": list(state.taints),
        "autostart": state.autostart,
    }


def _summary(state: DomainState, card: HostCard, address: str) -> str:
    words = [f"runs on {card.name} only", f"{state.vcpus} vCPU", show_size(state.memory), "stored"]
    words.append("console" if state.console else "NO console")
    words += [address] if address else []
    words += [f"tainted: {taint}" for taint in state.taints]
    return ", ".join(words)
