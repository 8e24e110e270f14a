"""For one VM every host: it is there, or what stands in its way, and what to know before it goes. Pure.

The same blockers as the plan's. What other kinds have against two hosts is theirs to say.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from reconciler.kinds.vm.blockers import SAFE_CACHES, blockers, cached, untunnelled
from reconciler.kinds.vm.copying import copied, local, told
from reconciler.kinds.vm.moves import apart
from reconciler.kinds.vm.state import DomainState, Room, VmDesired
from reconciler.kinds.vm.switching import version
from reconciler.model.crossing import Blocker, Caution, Crossing, Hurdle, Way
from reconciler.model.desired import View
from reconciler.model.ref import Place


def ways(name: str, view: View) -> Sequence[Way]:
    """One for each host of the fleet; none where the VM was seen nowhere."""
    seen, cut = apart([(place, state) for place, state in view.snapshot.of("vm") if place.name == name])
    if not seen:
        return ()
    if cut and not cut.gone:
        view = replace(view, snapshot=view.snapshot.lacking(cut.place))
    homes = {place.host for place, _ in seen}
    origin, state = next(((p, s) for p, s in seen if s.power == "running"), seen[0])
    declared = next((item.value for item in view.of("vm") if item.place.name == name), None)
    want: VmDesired = declared or VmDesired(name, origin.host, shared=_shared(view))
    pools = shared_in_use(want, state)
    ports = 2 if copied(want, state, origin.host, view) else 1
    found = []
    for host in view.fleet.hosts:
        adapts = state.cpu.startswith(("host-model", "host-passthrough"))
        there, moves = replace(want, host=host), want.moves
        crossing = Crossing(
            name,
            origin.host,
            host,
            pools,
            state.guest,
            ports,
            encrypt=moves.encrypt,
            untunnelled=untunnelled(moves),
            adapts=adapts,
            login=view.fleet.access.mode != "none",
        )
        here = host in homes
        hurdles = () if here else tuple(_hurdles(there, state, origin.host, view, homes))
        found.append(Way(host, crossing, hurdles, here, state.power == "running"))
    return found


def shared_in_use(want: VmDesired, state: DomainState) -> tuple[str, ...]:
    """Names of the shared pools that its disks lie in."""
    paths = [disk.path for disk in state.disks if not local(disk.path, want)]
    return tuple(name for name, target in want.shared if any(path.startswith(target + "/") for path in paths))


def _shared(view: View) -> tuple[tuple[str, str], ...]:
    """The pools declared shared, as every declared VM knows them."""
    return next((item.value.shared for item in view.of("vm")), ())


def _hurdles(want: VmDesired, state: DomainState, origin: str, view: View, homes: set[str]) -> Iterator[Hurdle]:
    if len(homes) > 1 and not state.migrating:
        where = " and ".join(sorted(homes))
        yield Blocker(f"it is on more than one host: {where}", "find out which one is right and undefine the other")
    if state.migrating:
        yield Blocker("it is being migrated right now", "apply follows it to its end; then plan again")
    if state.power not in ("running", "stopped"):
        fix = "resume or stop it by hand"
        yield Blocker(f"it is {state.power} on {origin}; only a VM that runs or is off is moved", fix)
    if want.policy and want.host not in want.policy.hosts:
        yield Blocker(f"its policy does not name {want.host}", "widen spec.placement.hosts")
    if view.fleet.hosts[want.host].maintenance:
        yield Blocker(f"{want.host} is in maintenance", "it comes back when that ends, if it is declared there")
    yield from blockers(want, state, origin, view)
    yield from cautions(want, state, origin, view)


def cautions(want: VmDesired, seen: DomainState, origin: str, view: View) -> Iterator[Caution]:
    """What libvirt will let pass, and may yet go wrong."""
    here: Room | None = view.snapshot.get(Place("room", origin, origin))
    there: Room | None = view.snapshot.get(Place("room", want.host, want.host))
    yield from told(want, seen, origin, view)
    yield from _cpu(seen)
    for what in seen.bound:
        fix = f"compare with `virsh capabilities` on {want.host}"
        yield Caution(f"it has {what}, which go with it unchanged", fix)
    if there and there.emulators and seen.emulator and seen.emulator not in there.emulators:
        yield Caution(f"its emulator {seen.emulator} is not one that libvirt knows on {want.host}", "is it installed?")
    if here and there:
        yield from _software(seen, want, here, there)
    yield from _identity(want, seen, origin, view)


def _cpu(seen: DomainState) -> Iterator[Caution]:
    if seen.cpu.startswith("host-passthrough"):
        same = "hardware, microcode and QEMU are the same"
        yield Caution(f"its CPU is host-passthrough: safe only where {same}, else it may hang", "name a CPU model")
    if seen.cpu.startswith("host-model"):
        fix = "a named CPU model stays the same"
        yield Caution("its CPU is host-model: after its next boot it may not come back to an older host", fix)


def _software(seen: DomainState, want: VmDesired, here: Room, there: Room) -> Iterator[Caution]:
    mine, theirs = version(here, "QEMU"), version(there, "QEMU")
    if mine and theirs and theirs < mine:
        versions = f"{there.versions['QEMU']}, older than {here.versions['QEMU']}"
        yield Caution(f"{want.host} has QEMU {versions}", "moves are made for going from old to new")
    disks = [d.target for d in seen.disks if cached(d) and d.cache not in SAFE_CACHES]
    if disks and want.moves.unsafe:
        yield Caution(f"migration.unsafe switches libvirt's storage rule off for {', '.join(disks)}", "remove it")
    elif disks and not mine:
        names, fix = ", ".join(disks), "set cache='none'"
        yield Caution(f"cache mode of {names} is not none or directsync; QEMU older than 4.0 is refused", fix)
    if here.locks != there.locks:
        words = f"{here.locks or 'none'} here, {there.locks or 'none'} on {want.host}"
        yield Caution(f"lock_manager differs: {words}", "set the same in /etc/libvirt/qemu.conf on every host")
    blocks = [d.target for d in seen.disks if d.kind == "block"]
    if blocks and not here.locks:
        yield Caution(
            f"nothing locks {', '.join(blocks)}: QEMU's image lock is for files", "use lockd with a lockspace"
        )


def _identity(want: VmDesired, seen: DomainState, origin: str, view: View) -> Iterator[Caution]:
    macs = {nic.mac for nic in seen.nics if nic.mac}
    for place, other in view.snapshot.of("vm"):
        if place.name != want.name and place.host != want.host:
            for mac in sorted(macs & {nic.mac for nic in other.nics}):
                yield Caution(f"its MAC {mac} is {place}'s too", "on one network, only one of them may have it")
