"""How a move's memory crosses: what the hosts' certificates say, what is declared, and what the move can do."""

from dataclasses import replace

import pytest

from reconciler.kinds.lease.channel import Channel, choose
from reconciler.kinds.lease.papers import read_papers
from reconciler.kinds.lease.state import Papers
from reconciler.model.action import Passage
from reconciler.model.crossing import Blocker
from reconciler.model.desired import View
from reconciler.model.fleet import Fleet, HostCard
from reconciler.model.ref import Place
from reconciler.model.snapshot import Snapshot

NOW = 1_795_000_000
HOSTS = {name: HostCard(name, f"{name}.test", f"10.0.0.{n}") for n, name in enumerate(("a", "b"), 1)}
WAY = Passage("l", "a", "b", "10.0.0.1", "10.0.0.2")
GOOD = Papers("/etc/pki/qemu", "one", NOW - 60, NOW + 2_000_000, ("b.test", "10.0.0.2"))


def view(a: Papers | None = GOOD, b: Papers | None = GOOD) -> View:
    objects = {Place("papers", host, host): seen for host, seen in (("a", a), ("b", b)) if seen}
    return View(Fleet(hosts=HOSTS), (), Snapshot(NOW, objects), NOW)


def channel(way: Passage = WAY, a: Papers | None = GOOD, b: Papers | None = GOOD) -> Channel:
    chosen = choose(way, view(a, b))
    assert isinstance(chosen, Channel), chosen
    return chosen


def test_certificates_are_used() -> None:
    assert (channel().way.channel, channel().way.tls_name, channel().missing) == ("tls", "", "")


def test_a_certificate_of_the_name_only_is_asked_for_by_its_name() -> None:
    assert channel(b=replace(GOOD, covers=("b.test",))).way.tls_name == "b.test"


@pytest.mark.parametrize(
    ("a", "b", "missing"),
    [
        (None, GOOD, "a did not tell of certificates"),
        (replace(GOOD, wrong="has no /x"), GOOD, "a has no /x"),
        (GOOD, replace(GOOD, wrong="has no /x"), "b has no /x"),
        (GOOD, replace(GOOD, until=NOW - 1), "a certificate of b expired on 2026-11-18"),
        (GOOD, replace(GOOD, until=NOW + 60), "a certificate of b expires on 2026-11-18, sooner than the lease"),
        (replace(GOOD, since=NOW + 9), GOOD, "a certificate of a is valid from 2026-11-18 on only"),
        (replace(GOOD, authority="two"), GOOD, "a and b trust different authorities"),
        (GOOD, replace(GOOD, covers=()), "the certificate of b is neither for 10.0.0.2 nor for b.test"),
    ],
)
@pytest.mark.parametrize("encrypt", ["auto", "required"])
def test_without_them_a_tunnel_is_taken(a: Papers | None, b: Papers, missing: str, encrypt: str) -> None:
    chosen = channel(replace(WAY, encrypt=encrypt), a, b)
    assert (chosen.way.channel, chosen.missing) == ("tunnel", missing)


def test_what_no_tunnel_can_carry_goes_plain_or_not_at_all() -> None:
    way = replace(WAY, untunnelled="post-copy needs a channel of its own")
    assert channel(way).way.channel == "tls"
    assert channel(way, b=None).way.channel == "plain"
    refused = choose(replace(way, encrypt="required"), view(b=None))
    assert isinstance(refused, Blocker)
    assert "no TLS, since b did not tell of certificates; no tunnel, since post-copy" in refused.reason
    assert "encrypt-moves.md" in refused.fix


def test_off_is_plain_even_with_certificates() -> None:
    assert channel(replace(WAY, encrypt="off")).way.channel == "plain"


def test_an_answer_is_read() -> None:
    text = "folder /p\nauthority ab\nstartdate 5\nenddate 90\nstartdate 7\nenddate 80\ncovers b.test\ncovers 10.0.0.2\n"
    assert read_papers(text) == Papers("/p", "ab", 7, 80, ("b.test", "10.0.0.2"))
    assert read_papers("folder /p\nwrong has no /p/ca-cert.pem\n").wrong == "has no /p/ca-cert.pem"
    assert read_papers("").wrong == "did not say"
