"""Wrong fields, types and names in well-formed YAML: each at its own line, all of them at once.

References between documents are the business of test_reference_mistakes.
"""

import pytest

from tests.unit.bad_input.conftest import HOST, Validate

ENVELOPE = "apiVersion: reconciler/v1alpha1\nkind: Host\nmetadata:\n  name: {name}\nspec: {{fqdn: a.test.lan}}\n"


def test_every_mistake_of_every_file_is_told_at_once(validate: Validate) -> None:
    said = validate(
        {
            "a.yaml": HOST + "  colour: red\n  address: 7\n  maintenance: maybe\n  reserve:\n    memory: 5GB\n",
            "b/b.yml": "apiVersion: v1\nkind: Pod\nmetadata: {nam: x}\nspec: {}\nstatus: {}\n",
            "c.yaml": HOST.replace("name: a", "name: c") + "---\n" + HOST.replace("fqdn: a.test.lan", "fqdn: nodots"),
        }
    )
    assert said.code == 1
    assert said.out == ""
    assert said.at == [
        *("a.yaml:6", "a.yaml:7", "a.yaml:8", "a.yaml:10"),
        *("b/b.yml:1", "b/b.yml:2", "b/b.yml:3", "b/b.yml:3", "b/b.yml:5"),
        "c.yaml:11",
    ]
    assert said.err.endswith("10 mistakes; nothing was done.\n")


def test_an_unknown_field_is_named_with_its_path(validate: Validate) -> None:
    said = validate(HOST + "  migration:\n    adress: 10.0.0.1\n")
    assert (said.code, said.at, said.messages) == (1, ["a.yaml:7"], ["unknown field 'spec.migration.adress'"])


@pytest.mark.parametrize(
    ("field", "word"),
    [
        ("address: 7", "write a text"),
        ("maintenance: yes", "boolean"),
        ("services: libvirtd", "list"),
        ("reserve: {memory: 5}", "write a text"),
        ("reserve: {memory: 5GB}", "GiB"),
        ("connection: {port: '22'}", "not a port"),
        ("connection: {hostKeys: [ssh-ed25519]}", "not an SSH public key"),
        ("connection: {user: 'root; reboot'}", "not a Unix user name"),
        ("migration: 10.0.0.1", "dictionary"),
    ],
)
def test_a_wrong_type(validate: Validate, field: str, word: str) -> None:
    said = validate(HOST + f"  {field}\n")
    assert (said.code, said.at) == (1, ["a.yaml:6"])
    assert word in said.messages[0]


def test_a_missing_field(validate: Validate) -> None:
    said = validate("apiVersion: reconciler/v1alpha1\nkind: Host\nmetadata: {name: a}\nspec: {}\n")
    assert (said.code, said.at, said.messages) == (1, ["a.yaml:4"], ["'spec.fqdn' is missing"])


def test_a_duplicate_name(validate: Validate) -> None:
    other = HOST.replace("a.test.lan", "b.test.lan")
    said = validate({"a.yaml": HOST + "---\n" + other, "b.yaml": other.replace("b.test", "c.test")})
    assert (said.code, said.at) == (1, ["a.yaml:7", "b.yaml:1"])
    fix = "(rename or remove one of them)"
    assert set(said.messages) == {f"Host 'a' is declared twice; first at a.yaml:1 {fix}"}


BAD_NAMES = {
    "slash": '"a/b"',
    "dots": '".."',
    "dots inside": '"a..b"',
    "shell": '"$(reboot)"',
    "backticks": '"`id`"',
    "newline": '"a\\nb"',
    "bell": '"a\\u0007b"',
    "escape": '"\\u001b[31m"',
    "bidi": '"a\\u202eb"',
    "zero width": '"a\\u200bb"',
    "letter of another script": '"аdmin"',
    "option": "-rf",
    "percent": '"%u"',
    "space": '"a b"',
    "nothing": '""',
    "null": "null",
    "number": "12",
    "list": "[a]",
    "64 long": "a" * 64,
}


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES.keys())
def test_a_bad_name(validate: Validate, name: str) -> None:
    said = validate(ENVELOPE.format(name=name))
    assert said.code == 1
    assert set(said.at) == {"a.yaml:4"}
    assert any("name" in message for message in said.messages)
    assert all(character.isprintable() for character in said.err.replace("\n", ""))


def test_bad_names_of_other_things(validate: Validate) -> None:
    said = validate(
        HOST
        + "---\napiVersion: reconciler/v1alpha1\nkind: VirtualMachine\nmetadata: {name: web}\nspec:\n"
        + "  placement: {host: a}\n  source:\n    clone:\n      from: ../base\n      disks:\n"
        + "        - target: vda\n          pool: a/b\n          volume: ../../etc/shadow\n"
    )
    assert (said.code, said.at) == (1, ["a.yaml:14", "a.yaml:17", "a.yaml:18"])


FIREWALL = """\
---
apiVersion: reconciler/v1alpha1
kind: Firewall
metadata: {name: f}
spec:
  hosts: all
  zones:
    - name: public
      ports:
        - 0/tcp
        - 70000/tcp
        - 5-3/tcp
        - x/tcp
        - "22"
        - 22
        - 22/tls
"""


def test_impossible_ports(validate: Validate) -> None:
    said = validate(HOST + "  connection: {port: 70000}\n  migration: {ports: 5-3}\n" + FIREWALL)
    assert said.code == 1
    assert said.at == [f"a.yaml:{line}" for line in (6, 7, 17, 18, 19, 20, 21, 22, 23)]
    assert all("port" in message or "write a text" in message for message in said.messages)


def test_labels_are_plain_texts(validate: Validate) -> None:
    said = validate(HOST.replace("{name: a}", "{name: a, labels: {rack: 3, 'a b': c, ok: fine}}"))
    assert (said.code, said.at) == (1, ["a.yaml:3", "a.yaml:3"])
