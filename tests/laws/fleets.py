"""Seeded random fleets for the laws: hosts, a shared and a private pool, VMs anywhere, drift of every kind.

Makes values only; what must hold for them is in test_laws.
"""

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from reconciler.engine.once import Wanted, want
from reconciler.kinds.firewall.state import FirewallState, ZoneState
from reconciler.kinds.host.state import HostState
from reconciler.kinds.lease.state import Gate, LeaseState, Papers
from reconciler.kinds.pool.state import Definition, PoolState
from reconciler.kinds.vm.state import Disk, DomainState, Nic, Room, RoomPool, VolumeAt
from reconciler.model.disruption import Disruption
from reconciler.model.ref import Place
from reconciler.model.snapshot import Migration, Silence, Snapshot
from reconciler.wiring import KINDS
from tests.fakes.fleets import AUTHORITY, Text

HEAD = "---\napiVersion: reconciler/v1alpha1\nkind: "
SHARED, PRIVATE = "/srv/shared", "/srv/private"
TRUST = ("ready", "ready", "absent", "not included")
ALL = tuple(kind.name for kind in KINDS)
GIB = 2**30
TAKEN = 1_795_000_000
LINKED = ", links: [{hosts: all, moves: 1, bandwidth: 100MiB/s}]"
COPIED, DELETED = ", storage: copy", ", storage: copy, oldCopy: delete"
PAPERS = (
    lambda name: Papers("/etc/pki/qemu", wrong="has no /etc/pki/qemu/ca-cert.pem"),
    lambda name: Papers("/etc/pki/qemu", "one", 1, 2**40, (name,)),
    lambda name: Papers("/etc/pki/qemu", "one", 1, 2**40, (name,)),
    lambda name: Papers("/etc/pki/qemu", "one", 1, 1_795_000_100, (name,)),
    lambda name: Papers("/etc/pki/qemu", "other", 1, 2**40),
)


@dataclass
class Made:
    """A random fleet: what is wanted, what is seen, and which VMs nobody declared."""

    wanted: Wanted
    seen: Snapshot
    undeclared: set[str]
    text: str


@dataclass
class _Draft:
    """What is being made."""

    random: Random
    specs: list[str] = field(default_factory=list)
    objects: dict[Place, Any] = field(default_factory=dict)
    hosts: list[str] = field(default_factory=list)

    def often(self, chance: float = 0.8) -> bool:
        return self.random.random() < chance

    def put(self, kind: str, host: str, name: str, state: Any) -> None:
        self.objects[Place(kind, host, name)] = state


def fleet(seed: int) -> Made:
    """The same fleet for the same seed."""
    draft = _Draft(Random(seed))  # noqa: S311
    draft.hosts = [f"h{number}" for number in range(draft.random.randint(2, 5))]
    cap = draft.random.choice([*Disruption, *[Disruption.MOVE_LIVE, Disruption.MOVE_COLD] * 5])
    mode = ("none", f"certificate, authorityFile: ~/authority, authorityKey: {AUTHORITY}", "key", "key", "key")[
        seed % 5
    ]
    encrypt = draft.random.choice(["auto", "required", "off", "off", "off", "off"])
    draft.specs.append(
        f"{HEAD}Fleet\nmetadata: {{name: laws}}\nspec:\n"
        f"  limits: {{disruption: {cap}{', coolDown: 1h' if seed % 3 == 0 else ''}{LINKED if seed % 5 == 2 else ''}}}\n"
        f"{'  hostFailures: 1' + chr(10) if seed % 4 == 1 else ''}"
        f"  defaults: {{access: {{mode: {mode}}}, migration: {{encrypt: {encrypt}}}}}\n"
    )
    for number, host in enumerate(draft.hosts):
        _host(draft, host, f"10.0.0.{number + 1}")
    _pools(draft)
    if draft.often(0.6):
        zone = "{name: work, interfaces: [br0], services: [ssh, libvirt]}"
        spec = f"{{hosts: all, state: running, zones: [{zone}]}}"
        draft.specs.append(f"{HEAD}Firewall\nmetadata: {{name: fw}}\nspec: {spec}\n")
    undeclared = {f"v{number}" for number in range(draft.random.randint(0, 8)) if not _vm(draft, number)}
    _drained(draft, Random(-1 - seed))  # noqa: S311
    silences, migrations = _drift(draft)
    text = "".join(draft.specs)
    return Made(want(Text(text), KINDS), Snapshot(TAKEN, draft.objects, silences, migrations), undeclared, text)


