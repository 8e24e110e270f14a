"""How a VM that is nowhere comes to be: as a clone of a shut-off base, or from libvirt's XML. Pure.

Identity is looked up on every host first (law 3): a name, UUID, MAC or disk that is somebody's already is a refusal.
"""

import hashlib
import uuid as uuids
from collections.abc import Iterator, Sequence
from dataclasses import replace

from reconciler.kinds.vm.actions import CloneDomain, DefineDomain, ProveDomain, SetAutostart, SetResources, StartDomain
from reconciler.kinds.vm.domain_xml import marked, nvram_path, with_uuid
from reconciler.kinds.vm.prune_actions import AllowPrune
from reconciler.kinds.vm.state import Disk, DomainState, Nic, Room, VmDesired, WantedNic
from reconciler.kinds.vm.wire import from_xml
from reconciler.model.action import Action, Refusal
from reconciler.model.desired import Desired, View
from reconciler.model.ref import Place
from reconciler.model.units import show_size

_SPACE = uuids.UUID("6f1d3f0e-5d0b-4a8e-9c1a-7d2b7a0c9e55")


def refuse(item: Desired, reason: str, fix: str = "") -> Refusal:
    """A refusal at the place where the VM is declared."""
    return Refusal(item.place, reason, fix, item.origin.file, item.origin.line)


def create(item: Desired, view: View) -> list[Action | Refusal]:
    """The steps that make it, or every reason why not."""
    want: VmDesired = item.value
    if want.base:
        return _clone(item, view)
    if want.xml:
        return _define(item, view)
    fix = "add `source.clone` or `source.domainXML`, or correct the name"
    return [refuse(item, "is on no host, and the spec has no source to make it from", fix)]


def _clone(item: Desired, view: View) -> list[Action | Refusal]:
    want: VmDesired = item.value
    bases = [(p, s) for p, s in view.snapshot.of("vm") if p.name == want.base]
    if len(bases) != 1:
        said = "is on no host" if not bases else f"is on {' and '.join(p.host for p, _ in bases)}"
        return [refuse(item, f"the base VM {want.base!r} {said}", "correct source.clone.from")]
    ((base_place, base),) = bases
    uuid = str(uuids.uuid5(_SPACE, f"{view.fleet.name}/{want.name}/{base.uuid}"))
    nics = _macs(want, base, view)
    wrong = [*_base_problems(item, base_place, base, view), *_taken(item, uuid, nics, view)]
    if wrong:
        return list(wrong)
    result = _result(want, base, uuid, nics, view.fleet.name)
    unfinished = view.snapshot.get(item.place)
    clone = CloneDomain(
        place=item.place,
        uuid=uuid,
        base=want.base,
        base_uuid=base.uuid,
        base_host=base_place.host,
        disks=want.disks,
        nics=nics,
        result=result,
        again=unfinished is not None,
        expected_bytes=_size(want, base, base_place.host, view),
        requires=_pools(want, (base_place.host, want.host)),
        reason="is on no host" if not unfinished else "unfinished",
    )
    return [clone, *_afterwards(want, item.place, uuid, result, clone.id)]


def _afterwards(want: VmDesired, place: Place, uuid: str, made: DomainState, need: str) -> list[Action]:
    steps: list[Action] = []
    if want.vcpus not in (None, made.vcpus) or want.memory not in (None, made.memory):
        steps.append(
            SetResources(
                place=place,
                uuid=uuid,
                vcpus=want.vcpus,
                memory=want.memory,
                needs=(need,),
                reason=f"the source has {made.vcpus} vCPU and {show_size(made.memory)}",
            )
        )
    if want.autostart:
        steps.append(SetAutostart(place=place, uuid=uuid, on=True, needs=(need,), reason="declared"))
    if want.prune:
        steps.append(AllowPrune(place=place, uuid=uuid, allowed=True, needs=(need,), reason="prune is allowed"))
    if want.power == "running":
        start = StartDomain(place=place, uuid=uuid, needs=(need, *(s.id for s in steps)), reason="declared running")
        prove = ProveDomain(
            place=place,
            uuid=uuid,
            checks=want.checks,
            vcpus=want.vcpus,
            memory=want.memory,
            autostart=want.autostart,
            needs=(start.id,),
            reason="what was done must be true",
        )
        steps += [start, prove]
    return steps


