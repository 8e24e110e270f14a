"""Documents that are well alone and wrong together: references to nothing, things that two of them claim.

A base VM is on a host and not in the specs, so its absence shows in `plan`, against a snapshot.
"""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reconciler.cli.app import app
from tests.unit.bad_input.conftest import HOST, Validate

POOL = """\
---
apiVersion: reconciler/v1alpha1
kind: StoragePool
metadata: {name: p}
spec: {hosts: [a], type: dir, target: /srv/p}
"""
VM = """\
---
apiVersion: reconciler/v1alpha1
kind: VirtualMachine
metadata: {name: web}
spec:
  placement: {host: a}
  source:
    clone:
      from: base
      disks:
        - {target: vda, pool: p, volume: web.qcow2}
  interfaces:
    - mac: "52:54:00:00:00:01"
"""
XML = "<domain type='kvm'><name>web</name><memory>1</memory><os><type>hvm</type></os></domain>"
QEMU = """<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
<qemu:arg value='-chardev'/></qemu:commandline></domain>"""
FROM_XML = "\n".join([*VM.splitlines()[:6], "  source: {domainXML: web.xml}"]) + "\n"


def test_these_alone_are_well(validate: Validate) -> None:
    assert validate({"a.yaml": HOST + POOL, "vm.yaml": VM[4:]}).code == 0


def test_a_reference_to_nothing(validate: Validate) -> None:
    vm = VM[4:].replace("host: a", "host: ghost").replace("pool: p", "pool: nopool")
    said = validate({"a.yaml": HOST + POOL.replace("[a]", "[a, ghost]"), "vm.yaml": vm})
    assert (said.code, said.at) == (1, ["a.yaml:10", "vm.yaml:5", "vm.yaml:10"])
    assert ["ghost" in m or "nopool" in m for m in said.messages] == [True, True, True]


def test_a_selector_of_no_host(validate: Validate) -> None:
    said = validate(HOST + POOL.replace("[a]", "{matchLabels: {role: none}}"))
    assert (said.code, said.at) == (1, ["a.yaml:10"])


def test_a_pool_that_is_not_on_the_host(validate: Validate) -> None:
    other = HOST.replace("name: a", "name: b").replace("a.test", "b.test")
    said = validate({"a.yaml": HOST, "b.yaml": other, "p.yaml": POOL.replace("[a]", "[b]"), "vm.yaml": VM[4:]})
    assert (said.code, said.at) == (1, ["vm.yaml:10"])


def test_two_vms_with_one_mac_and_one_volume(validate: Validate) -> None:
    said = validate({"a.yaml": HOST + POOL, "one.yaml": VM[4:], "two.yaml": VM[4:].replace("name: web", "name: two")})
    assert (said.code, said.at) == (1, ["two.yaml:10", "two.yaml:12"])
    assert "one.yaml:10" in said.messages[0]
    assert "MAC 52:54:00:00:00:01 is already web's (one.yaml:12)" in said.messages[1]


def test_a_mac_is_one_mac_in_any_case(validate: Validate) -> None:
    upper = VM[4:].replace("name: web", "name: two").replace("web.qcow2", "two.qcow2")
    one, two = VM[4:].replace("00:01", "00:ab"), upper.replace("00:01", "00:AB")
    assert validate({"a.yaml": HOST + POOL, "one.yaml": one, "two.yaml": two}).at == ["two.yaml:12"]


def test_a_clone_of_itself_and_one_without_disks(validate: Validate) -> None:
    lines = VM[4:].replace("name: web", "name: bare").splitlines()
    bare = "\n".join([*lines[:5], "  source:", "    clone: {from: base}"]) + "\n"
    said = validate({"a.yaml": HOST + POOL, "bare.yaml": bare, "vm.yaml": VM[4:].replace("from: base", "from: web")})
    assert (said.code, said.at) == (1, ["bare.yaml:7", "vm.yaml:8"])


def test_two_hosts_with_one_name_or_address(validate: Validate) -> None:
    other = HOST.replace("name: a", "name: b")
    said = validate({"a.yaml": HOST + "  address: 10.0.0.1\n", "b.yaml": other + "  address: 10.0.0.1\n"})
    assert (said.code, said.at) == (1, ["b.yaml:5", "b.yaml:6"])


