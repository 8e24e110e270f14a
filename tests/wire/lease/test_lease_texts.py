"""Leases in the hosts' languages: a key line is read as it was written, and lets in nobody else.

The gate's answer was captured from the lab's firewalld.
"""

import json
from pathlib import Path

import pytest

from reconciler.kind import Sight
from reconciler.kinds.lease.state import PRIORITY, Gate, LeaseState
from reconciler.kinds.lease.wire import key_line, read, read_gate, read_keys, read_rules, read_secrets, rich_rule
from reconciler.model.action import Passage
from reconciler.model.fleet import Fleet, HostCard
from reconciler.model.ref import Place
from reconciler.readings import Reply

HERE = Path(__file__).parent
WAY = Passage("a1b2c3d4e5f6", "lq-d25", "lq-d26", "10.77.0.11", "10.77.0.12", 49152, "FedoraServer")
PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPKmZPx reconciler-lease:a1b2c3d4e5f6.web\n"


def test_a_key_line_says_who_what_and_until_when() -> None:
    line = key_line(WAY, "web", PUBLIC, "20261123150000Z")
    options, kind, key, comment = line.split(" ssh-ed25519 ")[0], *line.split()[-3:]
    assert (
        options == 'restrict,from="10.77.0.11",expiry-time="20261123150000Z",command="virt-ssh-helper qemu:///system"'
    )
    assert (kind, key) == ("ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIPKmZPx")
    assert comment == "reconciler-lease:a1b2c3d4e5f6.web"


@pytest.mark.parametrize("until", ["20261123150000Z", "20261123150000"])
def test_a_key_line_is_read_as_it_was_written(until: str) -> None:
    line = key_line(WAY, "web.1", PUBLIC, until)
    assert read_keys(f"root {line}\n") == [
        LeaseState("key", "a1b2c3d4e5f6", "web.1", "root", peer="10.77.0.11", until=until)
    ]


@pytest.mark.parametrize(
    "public", ["", "ssh-ed25519", "command=sh AAAA", 'ssh-ed25519 AAAA"\nevil', "ssh-ed25519 $(id)"]
)
def test_what_is_no_public_key_lets_nobody_in(public: str) -> None:
    try:
        line = key_line(WAY, "web", public, "20261123150000Z")
    except ValueError:
        return
    assert "\n" not in line
    assert "evil" not in line


def test_secrets_by_folder_and_by_known_host_are_one() -> None:
    assert read_secrets("a1.web\nb2.db.x\na1.web\n") == [
        LeaseState("secret", "a1", "web"),
        LeaseState("secret", "b2", "db.x"),
    ]
    assert read_secrets("") == []


def test_rules_of_ours_among_others() -> None:
    rules = [rich_rule("10.77.0.11", 49152), 'rule family="ipv4" source address="10.0.0.1/32" accept']
    answers = {"FedoraServer": rules, "public": []}
    text = "".join(f"{zone} {json.dumps({'type': 'as', 'data': [found]})}\n" for zone, found in answers.items())
    assert read_rules(text) == [LeaseState("port", zone="FedoraServer", peer="10.77.0.11", port=49152)]
    assert f'priority="{PRIORITY}"' in rules[0]


def test_the_labs_gate() -> None:
    texts = json.loads((HERE / "debian-12.json").read_text(encoding="utf-8"))
    assert read_gate(texts["gate"], texts["listening"]) == Gate("10.77.0.11", "FedoraServer", True, (), (22,))
    assert read_keys(texts["keys"]) == read_secrets(texts["secrets"]) == read_rules(texts["rules"]) == []


def test_a_gate_without_firewalld() -> None:
    assert read_gate("address 10.0.0.1\n", "") == Gate("10.0.0.1", "", False, (), ())


def test_standing_ports_of_a_gate() -> None:
    def gate(ports: list[list[str]], target: str = "default") -> Gate:
        values = {"ports": {"type": "a(ss)", "data": ports}, "target": {"type": "s", "data": target}}
        answer = json.dumps({"type": "a{sv}", "data": [values]})
        return read_gate(f"address 10.0.0.1\nzone work\n{answer}\n", "")

    assert gate([["49152-49216", "tcp"], ["53", "udp"], ["22", "tcp"]]).allowed == ((22, 22), (49152, 49216))
    assert gate([], "ACCEPT").allowed == ((1, 65535),)


@pytest.mark.parametrize(
    "said",
    ["10.0.0.0/8", "*", '10.0.0.1",command="sh', "0", "any", "10.0.0.1,10.0.0.2", "::/0", "!10.0.0.1", "10.0.0.01"],
)
def test_a_gate_whose_address_is_not_one_address_is_no_gate(said: str) -> None:
    assert read_gate(f"address {said}\nzone work\n", "").address == ""


def test_a_declared_address_stands_whatever_the_host_says() -> None:
    replies = {name: Reply(0, "") for name in ("gate", "listening", "keys", "secrets", "rules", "permanent", "papers")}
    replies["gate"] = Reply(0, "address 10.0.0.99\nzone work\n")
    for declared, address in (("10.77.0.11", "10.77.0.11"), ("", "10.0.0.99")):
        host = HostCard("a", "a.lan", "10.77.0.11", migration_address=declared)
        assert dict(read(Sight(host, Fleet(), replies, None)))[Place("gate", "a", "a")].address == address


def test_a_clock_that_gives_no_time_lets_nobody_in() -> None:
    with pytest.raises(ValueError, match="clock"):
        key_line(WAY, "web", PUBLIC, '20261123150000Z"\nssh-ed25519 AAAA')
