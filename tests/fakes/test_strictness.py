"""The fake refuses impossible worlds and unknown commands; a fake that takes anything proves nothing.

Each refusal here is one that libvirt, sshd or a product bug would meet.
"""

import pytest

from reconciler.errors import Refused, Unreachable
from reconciler.model.fleet import HostCard
from reconciler.readings import MigrationRequest
from tests.fakes.fleets import BASE, Fleet, settled
from tests.fakes.machines import Domain
from tests.fakes.shell import FakeShell
from tests.fakes.world import ImpossibleWorldError

ONE = HostCard("lq-d25", "lq-d25.vpd.com", "10.77.0.11")
TWO = HostCard("lq-d26", "lq-d26.vpd.com", "10.77.0.12")


def _web(fleet: Fleet) -> Domain:
    return next(d for d in fleet.host("lq-d25").domains.values() if d.name == "web")


def _request(fleet: Fleet, lease: str = "aaaa.web") -> MigrationRequest:
    key = f"/run/reconciler/leases/{lease}/key"
    uri = f"qemu+ssh://root@lq-d26.vpd.com/system?keyfile={key}"
    return MigrationRequest(_web(fleet).uuid, uri, "tcp://10.77.0.12:49152")


def test_an_unknown_command_is_named() -> None:
    shell = FakeShell(Fleet().world)
    with pytest.raises(ImpossibleWorldError, match="rm"):
        shell.run(ONE, ["rm", "-rf", "/"])
    with pytest.raises(ImpossibleWorldError, match="a script the fake does not know: reboot"):
        shell.run(ONE, ["sh", "-c", "reboot", "sh"])


def test_a_host_that_is_down_or_elsewhere_is_unreachable() -> None:
    fleet = Fleet()
    fleet.host("lq-d25").up = False
    with pytest.raises(Unreachable):
        FakeShell(fleet.world).run(ONE, ["uname", "-m"])
    with pytest.raises(Unreachable):
        FakeShell(fleet.world).run(HostCard("lq-d26", "x", "10.9.9.9"), ["uname", "-m"])


def test_a_domain_does_not_start_twice() -> None:
    fleet = settled(web="lq-d25")
    web = _web(fleet)
    fleet.host("lq-d26").domains[web.uuid] = Domain(web.uuid, "web", web.config)
    with pytest.raises(ImpossibleWorldError, match="would be started on lq-d26"):
        fleet.hypervisor.start_domain(TWO, web.uuid)


def test_two_domains_do_not_run_on_one_disk() -> None:
    fleet = settled(web="lq-d25")
    fleet.host("lq-d26").domains["other"] = Domain("other", "other", _web(fleet).config)
    with pytest.raises(ImpossibleWorldError, match="would both run on"):
        fleet.hypervisor.start_domain(TWO, "other")


def test_a_name_is_defined_once() -> None:
    fleet = settled(web="lq-d25")
    xml = _web(fleet).config.replace(_web(fleet).uuid, BASE.replace("2f", "3f"))
    with pytest.raises(Refused, match="already exists"):
        fleet.hypervisor.define_domain(ONE, xml)
    with pytest.raises(ImpossibleWorldError, match="is on"):
        fleet.hypervisor.define_domain(TWO, _web(fleet).config)


def test_a_running_domain_is_not_undefined() -> None:
    fleet = settled(web="lq-d25")
    with pytest.raises(ImpossibleWorldError, match="while it is running"):
        fleet.hypervisor.undefine_domain(ONE, _web(fleet).uuid)


def test_a_volume_in_use_is_not_deleted_from_any_host() -> None:
    fleet = settled(web="lq-d25")
    with pytest.raises(ImpossibleWorldError, match="is a disk of"):
        fleet.hypervisor.delete_volume(TWO, "CONT_VOL_COMP", "web.qcow2")


def test_a_running_base_is_not_copied() -> None:
    fleet = settled(web="lq-d25")
    fleet.hypervisor.start_domain(ONE, BASE)
    xml = "<volume><name>new.qcow2</name></volume>"
    with pytest.raises(ImpossibleWorldError, match="while a VM writes"):
        fleet.hypervisor.copy_volume(ONE, "/var/lib/libvirt/images/mvp1.qcow2", "CONT_VOL_COMP", xml, lambda done: None)


def test_a_migration_without_a_login_fails() -> None:
    fleet = settled(web="lq-d25")
    with pytest.raises(Refused, match="Host key verification failed"):
        fleet.hypervisor.migrate(ONE, _request(fleet), lambda job: None)
    fleet.host("lq-d25").known_hosts.append(f"lq-d26.vpd.com {fleet.host('lq-d26').host_key} x")
    with pytest.raises(Refused, match="Permission denied"):
        fleet.hypervisor.migrate(ONE, _request(fleet), lambda job: None)


def test_a_migration_without_an_open_port_fails() -> None:
    fleet = settled(web="lq-d25")
    one, two = fleet.host("lq-d25"), fleet.host("lq-d26")
    one.known_hosts.append(f"lq-d26.vpd.com {two.host_key} x")
    fleet.tools.shell.run(ONE, _make_key_command())
    public = one.leases["aaaa.web"].public.split()[1]
    two.keys["root"].append(f'restrict,from="10.77.0.11",expiry-time="99999999999999Z",command="x" k {public} x')
    with pytest.raises(Refused, match=r"10\.77\.0\.12:49152.*No route to host"):
        fleet.hypervisor.migrate(ONE, _request(fleet), lambda job: None)
    fleet.zone("lq-d26").ports.add("49152-49215/tcp")
    fleet.hypervisor.migrate(ONE, _request(fleet), lambda job: None)
    assert fleet.world.where("web") == [("lq-d26", "running")]


def _make_key_command() -> list[str]:
    from reconciler.kinds.lease import live

    return ["sh", "-c", live._MAKE_KEY, "sh", "aaaa.web", "ed25519", "0", "900", "aaaa"]


def test_a_pool_does_not_know_what_another_host_made_until_it_is_refreshed() -> None:
    fleet = settled(web="lq-d25")
    path = "/var/lib/libvirt/images/COMPARTIDO/web.qcow2"
    with pytest.raises(Refused, match="no storage vol"):
        fleet.hypervisor.volume_xml(TWO, path)
    fleet.hypervisor.refresh_pool(TWO, "CONT_VOL_COMP")
    assert "<capacity>" in fleet.hypervisor.volume_xml(TWO, path)


def test_a_key_line_that_lets_in_too_much_is_refused() -> None:
    from reconciler.kinds.lease import live

    shell = FakeShell(Fleet().world)
    with pytest.raises(ImpossibleWorldError, match="more than it must"):
        shell.run(TWO, ["sh", "-c", live._ADD_LINE, "sh", "root"], stdin="ssh-ed25519 AAAA x\n")
