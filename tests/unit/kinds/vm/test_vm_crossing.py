"""Every host for one VM: each reason on a snapshot that differs in one thing from one on which the move is planned."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.engine.explain import matrix, ways
from reconciler.kinds.vm.blockers import blockers
from reconciler.kinds.vm.state import Disk, DomainState, Nic, VmDesired
from reconciler.model.crossing import Way
from reconciler.model.desired import View
from reconciler.model.ref import Place
from reconciler.model.snapshot import Silence, Snapshot
from reconciler.wiring import KINDS
from tests.worlds import MOVE, world

WORLD = world(MOVE)
VM = Place("vm", "lq-d25", "mvp4_lqd25")
STATE: DomainState = WORLD.seen.get(VM)
FILE = STATE.disks[0].path
HERE, THERE = ("lq-d25", "lq-d26")
GUEST = "<domain type='qemu'><cpu><model>qemu64</model></cpu></domain>"


def at(kind: str, host: str, name: str = "") -> Place:
    return Place(kind, host, name or host)


def found(seen: Snapshot) -> dict[str, Way]:
    wanted = WORLD.wanted
    view = View(wanted.fleet, wanted.desired, seen, seen.taken)
    return {way.host: way for way in ways("vm", "mvp4_lqd25", view, KINDS)}


def having(place: Place, **fields: Any) -> Snapshot:
    return WORLD.seen.changing(place, **fields)


def other(host: str, **fields: Any) -> Snapshot:
    """Another VM beside ours, like it in what `fields` say."""
    plain = DomainState("11111111-0000-4000-8000-000000000001", "stopped")
    return WORLD.seen.having(at("vm", host, "twin"), replace(plain, **fields))


def test_the_way_is_open_and_its_own_host_is_no_way() -> None:
    seen = found(WORLD.seen)
    assert (seen[HERE].here, seen[HERE].open, seen[HERE].hurdles) == (True, False, ())
    assert (seen[THERE].here, seen[THERE].open, seen[THERE].blockers, seen[THERE].cautions) == (False, True, (), ())
    assert seen[THERE].crossing.pools == ("CONT_VOL_COMP",)


BLOCKED: list[tuple[Snapshot, str]] = [
    (other(THERE, uuid=STATE.uuid), "its UUID"),
    (other(THERE, disks=STATE.disks), "is a disk of vm/twin@lq-d26 too"),
    (other(HERE, disks=STATE.disks), "is a disk of vm/twin@lq-d25 too"),
    (other(THERE, nics=STATE.nics), "its MAC 00:16:3e:31:13:b3 is vm/twin@lq-d26's too"),
    (having(at("room", THERE), virts=("qemu",)).having(VM, replace(STATE, virt="kvm")), "it is a kvm domain"),
    (having(VM, power="paused"), "it is paused on lq-d25; only a VM that runs or is off is moved"),
    (having(VM, keeps=("snapshots",)), "libvirt keeps snapshots of it on lq-d25"),
    (having(VM, migrating=True), "it is being migrated right now"),
    (having(at("pool", THERE, "CONT_VOL_COMP"), mounted_source="nas.vpd.com:/else"), "other storage there"),
    (WORLD.seen.lacking(at("room", THERE)), "lq-d26 is unknown"),
]


@pytest.mark.parametrize(("seen", "reason"), BLOCKED, ids=[reason for _, reason in BLOCKED])
def test_a_blocker(seen: Snapshot, reason: str) -> None:
    way = found(seen)[THERE]
    assert not way.open
    assert [b.reason for b in way.blockers if reason in b.reason], way.blockers
    assert all(b.fix for b in way.blockers)


LIVE_ONLY: list[tuple[Snapshot, str]] = [
    (having(at("host", THERE), clock=WORLD.seen.taken + 9000), "9000 s apart, and a lease lives 900 s"),
    (
        having(at("room", HERE), versions={"QEMU": "3.1.0"}).having(
            VM, replace(STATE, disks=(replace(STATE.disks[0], cache="writeback"),))
        ),
        "disk vda has cache mode writeback",
    ),
    (having(at("gate", THERE), listening=tuple(range(49152, 49216))), "no free port from 49152 to 49215"),
    (having(at("gate", HERE), address=""), "the migration address of lq-d25 is unknown"),
    (having(VM, immovable=("shared memory (ivshmem)",)), "its shared memory (ivshmem) cannot leave the host"),
]


@pytest.mark.parametrize(("seen", "reason"), LIVE_ONLY, ids=[reason for _, reason in LIVE_ONLY])
def test_what_is_only_against_a_live_move_leaves_a_cold_one(seen: Snapshot, reason: str) -> None:
    way = found(seen)[THERE]
    assert (way.how, way.open) == ("cold", True)
    assert [b.against for b in way.telling if reason in b.reason] == ["live"]
    off = found(seen.changing(VM, power="stopped"))[THERE]
    assert (off.how, off.telling) == ("offline", ())


@pytest.mark.parametrize("fields", [{"nvram": "/var/lib/libvirt/qemu/nvram/x.fd"}, {"local": ("its TPM's state",)}])
def test_what_only_a_live_move_takes_along(fields: dict[str, Any]) -> None:
    assert found(having(VM, **fields))[THERE].how == "live"
    off = found(having(VM, power="stopped", **fields))[THERE]
    assert (off.how, len(off.telling)) == ("blocked", 1)


@pytest.mark.parametrize(("fields", "needed"), [({}, False), ({"resume": True}, True), ({"power": "running"}, True)])
def test_a_vm_that_stays_off_needs_no_memory(fields: dict[str, Any], needed: bool) -> None:
    full = having(at("room", THERE), memory=2**28)
    wanted, state = WORLD.wanted, replace(STATE, **{"power": "stopped", **fields})
    want = VmDesired(VM.name, THERE, shared=(("CONT_VOL_COMP", FILE.rpartition("/")[0]),))
    said = blockers(want, state, HERE, View(wanted.fleet, wanted.desired, full, full.taken))
    assert any("not enough memory" in b.reason for b in said) == needed


PASSIVE = [Disk("vda", FILE, "file", "qcow2", "writeback")]
WARNED: list[tuple[Snapshot, str]] = [
    (having(VM, cpu="host-passthrough"), "host-passthrough: safe only where"),
    (having(VM, cpu="host-model"), "host-model: after its next boot"),
    (having(VM, bound=("pinned vCPUs",)), "it has pinned vCPUs"),
    (having(VM, disks=tuple(PASSIVE)), "cache mode of vda is not none or directsync"),
    (
        having(VM, emulator="/opt/qemu").having(
            at("room", THERE), replace(WORLD.seen.get(at("room", THERE)), emulators=("/usr/bin/qemu",))
        ),
        "its emulator /opt/qemu",
    ),
    (having(at("room", THERE), locks="lockd"), "lock_manager differs: none here, lockd on lq-d26"),
    (
        having(at("room", HERE), versions={"QEMU": "8.2.0"}).having(
            at("room", THERE), replace(WORLD.seen.get(at("room", THERE)), versions={"QEMU": "7.2.0"})
        ),
        "lq-d26 has QEMU 7.2.0, older than 8.2.0",
    ),
    (having(at("host", HERE), resolves={}), "lq-d25 does not resolve lq-d26.vpd.com yet"),
    (having(at("host", HERE), resolves={"lq-d26.vpd.com": "10.0.0.9"}), "to 10.0.0.9, not to 10.77.0.12"),
    (having(at("host", THERE), fqdn="localhost"), "lq-d26 calls itself localhost"),
    (having(at("host", THERE), clock=WORLD.seen.taken + 60), "are 60 s apart"),
    (having(at("pool", THERE, "CONT_VOL_COMP"), active=False), "pool CONT_VOL_COMP is not up on lq-d26 yet"),
    (having(at("pool", THERE, "CONT_VOL_COMP"), mounted_type="smb2"), "is on smb2, which libvirt may not know"),
]


@pytest.mark.parametrize(("seen", "reason"), WARNED, ids=[reason for _, reason in WARNED])
def test_a_warning_refuses_nothing(seen: Snapshot, reason: str) -> None:
    way = found(seen)[THERE]
    assert way.open, way.blockers
    assert [c.reason for c in way.cautions if reason in c.reason], way.cautions


def test_a_mac_of_a_third_host_is_a_warning_for_the_second() -> None:
    assert found(other(HERE, nics=(Nic(STATE.nics[0].mac),)))[THERE].cautions


def test_what_is_not_a_blocker() -> None:
    """A local file of that name on another host is another file; new QEMU drops caches; shareable is shared."""
    local = replace(STATE, disks=(*STATE.disks, Disk("vdb", "/srv/a.img")))
    beside = other(THERE, disks=(Disk("vda", "/srv/a.img"),)).having(VM, local)
    assert not [b for b in found(beside)[THERE].blockers if "is a disk of" in b.reason]
    new = having(at("room", HERE), versions={"QEMU": "7.2.0"}).having(VM, replace(STATE, disks=tuple(PASSIVE)))
    assert (found(new)[THERE].blockers, found(new)[THERE].cautions) == ((), ())
    volume = replace(STATE, disks=(*STATE.disks, Disk("vdb", "a.img", "volume")))
    beside = other(HERE, disks=(Disk("vda", "a.img", "volume"),)).having(VM, volume)
    assert found(beside)[THERE].open
    shared = replace(STATE.disks[0], shareable=True)
    assert found(other(THERE, disks=(shared,)))[THERE].open


def test_on_two_hosts_it_goes_nowhere_and_says_so() -> None:
    both = found(WORLD.seen.having(at("vm", THERE, "mvp4_lqd25"), STATE))
    assert all(way.here for way in both.values())


def test_a_silent_host_is_one_blocker_and_a_vm_seen_nowhere_has_no_ways() -> None:
    kinds = tuple(kind.name for kind in KINDS)
    gone = WORLD.seen
    for place in [place for place in gone.objects if place.host == THERE]:
        gone = gone.lacking(place)
    gone = replace(gone, silences=(Silence(THERE, kinds, "no answer"),))
    assert [b.reason for b in found(gone)[THERE].blockers] == ["lq-d26 is unknown"]
    assert found(WORLD.seen.lacking(VM)) == {}


def test_the_matrix_has_declared_vms_only() -> None:
    wanted, seen = WORLD.wanted, WORLD.seen
    assert list(matrix(View(wanted.fleet, wanted.desired, seen, seen.taken), KINDS)) == ["vm/mvp4_lqd25"]


@pytest.mark.parametrize("change", [lambda s: s, lambda s: replace(s, guest=GUEST)])
def test_the_running_cpu_is_what_is_compared(change: Callable[[DomainState], DomainState]) -> None:
    state = change(STATE)
    assert found(WORLD.seen.having(VM, state))[THERE].crossing.guest == state.guest


NEW = {"libvirt": "12.8.0", "QEMU": "11.1.2"}
OLD: list[tuple[dict[str, str], dict[str, str], str]] = [
    (NEW, {**NEW, "libvirt": "12.7.9"}, "libvirt 12.7.9 on lq-d26"),
    ({**NEW, "QEMU": "11.0.9"}, NEW, "QEMU 11.0.9 on its source"),
    ({"libvirt": "12.8.0"}, NEW, "QEMU unknown on its source"),
]


def switching_to(want: VmDesired, here: dict[str, str], there: dict[str, str], mode: str = "key") -> list[Any]:
    """What `blockers` says of post-copy between hosts of those versions."""
    seen = having(at("room", HERE), versions=here).changing(at("room", THERE), versions=there)
    wanted = WORLD.wanted
    fleet = replace(wanted.fleet, access=replace(wanted.fleet.access, mode=mode))
    said = blockers(want, STATE, HERE, View(fleet, wanted.desired, seen, seen.taken))
    return [b for b in said if "post-copy" in b.reason]


def wanting(post_copy: bool) -> VmDesired:
    want: VmDesired = next(i.value for i in WORLD.wanted.desired if i.place == Place("vm", THERE, VM.name))
    return replace(want, moves=replace(want.moves, post_copy=post_copy))


@pytest.mark.parametrize(("here", "there", "said"), OLD)
def test_post_copy_needs_versions_on_which_it_was_recovered(
    here: dict[str, str], there: dict[str, str], said: str
) -> None:
    assert switching_to(wanting(True), NEW, NEW) == switching_to(wanting(False), here, there) == []
    (blocker,) = switching_to(wanting(True), here, there)
    assert blocker.reason.endswith(f"is recovered from libvirt 12.8 and QEMU 11.1 on only: {said}")
    assert (blocker.against, bool(blocker.fix)) == ("live", True)


def test_post_copy_is_not_driven_from_here() -> None:
    (blocker,) = switching_to(wanting(True), NEW, NEW, "none")
    assert "access mode none" in blocker.reason