def _macs(want: VmDesired, base: DomainState, view: View) -> tuple[WantedNic, ...]:
    """A NIC for each of the base's; declared MACs, else generated ones that no VM seen has."""
    used = {nic.mac for p, s in view.snapshot.of("vm") if p.name != want.name for nic in s.nics}
    used |= {nic.mac for i in view.of("vm") if i.place.name != want.name for nic in (i.value.nics or ())}
    wanted = list(want.nics or ())
    wanted += [WantedNic()] * (len(base.nics) - len(wanted))
    nics = []
    for number, nic in enumerate(wanted):
        nics.append(
            nic if nic.mac else replace(nic, mac=_mac(f"{view.fleet.name}/{want.name}/{base.uuid}/{number}", used))
        )
        used.add(nics[-1].mac)
    return tuple(nics)


def _mac(seed: str, used: set[str]) -> str:
    for attempt in range(1000):
        digest = hashlib.sha256(f"{seed}/{attempt}".encode()).hexdigest()
        mac = f"52:54:00:{digest[:2]}:{digest[2:4]}:{digest[4:6]}"
        if mac not in used:
            return mac
    raise ValueError(f"no free MAC for {seed}")


def _base_problems(item: Desired, place: Place, base: DomainState, view: View) -> Iterator[Refusal]:
    want: VmDesired = item.value
    if base.power != "stopped":
        fix = f"shut it off first: `virsh shutdown {want.base}` on {place.host}"
        yield refuse(item, f"the base VM {want.base} is {base.power} on {place.host}; a copy of it would be torn", fix)
    if base.making:
        yield refuse(item, f"the base VM {want.base} is itself an unfinished clone", "let its clone finish first")
    if len(want.nics or ()) > len(base.nics):
        yield refuse(
            item, f"{len(want.nics or ())} interfaces declared, {want.base} has {len(base.nics)}", "declare fewer"
        )
    copied = {disk.target for disk in want.disks}
    own = {disk.target for disk in base.disks if disk.path and not disk.readonly and not disk.shareable}
    for target in sorted(own - copied):
        yield refuse(
            item, f"disk {target} of {want.base} is not in source.clone.disks", "name a pool and volume for it"
        )
    for target in sorted(copied - own):
        yield refuse(item, f"{want.base} has no disk {target}", f"its disks: {', '.join(sorted(own)) or 'none'}")
    if place.host != want.host:
        for disk in want.disks:
            if not disk.shared:
                fix = f"place the VM on {place.host}, or use a pool with shared: true"
                yield refuse(item, f"the copy is made on {place.host}, and pool {disk.pool} is not shared", fix)
        if base.nvram:
            yield refuse(item, f"UEFI variables stay on {place.host}", f"place the VM on {place.host} and move it then")
    yield from _space(item, base, place.host, view)


def _space(item: Desired, base: DomainState, host: str, view: View) -> Iterator[Refusal]:
    """Room in each pool for what is copied into it; unknown while a pool is not up, then asked again before copying."""
    room: Room | None = view.snapshot.get(Place("room", host, host))
    need: dict[str, int] = {}
    for disk in item.value.disks:
        source = next((d for d in base.disks if d.target == disk.target), None)
        size = room.allocation(source.path) if room and source else None
        need[disk.pool] = need.get(disk.pool, disk.min_free) + (size or 0)
    for name, size in need.items():
        pool = room.pool(name) if room else None
        if pool and pool.active and size > pool.available:
            numbers = f"{show_size(size)} needed with minFree, {show_size(pool.available)} free"
            yield refuse(
                item, f"no space in pool {name} on {host}: {numbers}", "free or add space, or use another pool"
            )


