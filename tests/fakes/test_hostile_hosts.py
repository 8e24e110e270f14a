"""A host that lies, babbles or sends nonsense: it silences itself, and nobody else is let in, stopped or shown garbage.

The other host is honest; what is planned for it must be what is planned without any lie.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from reconciler.cli.frame import clean
from reconciler.engine.once import see, think
from reconciler.kinds.lease.actions import GrantAccess, OpenPort
from reconciler.model.fleet import HostCard
from reconciler.model.plan import Plan
from reconciler.readings import Inventory, Reply
from reconciler.wiring import KINDS
from tests.fakes.fleets import Fleet, settled

LIAR = "lq-d26"
BOMB = "<!DOCTYPE d [" + "".join(
    f'<!ENTITY {new} "{f"&{old};" * 10}">' if old else f'<!ENTITY {new} "{"x" * 100}">'
    for old, new in zip(["", *"abcdefgh"], "abcdefghi", strict=True)
)
NONSENSE = {
    "nothing": "",
    "a word": "no",
    "a terminal's commands": "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\r\n",
    "no text": "\ufffd\x00\x01\ufffd" * 200,
    "5 MB on one line": "x" * 5_000_000,
    "many lines": "a b c d e f\n" * 50_000,
    "brackets": '{"type":' + "[" * 100_000,
    "a huge number": "9" * 5_000,
    "a bomb": BOMB + "]><domain>&i;</domain>",
    "an option": "-rf / $(reboot) `reboot` ; reboot",
    "an address of everybody": "address 0.0.0.0/0\nzone FedoraServer",
    "an address with an option": 'address 10.77.0.12",command="/bin/sh\nzone FedoraServer',
}
DOMAINS = {
    "no XML": "no",
    "nothing in it": "<domain/>",
    "an entity": '<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]><domain><name>&e;</name></domain>',
    "a bomb": BOMB + "]><domain type='&i;'><name>&i;</name></domain>",
    "deep": "<domain>" * 50_000,
    "huge": "<domain><description>" + "x" * 12_000_000 + "</description></domain>",
    "no number": "<domain type='kvm'><vcpu>many</vcpu><memory unit='parsec'>1</memory></domain>",
}


class _LyingShell:
    """The fake's shell, but one host's answers are replaced."""

    def __init__(self, honest: Any, lie: Callable[[str, Reply], Reply]) -> None:
        self._honest, self._lie = honest, lie

    def run(self, host: HostCard, argv: Sequence[str], *, stdin: str = "", deadline: float = 30.0) -> Reply:
        reply: Reply = self._honest.run(host, argv, stdin=stdin, deadline=deadline)
        return reply

    def batch(
        self, host: HostCard, commands: Mapping[str, Sequence[str]], *, deadline: float = 30.0
    ) -> Mapping[str, Reply]:
        replies: Mapping[str, Reply] = self._honest.batch(host, commands, deadline=deadline)
        return {n: self._lie(n, r) for n, r in replies.items()} if host.name == LIAR else replies


class _LyingHypervisor:
    """The fake's libvirt, but one host's inventory is replaced."""

    def __init__(self, honest: Any, lie: Callable[[Inventory], Inventory]) -> None:
        self._honest, self._lie = honest, lie

    def __getattr__(self, name: str) -> Any:
        return getattr(self._honest, name)

    def inventory(self, host: HostCard, *, deadline: float = 30.0) -> Inventory:
        inventory: Inventory = self._honest.inventory(host, deadline=deadline)
        return self._lie(inventory) if host.name == LIAR else inventory


def _fleet() -> Fleet:
    """web shall go to the liar, db stays; one thing is to be mended on the honest host."""
    fleet = settled(web="lq-d25", db="lq-d25")
    fleet.world.pass_time(60)
    fleet.zone("lq-d25").services.discard("libvirt")
    return fleet.place(web=LIAR)


def _plan(fleet: Fleet) -> Plan:
    """Looked at and planned within seconds, whatever the liar says."""
    began = time.monotonic()
    wanted = fleet.wanted
    snapshot = see(wanted, KINDS, fleet.tools)
    plan = think(wanted, snapshot, KINDS)
    assert time.monotonic() - began < 20
    assert {s.host for s in snapshot.silences} <= {LIAR}
    assert all(len(s.reason) < 600 for s in snapshot.silences)
    return plan


def _harmless(plan: Plan) -> None:
    """The honest host is served, and nobody is let in but these two, by their own addresses."""
    mended = [a for a in plan.actions if a.place.host == "lq-d25" and a.place.kind == "firewall"]
    assert mended, "the honest host is served"
    for action in plan.actions:
        assert action.place.host in ("lq-d25", LIAR)
        if isinstance(action, GrantAccess | OpenPort):
            assert (action.way.peer, action.way.target) == ("10.77.0.11", "10.77.0.12")
    others = [a for a in plan.actions if a.place.host == "lq-d25" and a.place.kind != "firewall"]
    assert all(a.verb == "prove-shared" or a.looks for a in others), "nothing else is done to it"
    for words in (*(a.explain() for a in plan.actions), *(str(r) for r in plan.refusals)):
        assert all(c.isprintable() for c in clean(words).replace("\n", ""))


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE.keys())
def test_every_answer_is_nonsense(nonsense: str) -> None:
    fleet = _fleet()
    fleet.tools = replace(fleet.tools, shell=_LyingShell(fleet.tools.shell, lambda _, __: Reply(0, nonsense, nonsense)))
    _harmless(_plan(fleet))


def test_each_answer_alone_is_nonsense() -> None:
    names: set[str] = set()
    fleet = _fleet()
    honest = fleet.tools

    def lie(which: str, nonsense: str) -> Callable[[str, Reply], Reply]:
        def said(name: str, reply: Reply) -> Reply:
            names.add(name)
            return Reply(0, nonsense, nonsense) if name == which else reply

        return said

    fleet.tools = replace(honest, shell=_LyingShell(honest.shell, lie("", "")))
    _plan(fleet)
    assert len(names) > 15
    for name in sorted(names):
        for nonsense in ("", "address 10.0.0.0/8\x1b[2J\ufffd \x00 {[[["):
            fleet.tools = replace(honest, shell=_LyingShell(honest.shell, lie(name, nonsense)))
            _harmless(_plan(fleet))


@pytest.mark.parametrize("xml", DOMAINS.values(), ids=DOMAINS.keys())
def test_a_domain_that_is_none_freezes_and_goes_no_further(xml: str) -> None:
    fleet = _fleet()
    spoilt = lambda inventory: replace(  # noqa: E731
        inventory, domains=(replace(_reading("odd", "u-1"), config=xml), *inventory.domains)
    )
    fleet.tools = replace(fleet.tools, hypervisor=_LyingHypervisor(fleet.hypervisor, spoilt))
    plan = _plan(fleet)
    _harmless(plan)
    assert not [a for a in plan.actions if a.place.name == "web"], "a host whose VMs cannot be read gets none"


def test_a_pool_that_is_none() -> None:
    fleet = _fleet()
    spoilt = lambda inventory: replace(  # noqa: E731
        inventory, pools=tuple(replace(pool, xml=BOMB + "]><pool>&i;</pool>") for pool in inventory.pools)
    )
    fleet.tools = replace(fleet.tools, hypervisor=_LyingHypervisor(fleet.hypervisor, spoilt))
    _harmless(_plan(fleet))


@pytest.mark.parametrize("state", ["running", "shutoff"])
def test_a_host_that_claims_anothers_vm_stops_it_from_being_touched_and_nothing_else(state: str) -> None:
    """By name, by UUID, or by both: contradictions are for a person, and the real one is left as it is."""
    for name, own in (("db", True), ("db", False), ("other", True)):
        fleet = _fleet()
        real = next(d for d in fleet.host("lq-d25").domains.values() if d.name == "db")
        claim = replace(_reading(name, real.uuid if own else "u-2"), state=state, config=real.config, live="")
        spoilt = lambda inventory, claim=claim: replace(inventory, domains=(*inventory.domains, claim))  # noqa: E731
        fleet.tools = replace(fleet.tools, hypervisor=_LyingHypervisor(fleet.hypervisor, spoilt))
        plan = _plan(fleet)
        assert not [a for a in plan.actions if a.place.name == "db"], (name, own)
        assert fleet.world.where("db") == [("lq-d25", "running")]


def _reading(name: str, uuid: str) -> Any:
    from reconciler.readings import DomainReading

    return DomainReading(uuid, name, "shutoff", "<domain/>")


NAMESPACE = "http://libvirt.org/schemas/domain/qemu/1.0"
QEMU = f"<qemu:commandline xmlns:qemu='{NAMESPACE}'><qemu:arg value='-x'/></qemu:commandline>"


@pytest.mark.parametrize(("host", "made"), [("lq-d25", True), ("lq-d26", False)])
def test_a_bases_own_qemu_arguments_stay_on_its_host(host: str, made: bool) -> None:
    fleet = Fleet().place(web=host)
    base = next(d for d in fleet.host("lq-d25").domains.values() if d.name == "mvp1")
    base.config = base.config.replace("</domain>", QEMU + "</domain>")
    report = fleet.apply()
    assert (report.verdict == "ok") is made
    assert bool(fleet.world.where("web")) is made
    if not made:
        assert "qemu:arg, qemu:commandline" in " ".join(o.text for o in report.failed)
