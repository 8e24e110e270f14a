"""Host: declared beside seen, and what to do about a difference."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from reconciler.kinds.host.actions import MakeMover, RunService, SetHostname, TrustAuthority, WriteHostsBlock
from reconciler.kinds.host.mover import READY
from reconciler.kinds.host.state import HostDesired, HostState
from reconciler.kinds.host.trust import deaf
from reconciler.model.action import Action, Refusal
from reconciler.model.change import Comparison, Difference
from reconciler.model.desired import Desired, View

RUNS = "active enabled"


def compare(view: View) -> Sequence[Comparison]:
    """FQDN, fleet names and services of every host that answered.

    The block in /etc/hosts is compared only where it is; it is written where a fleet name does not resolve as declared.
    """
    comparisons = []
    for item in view.of("host"):
        seen: HostState | None = view.snapshot.get(item.place)
        if seen is not None:
            comparisons.append(_compare(item, seen, _names(item.value.entries)))
    return comparisons


@lru_cache(maxsize=8)
def _names(entries: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    """Address by FQDN; all hosts of a fleet have the same entries."""
    return {fqdn: address for address, fqdn in entries}


def _compare(item: Desired, seen: HostState, names: Mapping[str, str]) -> Comparison:
    want: HostDesired = item.value
    found = _found(want, seen, names)
    old = {
        "fqdn": seen.fqdn,
        "names": found,
        "unknown": [fqdn for fqdn in want.elsewhere if not seen.resolves.get(fqdn)],
        "services": {name: seen.services.get(name, "absent") for name in want.services},
    }
    new = {"fqdn": want.fqdn, "names": names, "unknown": [], "services": dict.fromkeys(want.services, RUNS)}
    if want.mover:
        old["migration user"], new["migration user"] = seen.mover, READY
    if want.authority:
        old["trusted authority"], new["trusted authority"] = seen.trust, READY
    if seen.block:
        old["block"] = names if seen.block == want.entries else {fqdn: address for address, fqdn in seen.block}
        new["block"] = names
    return Comparison(item.place, old, new, item.origin)


def _found(want: HostDesired, seen: HostState, names: Mapping[str, str]) -> Mapping[str, str]:
    """What the fleet's names are here; the host's own may be any address of it."""
    if seen.resolves == names:
        return names
    found = {fqdn: seen.resolves.get(fqdn, "") for fqdn in names}
    if found.get(want.fqdn):
        found[want.fqdn] = names[want.fqdn]
    return found


def plan(difference: Difference, view: View) -> Sequence[Action | Refusal]:
    """Services first, then names; a service that is not installed is a refusal."""
    place, paths = difference.place, difference.paths
    item = view.required(place)
    want: HostDesired = item.value
    seen: HostState = view.snapshot.get(place)
    steps: list[Action | Refusal] = []
    for name in want.services if "services" in paths else ():
        state = seen.services.get(name, "absent")
        if state.endswith(" absent") or state.endswith("not-found"):
            fix = f"install {name} on {place.host}, or leave it out of spec.services"
            steps.append(Refusal(place, f"{name} is not installed", fix, item.origin.file, item.origin.line))
        elif state != RUNS:
            steps.append(RunService(place=place, service=name, reason=f"{name} is {state}"))
    for fqdn in want.elsewhere if "unknown" in paths else ():
        if not seen.resolves.get(fqdn):
            fix = f"declare spec.address of {fqdn} as an IP address, or add it to DNS"
            steps.append(
                Refusal(place, f"{fqdn} does not resolve on {place.host}", fix, item.origin.file, item.origin.line)
            )
    if "migration user" in paths:
        reason = f"Fleet.defaults.access.user is {want.mover}, who is {seen.mover or 'unknown'} here"
        steps.append(MakeMover(place=place, user=want.mover, reason=reason))
    if "trusted authority" in paths:
        steps.append(_trust(item, seen))
    needs: tuple[str, ...] = ()
    if paths & {"names", "block"}:
        missing = [f for a, f in want.entries if seen.resolves.get(f) != a and f != want.fqdn]
        reason = f"not resolved here: {', '.join(missing)}" if missing else "our block in /etc/hosts is not as declared"
        steps.append(WriteHostsBlock(place=place, entries=want.entries, reason=reason))
        needs = (f"{place}:{WriteHostsBlock.verb}",)
    if "fqdn" in paths:
        reason = f"`hostname -f` says {seen.fqdn or 'nothing'}; migration needs a fully qualified name"
        steps.append(SetHostname(place=place, fqdn=want.fqdn, reason=reason, needs=needs))
    return steps


def _trust(item: Desired, seen: HostState) -> Action | Refusal:
    """sshd told of the authority, where it reads what it is told."""
    why = deaf(seen.trust)
    if why:
        return Refusal(item.place, why[0], why[1], item.origin.file, item.origin.line)
    reason = "Fleet.defaults.access.mode is certificate, and sshd here does not trust its authority"
    return TrustAuthority(place=item.place, authority=item.value.authority, reason=reason)