def _taken(item: Desired, uuid: str, nics: Sequence[WantedNic], view: View) -> Iterator[Refusal]:
    """Law 3: nobody else has this UUID, these MACs or these disks."""
    want: VmDesired = item.value
    paths = {disk.path for disk in want.disks}
    macs = {nic.mac for nic in nics}
    for place, state in view.snapshot.of("vm"):
        if place.name == want.name:
            continue
        if state.uuid == uuid:
            yield refuse(item, f"its UUID {uuid} is {place}'s", "was that VM renamed? correct the spec's name")
        for path in sorted(paths & {disk.path for disk in state.disks}):
            yield refuse(item, f"{path} is a disk of {place}", "choose another volume name")
        for mac in sorted(macs & {nic.mac for nic in state.nics}):
            yield refuse(item, f"MAC {mac} is {place}'s", "choose another MAC")
    unfinished = view.snapshot.get(item.place)
    making = unfinished.making if unfinished else ()
    existing = {p for _, room in view.snapshot.of("room") for pool in room.pools for p, _ in pool.volumes}
    for disk in want.disks:
        if disk.path in existing and f"{disk.pool}/{disk.volume}" not in making:
            fix = "choose another volume name; a volume that is there is never overwritten"
            yield refuse(item, f"volume {disk.volume} is in pool {disk.pool} already", fix)


def _result(want: VmDesired, base: DomainState, uuid: str, nics: Sequence[WantedNic], fleet: str) -> DomainState:
    """The clone as it will be seen."""
    copies = {disk.target: disk for disk in want.disks}
    disks = tuple(
        Disk(d.target, copies[d.target].path, "file", copies[d.target].format, d.cache) if d.target in copies else d
        for d in base.disks
    )
    own = tuple(
        Nic(n.mac, n.network or ("" if n.bridge else old.network), n.bridge or ("" if n.network else old.bridge))
        for n, old in zip(nics, base.nics, strict=False)
    )
    nvram = nvram_path(base.nvram, want.name) if base.nvram else ""
    return replace(
        base,
        uuid=uuid,
        disks=disks,
        nics=own,
        nvram=nvram,
        fleet=fleet,
        autostart=False,
        digest="",
        prune=False,
        addresses=(),
        making=(),
    )


def _size(want: VmDesired, base: DomainState, host: str, view: View) -> int:
    room: Room | None = view.snapshot.get(Place("room", host, host))
    targets = {disk.target for disk in want.disks}
    return sum((room.allocation(d.path) or 0) if room else 0 for d in base.disks if d.target in targets)


def _pools(want: VmDesired, hosts: Sequence[str]) -> tuple[Place, ...]:
    return tuple(sorted({Place("pool", host, disk.pool) for host in hosts for disk in want.disks}))


def _define(item: Desired, view: View) -> list[Action | Refusal]:
    want: VmDesired = item.value
    own = with_uuid(want.xml, str(uuids.uuid5(_SPACE, f"{view.fleet.name}/{want.name}")))
    xml = marked(own, view.fleet.name, want.digest)
    try:
        result = from_xml(want.name, xml)
    except ValueError as error:
        return [refuse(item, str(error), "check it with virt-xml-validate")]
    wrong = list(_taken_xml(item, result, view))
    if wrong:
        return [*wrong]
    define = DefineDomain(
        place=item.place,
        uuid=result.uuid,
        xml=xml,
        digest=want.digest,
        fleet=view.fleet.name,
        result=result,
        reason="is on no host",
        requires=tuple(i.place for i in view.of("pool") if i.place.host == want.host),
    )
    return [define, *_afterwards(want, item.place, result.uuid, result, define.id)]


def _taken_xml(item: Desired, result: DomainState, view: View) -> Iterator[Refusal]:
    paths = {d.path for d in result.disks if d.path and not d.readonly and not d.shareable}
    macs = {nic.mac for nic in result.nics if nic.mac}
    for place, state in view.snapshot.of("vm"):
        if state.uuid == result.uuid:
            yield refuse(item, f"its UUID {result.uuid} is {place}'s", "change the UUID in the XML")
        for path in sorted(paths & {disk.path for disk in state.disks}):
            yield refuse(item, f"{path} is a disk of {place}", "give it a disk of its own")
        for mac in sorted(macs & {nic.mac for nic in state.nics}):
            yield refuse(item, f"MAC {mac} is {place}'s", "choose another MAC")
