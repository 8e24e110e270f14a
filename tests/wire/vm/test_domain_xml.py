"""Domain XML as hosts wrote it: read to a state, made another VM's, and nothing foreign lost on the way.

Files named `libvirt-...` were captured from the lab; `made-of-everything` has what the lab has not.
"""

from pathlib import Path

import pytest

from reconciler.kinds.vm.domain_xml import clone_xml, marked, with_resources, with_uuid
from reconciler.kinds.vm.move_mark import with_notes
from reconciler.kinds.vm.state import Disk, DomainState, Nic, WantedNic
from reconciler.kinds.vm.wire import (
    foreign,
    from_xml,
    guest_of,
    parse,
    read_domain,
    read_mark,
    read_neighbours,
    read_ssh,
)
from reconciler.readings import DomainReading, Reply

HERE = Path(__file__).parent
FILES = sorted(path.name for path in HERE.glob("*.xml"))
UUID = "00000000-0000-4000-8000-000000000001"
IMAGES = "/var/lib/libvirt/images"


def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _stored(name: str) -> DomainState:
    return from_xml("any", _text(name))


def test_a_running_vm_of_the_lab() -> None:
    stored, live = _text("libvirt-9.0-mvp4_lqd25-stored.xml"), _text("libvirt-9.0-mvp4_lqd25-running.xml")
    mac = "00:16:3e:31:13:b3"
    reading = DomainReading("0bd7738d-217d-5771-b511-64b51c8c1528", "mvp4_lqd25", "running", stored, live)
    state = read_domain(reading, {mac: "10.77.0.169"})
    assert (state.power, state.vcpus, state.memory, state.fleet) == ("running", 1, 256 * 2**20, "vpd")
    path = "/var/lib/libvirt/images/COMPARTIDO/pc25_LQD_ANFITRION1_p4.qcow2"
    assert state.disks == (Disk("vda", path, "file", "qcow2", "none"),)
    assert state.nics == (Nic(mac, "vpd"),)
    assert state.addresses == ("10.77.0.169",)
    assert (state.machine, state.cpu, state.console) == ("pc-q35-7.2", "custom:qemu64", True)
    assert state.label == "+64055:+64055"
    assert (state.virt, state.emulator, state.bound) == ("qemu", "/usr/bin/qemu-system-x86_64", ())
    guest = parse(state.guest)
    assert (guest.get("type"), guest.find("os/type").get("machine")) == ("qemu", "pc-q35-7.2")
    assert guest.findtext("cpu/model") == "qemu64"
    assert {child.tag for child in guest} == {"os", "cpu"}


def test_what_ties_a_vm_to_its_host_is_read() -> None:
    bound = (
        "<memoryBacking><hugepages/></memoryBacking><cputune><vcpupin vcpu='0' cpuset='1'/></cputune>"
        "<numatune><memory mode='strict' nodeset='0'/></numatune>"
    )
    text = f"<domain type='kvm'><name>a</name><vcpu>1</vcpu><os><type>hvm</type></os>{bound}</domain>"
    assert from_xml("a", text).bound == ("pinned vCPUs", "NUMA nodes", "huge pages")
    assert guest_of(text) == ""


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("OpenSSH_9.2p1 Debian-2+deb12u3, OpenSSL 3.0.14 4 Jun 2024", {"OpenSSH": "9.2p1"}),
        ("OpenSSH_8.7p1, OpenSSL 3.0.7", {"OpenSSH": "8.7p1"}),
        ("sh: ssh: not found", {}),
    ],
)
def test_the_version_of_ssh(said: str, version: dict[str, str]) -> None:
    assert read_ssh(Reply(0, "", said)) == version


def test_everything_is_read() -> None:
    state = _stored("made-of-everything.xml")
    assert (state.memory, state.vcpus, state.cpu) == (2 * 2**30, 4, "host-passthrough")
    assert state.disks == (
        Disk("vda", f"{IMAGES}/base.qcow2", "file", "qcow2", "none", beneath=f"{IMAGES}/golden.qcow2"),
        Disk("vdb", "/dev/vg0/data", "block", "raw", shareable=True),
        Disk("vdc", "pool/image", "network", "raw"),
        Disk("sda", "", "file", "raw", readonly=True),
    )
    assert state.nics[0].mac == "52:54:00:aa:bb:cc"
    assert state.nics[1] == Nic("52:54:00:aa:bb:cd", "", "br0")
    assert state.immovable == ("host device (pci)", "shared folder (mount)")
    assert state.nvram.endswith("base_VARS.fd")