def test_two_fleets(validate: Validate) -> None:
    fleet = "apiVersion: reconciler/v1alpha1\nkind: Fleet\nmetadata: {name: one}\nspec: {}\n"
    said = validate({"a.yaml": fleet, "b.yaml": fleet.replace("one", "two")})
    assert (said.code, said.at) == (1, ["b.yaml:1"])


@pytest.mark.parametrize(
    ("named", "xml", "word"),
    [
        ("../web.xml", XML, "inside the specs' folder"),
        ("/etc/passwd", XML, "inside the specs' folder"),
        ("nothere.xml", XML, "no such file"),
        ("web.xml", '<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + XML.replace("web", "&e;"), "DOCTYPE"),
        ("web.xml", XML.replace("web", "other"), "not domain 'web'"),
        ("web.xml", XML.replace("</domain>", QEMU), "qemu:arg, qemu:commandline tells the hypervisor"),
        ("web.xml", "<network><name>web</name></network>", "not domain 'web'"),
        ("web.xml", "not XML at all", "not XML"),
        ("web.xml", "<domain>" * 100_000, "not XML"),
    ],
)
def test_a_domain_xml_that_is_not_taken(validate: Validate, named: str, xml: str, word: str) -> None:
    vm = FROM_XML[4:].replace("web.xml", named)
    said = validate({"a.yaml": HOST, "vm.yaml": vm, "web.xml": xml, "../web.xml": xml})
    assert said.code == 1
    assert said.at in (["vm.yaml:1"], ["vm.yaml:6"])
    assert word in said.messages[0]
    assert "root:" not in said.err


def test_a_link_out_of_the_folder_is_not_followed(validate: Validate, tmp_path: Path) -> None:
    (tmp_path / "secret.xml").write_text(XML, encoding="utf-8")
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "web.xml").symlink_to(tmp_path / "secret.xml")
    (tmp_path / "specs").rename(tmp_path / "kept")
    (tmp_path / "kept" / "a.yaml").write_text(HOST + FROM_XML, encoding="utf-8")
    result = CliRunner().invoke(app, ["validate", str(tmp_path / "kept")])
    assert result.exit_code == 1
    assert "inside the specs' folder" in result.stderr


def test_a_base_vm_that_is_on_no_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(HOST + POOL + VM, encoding="utf-8")
    Path("empty.json").write_text(json.dumps({"version": 1, "taken": 1, "objects": {}}), encoding="utf-8")
    result = CliRunner().invoke(app, ["plan", ".", "--snapshot", "empty.json"])
    assert result.exit_code == 1
    assert "  ! a.yaml:12: vm/web@a: the base VM 'base' is on no host (correct source.clone.from)" in result.stdout


FLEET = "---\napiVersion: reconciler/v1alpha1\nkind: Fleet\nmetadata: {name: f}\n"
SIGNED = f"{HOST}{FLEET}spec: {{defaults: {{access: {{mode: certificate"
LINE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPKmZPxQyfZs3TcwQm0aZ7pYb3nXyQ0d7Q2r8w5kS1uV me@here"


@pytest.mark.parametrize(
    ("fields", "mistakes"),
    [
        ("", ["needs access.authorityFile", "needs access.authorityKey"]),
        (f", authorityKey: {LINE}", ["needs access.authorityFile"]),
        (f", authorityFile: here, authorityKey: {LINE}", ["not an absolute path"]),
        (", authorityFile: ~/a, authorityKey: ssh-dss AAAA", ["not an SSH public key"]),
        (f", authorityFile: ~/a, authorityKey: {LINE}", []),
    ],
)
def test_a_certificate_needs_both_halves_of_its_authority(validate: Validate, fields: str, mistakes: list[str]) -> None:
    said = validate(f"{SIGNED}{fields}}}}}}}\n")
    assert len(said.messages) == len(mistakes)
    assert all(mistake in message for mistake, message in zip(mistakes, sorted(said.messages), strict=True))
    assert said.at == ["a.yaml:10"] * len(mistakes)