def _host(draft: _Draft, name: str, address: str) -> None:
    fqdn = f"{name}.laws.test"
    away = ", maintenance: true" if draft.often(0.15) else ""
    draft.specs.append(f"{HEAD}Host\nmetadata: {{name: {name}}}\nspec: {{fqdn: {fqdn}, address: {address}{away}}}\n")
    names = {f"{host}.laws.test": f"10.0.0.{n + 1}" for n, host in enumerate(draft.hosts) if draft.often(0.9)}
    block = tuple((address, fqdn) for fqdn, address in names.items()) if draft.often(0.7) else ()
    service = draft.random.choice(["active enabled"] * 8 + ["inactive disabled", "inactive absent"])
    said = fqdn if draft.often(0.9) else "localhost"
    draft.put(
        "host", name, name, HostState(name, said, block, names, {"libvirtd": service}, trust=draft.random.choice(TRUST))
    )
    running = draft.often()
    zones = {"work": ZoneState(("br0",), ("libvirt", "ssh")), "public": ZoneState((), ("ssh",))}
    if draft.often(0.3):
        zones = {"public": ZoneState(("br0",), ("ssh",))}
    state = FirewallState(True, running, running, "public", zones if running else {}, zones, "br0")
    draft.put("firewall", name, name, state)
    allowed = draft.random.choice([(), (), ((49152, 49215),)])
    listening = tuple(p for p in (22, 49152, 49153) if p == 22 or draft.often(0.1))
    draft.put("papers", name, name, draft.random.choice(PAPERS)(fqdn))
    draft.put("gate", name, name, Gate(address, "work" if running else "", running, allowed, listening))