@pytest.mark.parametrize("name", FILES)
def test_our_mark_is_written_once_and_foreign_words_stay(name: str) -> None:
    text = _text(name)
    again = marked(marked(text, "one", making=["p/a"]), "two", "0123")
    root = parse(again)
    assert read_mark(root) == ("two", "0123", ())
    assert again.count("urn:reconciler:vm") == 1
    assert ("libosinfo" in again) == ("libosinfo" in text)
    before, after = _stored(name), from_xml("any", again)
    assert (after.disks, after.nics, after.memory) == (before.disks, before.nics, before.memory)


def test_a_clone_has_nothing_of_its_base_but_its_shape() -> None:
    disks = {"vda": ("/srv/clone.qcow2", "qcow2")}
    nics = (WantedNic("52:54:00:00:00:01", "lan"), WantedNic("52:54:00:00:00:02", "", "br7"))
    text = clone_xml(_text("made-of-everything.xml"), "clone", UUID, disks, nics)
    root, state = parse(text), from_xml("clone", text)
    assert (root.findtext("name"), root.findtext("uuid"), root.get("id")) == ("clone", UUID, None)
    assert root.findtext("sysinfo/system/entry") == UUID
    assert not root.findtext("genid")
    assert state.disks[0] == Disk("vda", "/srv/clone.qcow2", "file", "qcow2", "none")
    assert state.disks[1:] == _stored("made-of-everything.xml").disks[1:]
    assert state.nics == (Nic("52:54:00:00:00:01", "lan"), Nic("52:54:00:00:00:02", "", "br7"))
    assert state.nvram == "/var/lib/libvirt/qemu/nvram/clone_VARS.fd"
    assert root.find("devices/interface/target") is None
    assert root.find("devices/disk/backingStore") is None
    assert root.find("devices/graphics").get("port") == "-1"
    assert root.find("devices/serial/source").get("path") == "/var/log/libvirt/qemu/clone-serial.log"
    assert "domain-7-base" not in text
    assert "2f05769a" not in text


def test_a_name_cannot_become_markup() -> None:
    text = clone_xml(
        _text("libvirt-9.0-mvp1-shutoff.xml"), "a<b>&c", UUID, {"vda": ("/x'\"<y>", "qcow2")}, (WantedNic("m"),)
    )
    root = parse(text)
    assert root.findtext("name") == "a<b>&c"
    assert root.find("devices/disk/source").get("file") == "/x'\"<y>"


def test_resources_change_and_nothing_else() -> None:
    text = _text("made-of-everything.xml")
    state = from_xml("base", with_resources(text, 2, 3 * 2**30))
    assert (state.vcpus, state.memory) == (2, 3 * 2**30)
    assert "current=" not in with_resources(text, 2, None)
    assert from_xml("base", with_resources(text, None, 2**30)).vcpus == 4


def test_a_uuid_is_given_only_where_there_is_none() -> None:
    text = _text("libvirt-9.0-mvp1-shutoff.xml")
    assert with_uuid(text, UUID).count(UUID) == 0
    bare = "<domain type='kvm'><name>x</name><memory>1</memory><os><type>hvm</type></os></domain>"
    assert parse(with_uuid(bare, UUID)).findtext("uuid") == UUID


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]><domain><name>&e;</name></domain>',
        "<domain>",
        "",
        "<a>" * 5000,
        "not xml",
    ],
)
def test_hostile_xml_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"XML"):
        parse(text)


def test_an_incomplete_domain_is_an_error() -> None:
    with pytest.raises(ValueError, match="not complete"):
        from_xml("x", "<domain><name>x</name></domain>")


def test_neighbours_that_failed_are_no_address() -> None:
    text = (
        "10.77.0.169 dev br0 lladdr 00:16:3e:31:13:b3 REACHABLE\n"
        "10.77.0.170 dev br0  FAILED\n10.77.0.171 dev br0 lladdr 00:16:3e:31:13:b4 FAILED\n\n"
    )
    assert read_neighbours(text) == {"00:16:3e:31:13:b3": "10.77.0.169"}


def test_metadata_is_the_place_for_other_namespaces() -> None:
    qemu = "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"
    kept = parse("<domain><metadata><o:a xmlns:o='u:o'><o:b/></o:a></metadata><name>a</name></domain>")
    assert foreign(kept) == ()
    assert foreign(parse(f"<domain {qemu}><name>a</name><qemu:commandline/></domain>")) == ("qemu:commandline",)
    assert foreign(parse("<domain><devices><x xmlns='u:x'/></devices></domain>")) == ("x",)


@pytest.mark.parametrize(
    ("written", "read"), [("1048576", 1048576), ("0", 0), ("", None), ("-1", None), ("1e9", None), ("9" * 40, None)]
)
def test_a_pace_is_read_from_the_mark_and_nonsense_is_not(written: str, read: int | None) -> None:
    xml = with_notes(_text("libvirt-9.0-mvp1-shutoff.xml"), dirty=written, downtime=written)
    state = from_xml("mvp1", xml)
    assert (state.dirty, state.downtime) == (read, read)
