"""One canonical text for a rich rule, whoever wrote it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds.firewall.rules import LEASE_PRIORITY, canonical_rule, is_lease_rule

SAME = [
    # what a user writes, what firewalld 1.3.3 prints
    (
        "rule family=ipv4 source address=10.0.0.1/32 port port=49152-49216 protocol=tcp accept",
        'rule family="ipv4" source address="10.0.0.1/32" port port="49152-49216" protocol="tcp" accept',
    ),
    (
        "rule priority='-24242' family='ipv4' source address='10.77.0.12/32' port port='49152' protocol='tcp' accept",
        'rule priority="-24242" family="ipv4" source address="10.77.0.12/32" port port="49152" protocol="tcp" accept',
    ),
    (
        'rule service name="ssh" log prefix="x y" level="info" limit value="3/minute" accept limit value=1/m',
        'rule service name="ssh" log prefix="x y" level="info" limit value="3/m" accept limit value="1/m"',
    ),
    (
        'rule family="ipv4" source NOT address="1.2.3.4" reject type="icmp-admin-prohibited"',
        'rule family="ipv4" source NOT address="1.2.3.4" reject type="icmp-admin-prohibited"',
    ),
    (
        "rule family=ipv4 source address=1.2.3.4 invert=true accept",
        'rule family="ipv4" source NOT address="1.2.3.4" accept',
    ),
    (
        "rule family=ipv4 destination address=1.2.3.4 forward-port port=80 protocol=tcp to-port=8080 to-addr=1.2.3.5",
        'rule family="ipv4" destination address="1.2.3.4" '
        'forward-port port="80" protocol="tcp" to-port="8080" to-addr="1.2.3.5"',
    ),
    (
        "rule family=ipv4 source address=1.2.3.4 mark set=0x10",
        'rule family="ipv4" source address="1.2.3.4" mark set=0x10',
    ),
    ("rule  protocol value=esp audit accept", 'rule protocol value="esp" audit accept'),
    ("rule icmp-block name=echo-request", 'rule icmp-block name="echo-request"'),
    ("rule family=ipv4 masquerade", 'rule family="ipv4" masquerade'),
    ("rule tcp-mss-clamp value=pmtu", 'rule tcp-mss-clamp value="pmtu"'),
    ("rule family=ipv4 accept service name=ssh", 'rule family="ipv4" service name="ssh" accept'),
    ("rule priority=0 service name=ssh accept", 'rule service name="ssh" accept'),
    ("rule priority=010 accept", 'rule priority="10" accept'),
    (
        "rule service name=ssh nflog group=5 queue-size=3 accept",
        'rule service name="ssh" nflog group="5" queue-size="3" accept',
    ),
]
WRONG = [
    ("", "must begin with 'rule'"),
    ("allow ssh", "must begin with 'rule'"),
    ('rule service name="ssh accept', "No closing quotation"),
    ("rule accept", "names no source"),
    ("rule service name=ssh", "neither accepts"),
    ("rule service accept", "needs name"),
    ("rule port port=22 accept", "needs port and protocol"),
    ("rule source address=1.2.3.4 accept", 'needs family="ipv4"'),
    ("rule family=ipx source address=1.2.3.4 accept", "family 'ipx'"),
    ("rule priority=99999 accept", "priority '99999'"),
    ("rule service name=ssh accept drop", "'drop' beside 'accept'"),
    ("rule service name=ssh accept limit value=3/fortnight", "limit '3/fortnight'"),
    ("rule service name=ssh accept; reboot", "'accept;'"),
    ("rule limit value=3/m service name=ssh accept", "'limit'"),
    ('rule service name="a=b" accept', "has the value"),
    ("rule family=ipv4 invert=true source address=1.2.3.4 accept", "'invert' does not belong there"),
]


@pytest.mark.parametrize(("written", "printed"), SAME)
def test_a_rule_is_written_as_firewalld_prints_it(written: str, printed: str) -> None:
    assert canonical_rule(written) == printed
    assert canonical_rule(printed) == printed


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_is_no_rule_says_why(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="not a rich rule") as error:
        canonical_rule(text)
    assert message in str(error.value)


def test_our_leases_are_told_by_their_priority() -> None:
    assert is_lease_rule(canonical_rule(f"rule priority={LEASE_PRIORITY} service name=ssh accept"))
    assert not is_lease_rule(canonical_rule("rule priority=-2424 service name=ssh accept"))


WORDS = ["rule", "source", "limit", "not", "accept", "log", "family=ipv4", "value=3/m", "=", "x"]


@given(st.lists(st.sampled_from(WORDS)))
def test_any_words_give_a_rule_or_a_clear_error(words: list[str]) -> None:
    try:
        text = canonical_rule(" ".join(words))
    except ValueError:
        return
    assert canonical_rule(text) == text