def _pools(draft: _Draft) -> None:
    shared = f"{{type: netfs, target: {SHARED}, source: {{host: nas.laws.test, dir: /x}}, shared: true, minFree: 1GiB}}"
    private = f"{{type: dir, target: {PRIVATE}, autostart: true}}"
    for name, spec in (("shared", shared), ("private", private)):
        draft.specs.append(f"{HEAD}StoragePool\nmetadata: {{name: {name}}}\nspec: {spec}\n")
    for host in draft.hosts:
        rooms = []
        for name, target in (("shared", SHARED), ("private", PRIVATE)):
            if not draft.often(0.9):
                continue
            active, free = draft.often(0.9), draft.random.choice([50 * GIB] * 5 + [GIB // 2])
            nfs = name == "shared"
            definition = Definition("netfs", target, "nas.laws.test", "/x", "nfs") if nfs else Definition("dir", target)
            mounted = ("nfs4", "nas.laws.test:/x") if nfs and active else ("", "")
            size = (100 * GIB, 100 * GIB - free, free) if active else (0, 0, 0)
            draft.put(
                "pool", host, name, PoolState(f"{host}-{name}", definition, active, draft.often(), *mounted, *size)
            )
            rooms.append(RoomPool(name, target, active, free if active else 0))
        machines = ("pc-q35-7.2",) if draft.often(0.9) else ("pc-q35-6.0",)
        networks = ("lan",) if draft.often(0.9) else ()
        draft.put("room", host, host, Room("x86_64", 8 * GIB, machines, networks, ("br0",), tuple(rooms)))


def _vm(draft: _Draft, number: int) -> bool:
    """One VM, declared or not (the answer), somewhere, nowhere or twice."""
    random, name = draft.random, f"v{number}"
    declared, mac = draft.often(0.75), f"52:54:00:00:00:{number:02x}"
    if declared:
        power = random.choice(["running"] * 4 + ["stopped", "unmanaged"])
        method = random.choice(["live", "live", "live", "cold", "auto"])
        source = f"  source: {{clone: {{from: base, disks: [{{target: vda, pool: shared, volume: {name}.img}}]}}}}\n"
        draft.specs.append(
            f"{HEAD}VirtualMachine\nmetadata: {{name: {name}, labels: {{app: a{number % 3}}}}}\nspec:\n"
            f"  placement: {_placement(draft)}\n"
            f"  power: {power}\n  autostart: {random.choice(['true', 'false'])}\n{source if draft.often() else ''}"
            f"  vcpus: {random.choice([1, 1, 2])}\n  memory: 1GiB\n"
            f"  migration: {{method: {method}{random.choice(['', '', COPIED, DELETED])}}}\n"
        )
    for host in random.sample(draft.hosts, random.choice([0, 1, 1, 1, 1, 1, 2])):
        state = _domain(draft, number, mac)
        draft.put("vm", host, name, _copied(draft, host, state))
        _volume(draft, host, state.disks[0].path)
        if draft.often(0.15):
            _cut_off(draft, host, name)
    return declared


def _drained(draft: _Draft, random: Random) -> None:
    """Some were drained from a host before; of its own luck, so that seeds go on to name the same fleets."""
    for place, state in draft.objects.items():
        if place.kind == "vm" and state.fleet and random.random() < 0.4:
            draft.objects[place] = replace(state, home=random.choice([*draft.hosts, "gone"]))


def _placement(draft: _Draft) -> str:
    """Most times a host; else a policy, such as people write."""
    random, drain = draft.random, draft.random.choice(["live", "live", "cold", "stay"])
    if draft.often(0.7):
        return f"{{host: {random.choice(draft.hosts)}, drain: {drain}}}"
    some = random.sample(draft.hosts, random.randint(1, len(draft.hosts)))
    hosts = random.choice(["all", f"[{', '.join(some)}]"])
    spread = random.choice([", spread: app", ", spread: {label: app, hold: end}"])
    rule = random.choice(["", "", spread, spread, ", gather: app", ", sticky: true"])
    return f"{{hosts: {hosts}{rule}, drain: {drain}}}"


def _volume(draft: _Draft, host: str, path: str) -> None:
    """Its file as libvirt there knows it, most times."""
    at = Place("room", host, host)
    room, name = draft.objects[at], path.rpartition("/")[0].rpartition("/")[2]
    pools = [
        replace(p, volumes=(*p.volumes, (path, GIB)), capacities=(*p.capacities, (path, 2 * GIB)))
        if p.name == name and p.active and draft.often(0.9)
        else p
        for p in room.pools
    ]
    draft.objects[at] = replace(room, pools=tuple(pools))


def _copied(draft: _Draft, host: str, state: DomainState) -> DomainState:
    """Some came with their disks, and some were on their way when all ended."""
    name = state.disks[0].path.rpartition("/")[2]
    if not state.disks[0].path.startswith(PRIVATE) or draft.often(0.5):
        return state
    left, making = (VolumeAt(draft.random.choice(draft.hosts), "private", name) for _ in range(2))
    return replace(state, left=(left,), copying=(making,) if draft.often(0.4) else ())


def _cut_off(draft: _Draft, host: str, name: str) -> None:
    """A pass was killed in an offline or a cold move: on both hosts, only where it goes, or just marked."""
    source = Place("vm", host, name)
    state = replace(draft.objects[source], resume=draft.often(0.5))
    draft.objects[source] = state
    there = draft.random.choice([other for other in draft.hosts if other != host])
    if state.making or state.copying or draft.often(0.2):
        return
    power = "stopped" if draft.often(0.95) else "running"
    draft.put("vm", there, name, replace(state, power=power, autostart=False, coming=host, boots=state.autostart))
    if draft.often(0.4):
        del draft.objects[source]


def _domain(draft: _Draft, number: int, mac: str) -> DomainState:
    random = draft.random
    folder = SHARED if draft.often(0.85) else PRIVATE
    state = DomainState(
        uuid=f"00000000-0000-4000-8000-{number:012d}",
        power=random.choice(["running"] * 6 + ["stopped", "stopped", "paused"]),
        autostart=draft.often(0.5),
        memory=random.choice([GIB, GIB, GIB, 5 * GIB]),
        machine="pc-q35-7.2",
        disks=(Disk("vda", f"{folder}/v{number}.img", format="qcow2"),),
        nics=(Nic(mac, "lan"),),
        fleet=random.choice(["laws"] * 6 + ["", "other"]),
        immovable=("host device (pci)",) if draft.often(0.05) else (),
        moved=TAKEN - 600 if number % 2 else 0,
    )
    if state.power == "paused":
        return replace(state, reason=random.choice(["migrating", "user", ""]))
    if state.power == "stopped" and draft.often(0.2):
        return replace(state, fleet="laws", making=(f"shared/v{number}.img",))
    return state


def _drift(draft: _Draft) -> tuple[tuple[Silence, ...], tuple[Migration, ...]]:
    """A base VM, leftovers of leases, a silent host, a running migration: each now and then."""
    random = draft.random
    base = DomainState(
        "99999999-0000-4000-8000-000000000000",
        random.choice(["stopped", "stopped", "stopped", "running"]),
        memory=GIB,
        machine="pc-q35-7.2",
        disks=(Disk("vda", f"{PRIVATE}/base.img", format="qcow2"),),
        nics=(Nic("52:54:00:99:00:00", "lan"),),
    )
    if draft.often():
        draft.put("vm", random.choice(draft.hosts), "base", base)
    for piece in ("key", "secret", "port", "port-permanent"):
        if draft.often(0.15):
            host = random.choice(draft.hosts)
            known = {"lease": "feedfeed", "domain": "v0"} if piece in ("key", "secret") else {"zone": "work"}
            name = {"port": "port-work-10.0.0.1-49152", "port-permanent": "port-permanent-work"}
            peer = {"peer": "10.0.0.1", "port": 49152} if piece == "port" else {}
            state = LeaseState(piece, **known, **peer)
            draft.put("lease", host, name.get(piece, f"{piece}-feedfeed"), state)
    silences: tuple[Silence, ...] = ()
    if draft.often(0.25):
        host, kinds = random.choice(draft.hosts), ALL if draft.often(0.6) else ("pool", "vm")
        silences = (Silence(host, kinds, "cannot be reached", "is it up?"),)
        hidden = {*kinds, *(("room",) if "vm" in kinds else ()), *(("gate",) if "lease" in kinds else ())}
        draft.objects = {p: s for p, s in draft.objects.items() if p.host != host or p.kind not in hidden}
    moving = [p for p, s in draft.objects.items() if p.kind == "vm" and s.power == "running"]
    if not moving or not draft.often(0.3):
        return silences, ()
    place = random.choice(moving)
    draft.objects[place] = replace(draft.objects[place], migrating=True)
    other = Place("vm", random.choice(draft.hosts), place.name)
    if other not in draft.objects and other.host not in {s.host for s in silences} and draft.often():
        draft.objects[other] = replace(draft.objects[place], power="paused", migrating=False)
    return silences, (Migration(place.host, place.name, draft.objects[place].uuid),)
