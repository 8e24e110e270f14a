"""What every Hypervisor keeps to: the same words in, the same readings and refusals out.

Run on the fake and on libvirt's test driver; what needs two hosts is in tests/fakes and tests/e2e.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import Refused
from reconciler.kinds.vm.copy_wire import COPIES, write_copies
from reconciler.kinds.vm.state import VolumeAt
from reconciler.kinds.vm.wire import MARK, read_domain, write_mark
from reconciler.readings import Counters, DomainReading, PoolReading
from tests.contract.doors import DOORS, Door

UUID = "04d62e50-c2b7-4727-9e67-b30b32ed604c"
OTHER = "14d62e50-c2b7-4727-9e67-b30b32ed604c"
XML = (
    "<domain type='{type}'><name>{name}</name><uuid>{uuid}</uuid><memory unit='KiB'>{memory}</memory><vcpu>1</vcpu>"
    "<os><type>hvm</type></os><devices><interface type='network'><mac address='52:54:00:00:00:01'/>"
    "<source network='default'/></interface></devices></domain>"
)
NEW = "<volume><name>{name}</name><capacity unit='bytes'>1048576</capacity><allocation>0</allocation></volume>"


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Door]:
    made = DOORS[request.param](tmp_path)
    yield made
    made.close()


def _define(door: Door, name: str = "web", uuid: str = UUID, memory: int = 65536) -> str:
    xml = XML.format(type=door.domain_type, name=name, uuid=uuid, memory=memory)
    return door.hypervisor.define_domain(door.card, xml)


def _seen(door: Door, uuid: str = UUID) -> DomainReading:
    reading = door.hypervisor.domain(door.card, uuid)
    assert reading is not None
    return reading


def _pool(door: Door, name: str) -> PoolReading:
    return next(pool for pool in door.hypervisor.inventory(door.card).pools if pool.name == name)


def _volumes(door: Door) -> set[str]:
    return {volume.name for volume in _pool(door, "store").volumes}


def test_a_defined_domain_is_there_and_off(door: Door) -> None:
    assert _define(door) == UUID
    reading = _seen(door)
    assert (reading.uuid, reading.name, reading.state) == (UUID, "web", "shutoff")
    assert reading.persistent
    assert not reading.autostart
    assert not reading.migrating
    assert reading.live == ""
    assert reading.keeps == ()
    assert read_domain(reading, {}).memory == 64 * 2**20
    assert "<name>web</name>" in door.hypervisor.domain_xml(door.card, UUID)


def test_the_inventory_reads_a_domain_as_the_single_question_does(door: Door) -> None:
    _define(door)
    inventory = door.hypervisor.inventory(door.card)
    assert next(domain for domain in inventory.domains if domain.uuid == UUID) == _seen(door)
    assert inventory.memory > 2**20
    assert inventory.cpus >= 1


def test_what_is_not_there(door: Door) -> None:
    assert door.hypervisor.domain(door.card, OTHER) is None
    for call in (
        lambda: door.hypervisor.domain_xml(door.card, OTHER),
        lambda: door.hypervisor.start_domain(door.card, OTHER),
        lambda: door.hypervisor.shutdown_domain(door.card, OTHER),
        lambda: door.hypervisor.undefine_domain(door.card, OTHER),
        lambda: door.hypervisor.resume_domain(door.card, OTHER),
        lambda: door.hypervisor.set_autostart(door.card, OTHER, True),
        lambda: door.hypervisor.set_metadata(door.card, OTHER, MARK, write_mark("vpd")),
        lambda: door.hypervisor.start_pool(door.card, "nothere"),
        lambda: door.hypervisor.refresh_pool(door.card, "nothere"),
        lambda: door.hypervisor.volume_xml(door.card, "/nothere/x.img"),
    ):
        with pytest.raises(Refused, match="alone: libvirt says: "):
            call()


CPU = "<domain type='kvm'><os><type arch='x86_64'>hvm</type></os>{cpu}</domain>"
MODEL = "<cpu mode='custom'><model>{model}</model></cpu>"


@pytest.mark.parametrize("cpu", ["", "<cpu mode='host-passthrough'/>", "<cpu><topology sockets='1'/></cpu>"])
def test_a_cpu_without_a_model_cannot_be_compared(door: Door, cpu: str) -> None:
    assert door.hypervisor.compare_cpu(door.card, CPU.format(cpu=cpu)) == "unknown"


@pytest.mark.parametrize(("model", "word"), [("qemu64", "superset"), ("Cray-1", "incompatible")])
def test_a_cpu_is_compared_with_what_the_hypervisor_gives(door: Door, model: str, word: str) -> None:
    said = door.hypervisor.compare_cpu(door.card, CPU.format(cpu=MODEL.format(model=model)))
    if "compare" in door.lacks:
        assert said == "unknown"
        pytest.skip(door.lacks["compare"])
    assert said == word


def test_a_name_belongs_to_one_uuid(door: Door) -> None:
    _define(door)
    with pytest.raises(Refused, match="already"):
        _define(door, uuid=OTHER)
    assert door.hypervisor.domain(door.card, OTHER) is None


def test_defined_again_it_is_changed(door: Door) -> None:
    _define(door)
    _define(door, memory=131072)
    assert read_domain(_seen(door), {}).memory == 128 * 2**20


def test_a_running_domain_keeps_its_live_definition_until_the_next_boot(door: Door) -> None:
    _define(door)
    door.hypervisor.start_domain(door.card, UUID)
    _define(door, memory=131072)
    reading = _seen(door)
    assert reading.state == "running"
    assert read_domain(reading, {}).memory == 128 * 2**20
    assert ">65536<" in reading.live


def test_only_a_paused_domain_is_resumed_and_nothing_leaves_a_host_alone(door: Door) -> None:
    _define(door)
    door.hypervisor.start_domain(door.card, UUID)
    with pytest.raises(Refused, match="paused"):
        door.hypervisor.resume_domain(door.card, UUID)
    assert _seen(door).reason == ""
    for uuid in (UUID, OTHER) if "jobs" not in door.lacks else ():
        assert door.hypervisor.running_job(door.card, uuid) is None


def test_start_and_shut_down(door: Door) -> None:
    _define(door)
    door.hypervisor.start_domain(door.card, UUID)
    assert (_seen(door).state, bool(_seen(door).live)) == ("running", True)
    door.hypervisor.shutdown_domain(door.card, UUID)
    door.wait()
    assert (_seen(door).state, _seen(door).live) == ("shutoff", "")


def test_counters_are_of_a_running_domain_and_do_not_fall(door: Door) -> None:
    assert door.hypervisor.counters(door.card, UUID) is None
    _define(door)
    assert door.hypervisor.counters(door.card, UUID) is None
    door.hypervisor.start_domain(door.card, UUID)
    first = door.hypervisor.counters(door.card, UUID)
    door.wait()
    then = door.hypervisor.counters(door.card, UUID)
    assert first is not None
    assert then is not None
    assert then.at > first.at
    assert all(getattr(then, name) >= getattr(first, name) for name in Counters.__slots__)
    door.hypervisor.shutdown_domain(door.card, UUID)
    door.wait()
    assert door.hypervisor.counters(door.card, UUID) is None


def test_writing_is_measured_of_a_running_domain_where_the_hypervisor_can(door: Door) -> None:
    assert door.hypervisor.dirty_rate(door.card, UUID, 1, deadline=5) is None
    _define(door)
    assert door.hypervisor.dirty_rate(door.card, UUID, 1, deadline=5) is None
    door.hypervisor.start_domain(door.card, UUID)
    measured = door.hypervisor.dirty_rate(door.card, UUID, 1, deadline=5)
    assert measured == (None if "dirty" in door.lacks else 3 * 2**20)


def test_autostart(door: Door) -> None:
    _define(door)
    for on in (True, True, False):
        door.hypervisor.set_autostart(door.card, UUID, on)
        assert _seen(door).autostart is on


@pytest.mark.parametrize("running", [False, True])
def test_our_mark_is_read_as_it_was_written(door: Door, running: bool) -> None:
    _define(door)
    if running:
        door.hypervisor.start_domain(door.card, UUID)
    door.hypervisor.set_metadata(door.card, UUID, MARK, write_mark("vpd", "", ["p/one.img", "p/two.img"]))
    state = read_domain(_seen(door), {})
    assert (state.fleet, state.making) == ("vpd", ("p/one.img", "p/two.img"))
    door.hypervisor.set_metadata(door.card, UUID, MARK, write_mark("vpd", "0123"))
    state = read_domain(_seen(door), {})
    assert (state.fleet, state.digest, state.making) == ("vpd", "0123", ())


@pytest.mark.parametrize("running", [False, True])
def test_a_note_beside_the_mark_is_written_and_taken_away(door: Door, running: bool) -> None:
    _define(door)
    if running:
        door.hypervisor.start_domain(door.card, UUID)
    making, left = (VolumeAt("two", "p", "a b%.img"),), (VolumeAt("one", "p", "a b%.img"),)
    door.hypervisor.set_metadata(door.card, UUID, MARK, write_mark("vpd"))
    door.hypervisor.set_metadata(door.card, UUID, COPIES, write_copies(making, left))
    state = read_domain(_seen(door), {})
    assert (state.fleet, state.copying, state.left) == ("vpd", making, left)
    for _ in range(2):
        door.hypervisor.set_metadata(door.card, UUID, COPIES, write_copies((), ()))
        state = read_domain(_seen(door), {})
        assert (state.fleet, state.copying, state.left) == ("vpd", (), ())


def test_undefined_it_is_gone(door: Door) -> None:
    if "undefine" in door.lacks:
        pytest.skip(door.lacks["undefine"])
    _define(door)
    door.hypervisor.undefine_domain(door.card, UUID)
    assert door.hypervisor.domain(door.card, UUID) is None


def test_the_life_of_a_pool(door: Door) -> None:
    xml = "<pool type='dir'><name>more</name><target><path>/more</path></target></pool>"
    door.hypervisor.define_pool(door.card, xml)
    assert (_pool(door, "more").active, _pool(door, "more").autostart) == (False, False)
    assert "<uuid>" in _pool(door, "more").xml
    door.hypervisor.build_pool(door.card, "more")
    door.hypervisor.start_pool(door.card, "more")
    door.hypervisor.set_pool_autostart(door.card, "more", True)
    assert (_pool(door, "more").active, _pool(door, "more").autostart) == (True, True)
    assert _pool(door, "more").capacity > 0
    door.hypervisor.stop_pool(door.card, "more")
    stopped = _pool(door, "more")
    assert (stopped.active, stopped.capacity, stopped.volumes) == (False, 0, ())
    with pytest.raises(Refused):
        door.hypervisor.refresh_pool(door.card, "more")


def test_a_volume_is_copied_once_and_deleted_twice(door: Door) -> None:
    heard: list[int] = []
    source = f"{door.target}/base.img"
    door.hypervisor.copy_volume(door.card, source, "store", NEW.format(name="copy.img"), heard.append)
    assert _volumes(door) == {"base.img", "copy.img"}
    xml = door.hypervisor.volume_xml(door.card, f"{door.target}/copy.img")
    assert "<capacity" in xml
    assert "<allocation" in xml
    with pytest.raises(Refused, match="exist"):
        door.hypervisor.copy_volume(door.card, source, "store", NEW.format(name="copy.img"), heard.append)
    for _ in range(2):
        door.hypervisor.delete_volume(door.card, "store", "copy.img")
        assert _volumes(door) == {"base.img"}


def test_a_copy_of_nothing_is_refused(door: Door) -> None:
    with pytest.raises(Refused):
        door.hypervisor.copy_volume(door.card, f"{door.target}/no.img", "store", NEW.format(name="x"), lambda n: None)
    assert _volumes(door) == {"base.img"}


def test_a_pool_that_takes_anothers_target_is_refused(door: Door) -> None:
    xml = f"<pool type='dir'><name>twin</name><target><path>{door.target}</path></target></pool>"
    with pytest.raises(Refused):
        door.hypervisor.define_pool(door.card, xml)
