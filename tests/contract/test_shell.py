"""What every Shell keeps to, on the fake and over real SSH to the lab's first host; reads only.

Whoever a host is and who may log in is decided by pinned keys: unknown and changed ones are refused with the fix.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from paramiko import Message, Transport
from paramiko.common import MSG_CHANNEL_DATA, MSG_CHANNEL_EOF

from reconciler.adapters.shell import SshShell
from reconciler.errors import Refused, Unreachable
from reconciler.model.fleet import Connection, HostCard
from reconciler.ports import Shell
from tests.fakes.fleets import Fleet
from tests.fakes.shell import FakeShell

OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPKmZPx/Xy8pTGyUln7WVNOy/fUB/BwRwHunO73EHAAA"


@dataclass
class Way:
    """A shell and a host that it reaches."""

    shell: Shell
    card: HostCard


def _lab_card(facts: dict[str, Any]) -> HostCard:
    host = next(host for host in facts["hosts"] if host["name"] == "lq-d25")
    connection = Connection(identity_file=facts["identityFile"], host_keys=(host["hostkey"],))
    return HostCard("lq-d25", host["fqdn"], host["address"], connection)


@pytest.fixture
def lab(topology: dict[str, Any]) -> Iterator[Way]:
    shell = SshShell(connect_timeout=5.0)
    yield Way(shell, _lab_card(topology))
    shell.close()


@pytest.fixture(params=["fake", pytest.param("ssh", marks=pytest.mark.lab)])
def way(request: pytest.FixtureRequest) -> Way:
    if request.param == "ssh":
        real: Way = request.getfixturevalue("lab")
        return real
    return Way(FakeShell(Fleet().world), HostCard("lq-d25", "lq-d25.vpd.com", "10.77.0.11"))


def test_output_and_exit_code(way: Way) -> None:
    well = way.shell.run(way.card, ["uname", "-m"])
    assert (well.code, well.out, well.err) == (0, "x86_64\n", "")
    ill = way.shell.run(way.card, ["getent", "ahostsv4", "no-such-name.invalid"])
    assert (ill.code, ill.out) == (2, "")


def test_a_batch_answers_as_single_commands_do(way: Way) -> None:
    commands = {"name": ["cat", "/etc/hostname"], "arch": ["uname", "-m"], "none": ["getent", "ahostsv4", "no.invalid"]}
    assert way.shell.batch(way.card, commands) == {n: way.shell.run(way.card, argv) for n, argv in commands.items()}
    assert way.shell.batch(way.card, {}) == {}


def test_a_host_nobody_is_at(way: Way) -> None:
    with pytest.raises(Unreachable) as caught:
        way.shell.run(replace(way.card, name="ghost", address="10.77.0.250"), ["uname", "-m"], deadline=8)
    assert caught.value.host == "ghost"


@pytest.mark.lab
class TestOverSsh:
    """What only a real connection can show."""

    def test_standard_input_and_errors(self, lab: Way) -> None:
        text = "one\ntwo ünïcode\n" * 1000
        assert lab.shell.run(lab.card, ["cat"], stdin=text).out == text
        reply = lab.shell.run(lab.card, ["sh", "-c", "echo out; echo err >&2; exit 7"])
        assert (reply.code, reply.out, reply.err) == (7, "out\n", "err\n")

    @pytest.mark.parametrize("word", ["$(id)", "`id`", "a b", "'", '"', "\\", "*", "--", "a\nb", "", ";id", "ü", "%s"])
    def test_arguments_are_words_and_nothing_else(self, lab: Way, word: str) -> None:
        assert lab.shell.run(lab.card, ["printf", "%s|", word, "end"]).out == f"{word}|end|"
        assert lab.shell.batch(lab.card, {"x": ["printf", "%s|", word, "end"]})["x"].out == f"{word}|end|"

    @pytest.mark.parametrize("late", [MSG_CHANNEL_EOF, MSG_CHANNEL_DATA], ids=["the end", "data"])
    @pytest.mark.parametrize("stdin", ["", "never read"])
    def test_input_that_comes_late_ends_no_connection(
        self, lab: Way, monkeypatch: pytest.MonkeyPatch, late: int, stdin: str
    ) -> None:
        """sshd ends a connection for a packet to a channel that has ended: no command may end before its input."""
        send = Transport._send_user_message

        def slowly(transport: Transport, message: Message) -> None:
            if message.asbytes()[0] == late:
                time.sleep(0.3)
            send(transport, message)

        monkeypatch.setattr(Transport, "_send_user_message", slowly)
        ways = [lab.shell.run(lab.card, ["sh", "-c", 'echo "$SSH_CONNECTION"; exit 3'], stdin=stdin) for _ in range(2)]
        assert ways[0].code == 3
        assert ways[0] == ways[1], "a second connection was opened"

    def test_a_connection_that_breaks_before_anything_is_asked(self, lab: Way, monkeypatch: pytest.MonkeyPatch) -> None:
        lab.shell.run(lab.card, ["true"])
        opened, broken = Transport.open_session, []

        def breaking(transport: Transport, **options: Any) -> Any:
            if not broken:
                broken.append(transport)
                transport.close()
            return opened(transport, **options)

        monkeypatch.setattr(Transport, "open_session", breaking)
        assert lab.shell.run(lab.card, ["uname", "-m"]).out == "x86_64\n"
        assert broken

    def test_more_commands_at_once_than_sshd_has_sessions(self, lab: Way) -> None:
        with ThreadPoolExecutor(max_workers=24) as threads:
            asked = [threads.submit(lab.shell.run, lab.card, ["sleep", "0.2"]) for _ in range(24)]
        assert [one.result().code for one in asked] == [0] * 24

    def test_a_batch_keeps_answers_apart(self, lab: Way) -> None:
        commands = {
            "loud": ["sh", "-c", "echo ==; echo e >&2; exit 3"],
            "silent": ["true"],
            "reads": ["cat"],
            "missing": ["no-such-command"],
        }
        replies = lab.shell.batch(lab.card, commands)
        assert (replies["loud"].code, replies["loud"].out, replies["loud"].err) == (3, "==\n", "e\n")
        assert (replies["silent"].code, replies["silent"].out) == (0, "")
        assert (replies["reads"].code, replies["reads"].out) == (0, "")
        assert replies["missing"].code == 127

    def test_past_the_deadline_it_is_unreachable(self, lab: Way) -> None:
        with pytest.raises(Unreachable, match="did not end within 1 s"):
            lab.shell.run(lab.card, ["sleep", "20"], deadline=1)
        assert lab.shell.run(lab.card, ["uname", "-m"]).code == 0

    def test_a_changed_host_key_is_refused_with_the_fix(self, lab: Way) -> None:
        card = replace(lab.card, name="changed", connection=replace(lab.card.connection, host_keys=(OTHER_KEY,)))
        with pytest.raises(Refused, match="NOT the pinned one") as caught:
            lab.shell.run(card, ["true"])
        assert lab.card.connection.host_keys[0] in caught.value.fix

    def test_an_unknown_host_key_is_refused_with_the_fix(self, lab: Way, tmp_path: Path) -> None:
        nothing = tmp_path / "known_hosts"
        nothing.write_text("", encoding="utf-8")
        known = replace(lab.card.connection, host_keys=(), known_hosts_file=str(nothing))
        with pytest.raises(Refused, match="is not known") as caught:
            lab.shell.run(replace(lab.card, name="unknown", connection=known), ["true"])
        assert lab.card.connection.host_keys[0] in caught.value.fix
        assert nothing.read_text(encoding="utf-8") == ""

    def test_a_known_hosts_file_decides_where_nothing_is_pinned(self, lab: Way, topology: dict[str, Any]) -> None:
        known = replace(lab.card.connection, host_keys=(), known_hosts_file=topology["knownHosts"])
        assert lab.shell.run(replace(lab.card, name="known", connection=known), ["true"]).code == 0

    def test_a_bad_login_is_refused(self, lab: Way) -> None:
        nobody = replace(lab.card, name="nobody", connection=replace(lab.card.connection, user="nobody"))
        with pytest.raises(Refused, match=r"login as nobody@\S+ was refused"):
            lab.shell.run(nobody, ["true"])

    def test_a_missing_key_file_is_refused(self, lab: Way) -> None:
        without = replace(lab.card.connection, identity_file="/nonexistent/key")
        with pytest.raises(Refused, match="cannot read the login key"):
            lab.shell.run(replace(lab.card, name="keyless", connection=without), ["true"])

    def test_a_closed_port_is_unreachable(self, lab: Way) -> None:
        closed = replace(lab.card, name="closed", connection=replace(lab.card.connection, port=2))
        with pytest.raises(Unreachable, match=":2: "):
            lab.shell.run(closed, ["true"])
