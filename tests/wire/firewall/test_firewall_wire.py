"""firewalld's answers as captured from firewalld 1.3.3: D-Bus JSON and zone XML say the same thing."""

import base64

import pytest

from reconciler.kind import Sight
from reconciler.kinds.firewall.state import FirewallState, ZoneState
from reconciler.kinds.firewall.wire import read
from reconciler.kinds.firewall.zone_xml import read_zone
from reconciler.model.fleet import Fleet, HostCard
from reconciler.readings import Reply

VNC = (
    'rule family="ipv4" source address="10.1.2.3" port port="5900-5999" protocol="tcp" '
    'log prefix="vnc " level="info" limit value="3/m" accept'
)
SERVER = ZoneState(("br0",), ("cockpit", "dhcpv6-client", "libvirt", "ssh"), ("49152-49216/tcp",), (VNC,))
DBUS = (
    r'{"type":"a{sv}","data":[{"short":{"type":"s","data":"FedoraServer"},"target":{"type":"s","data":"default"},'
    r'"services":{"type":"as","data":["ssh","dhcpv6-client","cockpit","libvirt"]},'
    r'"ports":{"type":"a(ss)","data":[["49152-49216","tcp"]]},"masquerade":{"type":"b","data":false},'
    r'"interfaces":{"type":"as","data":["br0"]},"icmp_block_inversion":{"type":"b","data":false},'
    r'"forward":{"type":"b","data":true},"rules_str":{"type":"as","data":[%s"rule family=\"ipv4\" '
    r"source address=\"10.1.2.3\" port port=\"5900-5999\" protocol=\"tcp\" log prefix=\"vnc \" level=\"info\" "
    r'limit value=\"3/m\" accept"]}}]}'
)
LEASE = (
    r'"rule priority=\"-24242\" family=\"ipv4\" source address=\"10.79.0.12/32\" '
    r'port port=\"49152\" protocol=\"tcp\" accept",'
)
XML = b"""<?xml version="1.0" encoding="utf-8"?>
<zone>
  <short>FedoraServer</short>
  <description>For use in public areas. Made by the lab as a copy of public.</description>
  <service name="ssh"/>
  <service name="dhcpv6-client"/>
  <service name="cockpit"/>
  <service name="libvirt"/>
  <port port="49152-49216" protocol="tcp"/>
  <rule family="ipv4">
    <source address="10.1.2.3"/>
    <port port="5900-5999" protocol="tcp"/>
    <log prefix="vnc " level="info">
      <limit value="3/m"/>
    </log>
    <accept/>
  </rule>
  <interface name="br0"/>
  <forward/>
</zone>
"""
RULES = b"""<?xml version="1.0" encoding="utf-8"?>
<zone>
  <rule family="ipv4">
    <source address="1.2.3.4" invert="True"/>
    <reject type="icmp-admin-prohibited">
      <limit value="2/h"/>
    </reject>
  </rule>
  <rule family="ipv4" priority="5">
    <forward-port port="80" protocol="tcp" to-port="8080" to-addr="1.2.3.5"/>
  </rule>
  <rule family="ipv6">
    <source mac="52:54:00:00:00:01"/>
    <mark set="0x10"/>
  </rule>
  <rule>
    <service name="ssh"/>
    <audit>
      <limit value="5/m"/>
    </audit>
    <accept/>
  </rule>
</zone>
"""
PRINTED = [
    'rule family="ipv4" source NOT address="1.2.3.4" reject type="icmp-admin-prohibited" limit value="2/h"',
    'rule priority="5" family="ipv4" forward-port port="80" protocol="tcp" to-port="8080" to-addr="1.2.3.5"',
    'rule family="ipv6" source mac="52:54:00:00:00:01" mark set=0x10',
    'rule service name="ssh" audit limit value="5/m" accept',
]
# /usr/lib/firewalld/zones/libvirt.xml
LIBVIRT = b"""<zone target="ACCEPT"><short>libvirt</short>
<rule priority='32767'>
  <reject/>
</rule>
<protocol value='icmp'/><service name='dhcp'/></zone>"""
ACTIVE = 'active 0 - {"type":"a{sa{sas}}","data":[{"FedoraServer":{"interfaces":["br0"]}}]}\n'
DEFAULT = 'default 0 - {"type":"s","data":["public"]}\n'
UP = "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\n"


def sight(runtime: str, permanent: bytes, unit: str = UP, bound: str = "reached br0\n") -> Sight:
    zone = f"default public\nzone FedoraServer {base64.b64encode(permanent).decode()}\n"
    texts = {"unit": unit, "runtime": runtime, "permanent": zone, "bound": bound}
    replies = {name: Reply(0, text) for name, text in texts.items()}
    return Sight(HostCard("a", "a.b", "10.0.0.1"), Fleet(), replies, None)


def state(of: Sight) -> FirewallState:
    [(place, found)] = read(of)
    assert str(place) == "firewall/a"
    assert isinstance(found, FirewallState)
    return found


def test_both_layers_are_read_into_one_form() -> None:
    found = state(sight(DEFAULT + ACTIVE + f"zone 0 FedoraServer {DBUS % ''}\n", XML))
    assert found == FirewallState(True, True, True, "public", {"FedoraServer": SERVER}, {"FedoraServer": SERVER}, "br0")


def test_a_lease_is_counted_but_not_shown() -> None:
    found = state(sight(DEFAULT + ACTIVE + f"zone 0 FedoraServer {DBUS % LEASE}\n", XML))
    assert found.timed
    assert found.runtime == {"FedoraServer": SERVER}


def test_a_rule_in_xml_is_the_rule_firewall_cmd_lists() -> None:
    assert read_zone(RULES).rich_rules == tuple(sorted(PRINTED))
    assert read_zone(LIBVIRT) == ZoneState((), ("dhcp",), (), ('rule priority="32767" reject',), "ACCEPT")


def test_a_rule_with_unknown_words_is_shown_as_it_is() -> None:
    [rule] = read_zone(b"<zone><rule><novelty x='1'/><accept/></rule></zone>").rich_rules
    assert "novelty" in rule


def test_a_zone_that_is_not_there_yet_is_absent_and_other_errors_are_told() -> None:
    found = state(sight(DEFAULT + ACTIVE + "zone 1 mig Call failed: INVALID_ZONE: mig\n", XML))
    assert found.runtime == {}
    with pytest.raises(ValueError, match="Connection timed out"):
        read(sight("default 1 - Call failed: Connection timed out\n", XML))


def test_a_stopped_or_missing_firewalld_still_shows_its_permanent_zones() -> None:
    found = state(sight("", XML, "LoadState=loaded\nActiveState=inactive\nUnitFileState=disabled\n"))
    assert (found.installed, found.running, found.enabled) == (True, False, False)
    assert found.default_zone == "public"
    assert found.permanent == {"FedoraServer": SERVER}
    assert not state(sight("", XML, "LoadState=not-found\nActiveState=inactive\nUnitFileState=\n")).installed


def test_what_networkmanager_binds_is_its_permanent_zone() -> None:
    found = state(sight("", XML, bound="reached br0\nnic br0 public\nnic eth1 FedoraServer\nnic eth2 \n"))
    assert found.permanent["FedoraServer"].interfaces == ("eth1",)


@pytest.mark.parametrize("text", [b"", b"<pool/>", b"<zone>"])
def test_what_is_no_zone_is_an_error(text: bytes) -> None:
    with pytest.raises(ValueError, match="zone file"):
        read_zone(text)
