"""A host's answers and /etc/hosts: read as captured from the lab, written so that only our block changes.

Debian 12's words; another distribution's are another file beside this one.
"""

import json
from pathlib import Path

import pytest

from reconciler.kind import Sight
from reconciler.kinds.host.state import HostState
from reconciler.kinds.host.wire import BEGIN, END, read, read_block, write_block
from reconciler.model.fleet import Fleet, HostCard
from reconciler.readings import Reply

HERE = Path(__file__).parent
CARD = HostCard("lq-d25", "lq-d25.vpd.com", "10.77.0.11")
ENTRIES = (("10.77.0.11", "lq-d25.vpd.com"), ("10.77.0.12", "lq-d26.vpd.com"))


def _read(**changes: str) -> HostState:
    texts = json.loads((HERE / "debian-12.json").read_text(encoding="utf-8")) | changes
    ((_, state),) = read(Sight(CARD, Fleet(), {name: Reply(0, text) for name, text in texts.items()}, None))
    assert isinstance(state, HostState)
    return state


def test_the_labs_host() -> None:
    state = _read()
    assert (state.static_name, state.fqdn, state.arch) == ("lq-d25", "lq-d25.vpd.com", "x86_64")
    assert state.block == ENTRIES
    assert state.resolves == {"lq-d25.vpd.com": "10.77.0.11", "lq-d26.vpd.com": "10.77.0.12"}
    assert state.services == {"libvirtd": "active enabled"}
    assert state.memory == 24684084 * 1024
    assert state.bridges == ("br0",)


@pytest.mark.parametrize(
    ("units", "word"),
    [
        ("x x.service inactive disabled\nx x.socket inactive \n", "inactive disabled"),
        ("x x.service inactive \nx x.socket inactive \n", "inactive absent"),
        ("x x.service inactive disabled\nx x.socket active enabled\n", "active enabled"),
        ("x x.service failed enabled\nx x.socket inactive \n", "failed enabled"),
    ],
)
def test_units_as_systemd_tells_them(units: str, word: str) -> None:
    assert _read(units=units).services == {"x": word}


def test_a_host_that_says_little() -> None:
    state = _read(fqdn="", resolve="lq-d26.vpd.com \n", hosts="", bridges="")
    assert (state.fqdn, state.block, state.resolves, state.bridges) == ("", (), {}, ())


@pytest.mark.parametrize(
    "before",
    [
        "127.0.0.1 localhost\n# by hand\n10.0.0.9 other\n",
        "",
        "127.0.0.1 localhost",
        f"a\n{BEGIN}\n1.2.3.4 old\n{END}\nb\n",
        f"a\n{BEGIN}\n{END}\n{BEGIN}\n1.2.3.4 old\n{END}\n",
    ],
)
def test_only_our_block_changes(before: str) -> None:
    after = write_block(before, ENTRIES)
    assert read_block(after) == ENTRIES
    assert write_block(after, ENTRIES) == after
    assert after.count(BEGIN) == after.count(END) == 1
    kept = [line for line in before.splitlines() if line not in (BEGIN, END) and "old" not in line]
    assert [line for line in after.splitlines() if line in kept] == kept
    assert after.endswith("\n")


def test_a_block_names_each_host_short_and_long() -> None:
    assert "10.77.0.12 lq-d26.vpd.com lq-d26\n" in write_block("", ENTRIES)
