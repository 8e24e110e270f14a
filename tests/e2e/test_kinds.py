"""Each kind's drift on real hosts: made by hand, shown in the plan, mended by apply, and then nothing is left to do."""

import re
import signal
import time

from tests.e2e.hosts import POOL, SUBNET, LabHost, lab
from tests.e2e.test_crashes import killed_at
from tests.e2e.user import User

VM = "mvp4_lqd25"
ZONE = "--zone=FedoraServer"


def rule(source: str, port: int, priority: str = "") -> str:
    """A rich rule; with priority -24242 it carries the mark of a lease."""
    return f'rule{priority} family="ipv4" source address="{source}" port port="{port}" protocol="tcp" accept'


def test_host_names_are_set_and_proven(running: User, d25: LabHost) -> None:
    own = f"{SUBNET}.11 wrong.example.org wrong"
    d25.sh(
        f"sed -i '/lq-d25/d;/reconciler/,/reconciler end/d' /etc/hosts; echo '{own}' >>/etc/hosts; hostname wrong; "
        "echo wrong >/etc/hostname"
    )
    said = running.plan()
    assert "set the host name to lq-d25.vpd.com" in said.out, said.text
    running.apply()
    assert d25.out("hostname", "-f").strip() == "lq-d25.vpd.com"
    text = d25.out("cat", "/etc/hosts")
    assert own in text, "a human's lines stay"
    assert text.count("reconciler begin") == 1
    running.in_sync()


def test_a_stopped_service_is_started_and_enabled(running: User, d25: LabHost) -> None:
    running.edit("hosts.yaml", "  fqdn: lq-d25.vpd.com", "  fqdn: lq-d25.vpd.com\n  services: [libvirtd, virtlogd]")
    d25.sh("systemctl disable --now virtlogd.socket virtlogd-admin.socket 2>/dev/null; systemctl stop virtlogd.service")
    assert "start and enable virtlogd" in running.plan().out
    running.apply()
    assert d25.out("systemctl", "is-active", "virtlogd").strip() == "active"
    running.in_sync()


def test_runtime_and_permanent_drift_are_told_apart(running: User, d25: LabHost) -> None:
    d25.out("firewall-cmd", ZONE, "--remove-service=libvirt")
    said = running.plan()
    assert "(runtime)" in said.out
    assert "(permanent)" not in said.out
    running.apply()
    d25.out("firewall-cmd", "--permanent", ZONE, "--remove-service=libvirt")
    said = running.plan()
    assert "(permanent)" in said.out
    assert "(runtime)" not in said.out
    began = d25.out("systemctl", "show", "-P", "ExecMainStartTimestampMonotonic", "firewalld")
    running.apply()
    assert began == d25.out("systemctl", "show", "-P", "ExecMainStartTimestampMonotonic", "firewalld")
    running.in_sync()


def test_ports_and_rich_rules_in_both_layers(user: User, d25: LabHost) -> None:
    human = rule(f"{SUBNET}.0/24", 16514)
    user.edit(
        "firewall.yaml",
        "cockpit, dhcpv6-client]",
        f"cockpit, dhcpv6-client]\n      ports: [8080/tcp, 9000-9010/udp]\n      richRules: ['{human}']",
    )
    user.apply("--target", "firewall/compute")
    for layer in ((), ("--permanent",)):
        assert set(d25.out("firewall-cmd", *layer, ZONE, "--list-ports").split()) == {"8080/tcp", "9000-9010/udp"}
        assert human in d25.out("firewall-cmd", *layer, ZONE, "--list-rich-rules")
    assert user.plan("--target", "firewall/compute", "--detailed-exitcode").code == 0


def test_exclusive_removes_what_is_not_listed_but_never_our_way_in(user: User, d25: LabHost) -> None:
    d25.out("firewall-cmd", ZONE, "--add-service=http")
    user.edit("firewall.yaml", "cockpit, dhcpv6-client]", "cockpit, dhcpv6-client]\n      exclusive: true")
    user.apply("--target", "firewall/compute")
    assert "http" not in d25.out("firewall-cmd", ZONE, "--list-services").split()
    user.edit("firewall.yaml", "services: [ssh, ", "services: [")
    said = user.plan("--target", "firewall/compute")
    assert said.code == 1
    assert "lock" in said.out
    assert "ssh" in d25.out("firewall-cmd", ZONE, "--list-services").split()


def test_a_new_zone_is_made_with_one_reload_and_never_while_a_lease_is_open(user: User, d25: LabHost) -> None:
    user.edit(
        "firewall.yaml",
        "    - name: FedoraServer",
        "    - name: storage\n      services: [nfs]\n    - name: FedoraServer",
    )
    mark = rule(f"{SUBNET}.12/32", 49160, ' priority="-24242"')
    d25.out("firewall-cmd", ZONE, f"--add-rich-rule={mark}", "--timeout=300")
    said = user.plan("--target", "firewall/compute")
    assert said.code == 1, said.text
    assert "lq-d25" in said.out
    assert re.search(r"(lease|timed)", said.out)
    assert user.run("leases", "revoke", str(user.folder)).code == 0
    user.apply("--target", "firewall/compute")
    assert "nfs" in d25.out("firewall-cmd", "--zone=storage", "--list-services")


def test_a_leftover_lease_of_every_kind_is_swept_by_any_pass(running: User, d25: LabHost, d26: LabHost) -> None:
    ours = rule(f"{SUBNET}.11/32", 49155, ' priority="-24242"')
    d26.out("firewall-cmd", ZONE, f"--add-rich-rule={ours}", "--timeout=900")
    d25.out("firewall-cmd", "--permanent", ZONE, f"--add-rich-rule={ours}")
    human = d26.out("cat", "/root/.ssh/authorized_keys")
    options = f'restrict,from="{SUBNET}.11",expiry-time="20990101000000Z"'
    line = f"{options} ssh-ed25519 AAAAC3Nz reconciler-lease:abc123.gone"
    d26.sh(f"echo '{line}' >>/root/.ssh/authorized_keys")
    d25.sh(
        "mkdir -p /run/reconciler/leases/abc123.gone; echo secret >/run/reconciler/leases/abc123.gone/key; "
        "echo 'lq-d26.vpd.com ssh-ed25519 AAAA reconciler-lease:abc123.gone' >>/etc/ssh/ssh_known_hosts"
    )
    listed = running.run("leases", "list", str(running.folder)).out
    assert all(word in listed for word in ("key", "secret", "49155", "port-permanent")), listed
    running.apply()
    assert d26.out("cat", "/root/.ssh/authorized_keys") == human
    assert "-24242" not in d25.out("firewall-cmd", "--permanent", ZONE, "--list-rich-rules")
    running.in_sync()


def test_pool_drift_is_mended(running: User, d25: LabHost, d26: LabHost) -> None:
    d26.sh("virsh pool-autostart --disable CONT_VOL_COMP; virsh pool-destroy CONT_VOL_COMP")
    running.apply()
    assert re.search(r"Autostart:\s+yes", d26.out("virsh", "pool-info", "CONT_VOL_COMP"))
    assert d26.do("mountpoint", "-q", POOL).returncode == 0
    running.in_sync()


def test_a_dir_pool_is_made_and_a_lookalike_is_not_shared(user: User, d25: LabHost, d26: LabHost) -> None:
    pool = (
        "apiVersion: reconciler/v1alpha1\nkind: StoragePool\nmetadata: {name: local}\n"
        "spec: {hosts: [lq-d25], type: dir, target: /srv/local, autostart: true}\n"
    )
    user.write("local.yaml", pool)
    user.apply("--target", "pool/local")
    assert re.search(r"State:\s+running", d25.out("virsh", "pool-info", "local"))
    for host in (d25, d26):
        host.sh("mkdir -p /srv/look && mount -t tmpfs look /srv/look")
    look = pool.replace("local", "look").replace("[lq-d25]", "all").replace("autostart: true", "shared: true")
    user.write("local.yaml", look)
    said = user.apply("--target", "pool/look", code=1)
    for host in (d25, d26):
        left = host.sh("ls -A /srv/look; virsh pool-destroy look >/dev/null; umount /srv/look")
        assert left.strip() == "", "the token is taken away again"
    assert re.search(r"FAILED .*prove that lq-d25, lq-d26 see the same files", said.err), said.err


def test_a_clone_gets_its_own_identity(user: User, d25: LabHost) -> None:
    user.edit("vms.yaml", '[{mac: "00:16:3e:31:13:b3", network: vpd}]', "[{network: vpd}]")
    xml = (
        d25.out("virsh", "dumpxml", "--inactive", "mvp1")
        .replace(
            "<features>",
            "<sysinfo type='smbios'><system><entry name='uuid'>"
            + d25.dominfo("mvp1")["UUID"]
            + "</entry></system></sysinfo><features>",
        )
        .replace("</os>", "<smbios mode='sysinfo'/></os>")
    )
    d25.do("sh", "-c", "cat >/tmp/base.xml", stdin=xml)
    d25.out("virsh", "define", "/tmp/base.xml")
    user.apply()
    made = d25.out("virsh", "dumpxml", "--inactive", VM)
    uuid = d25.dominfo(VM)["UUID"]
    assert f"<entry name='uuid'>{uuid}</entry>" in made
    assert f"{POOL}/pc25_LQD_ANFITRION1_p4.qcow2" in made
    assert "mvp1-heartbeat" not in made
    macs = re.findall(r"mac address='([^']+)'", made)
    assert macs
    assert macs[0] not in d25.out("virsh", "dumpxml", "mvp1")
    assert 'fleet="vpd"' in made.replace("'", '"')
    assert "backing" not in d25.out("qemu-img", "info", "-U", f"{POOL}/pc25_LQD_ANFITRION1_p4.qcow2"), "a full copy"
    user.in_sync()


def test_a_failed_clone_leaves_nothing_and_a_killed_one_is_finished_by_the_next_pass(user: User, d25: LabHost) -> None:
    said = user.apply(code=1, RECONCILER_FAILPOINT="clone.copied=error")
    assert "FAILED" in said.err
    killed = user.run("apply", str(user.folder), "--yes", RECONCILER_FAILPOINT="clone.copying")
    assert killed.code == -9
    assert "making=" in d25.out("virsh", "dumpxml", "--inactive", VM), "the crash left its own note"
    said = user.apply()
    assert "after clearing an unfinished clone" in said.out
    assert d25.domains()[VM] == "running"
    user.in_sync()


def test_a_vm_from_libvirts_own_xml_started_stopped_and_changed(running: User, d25: LabHost) -> None:
    xml = d25.out("virsh", "dumpxml", "--inactive", "mvp1")
    xml = re.sub(r"<uuid>.*</uuid>", "", xml).replace("mvp1", "hand").replace("52:54:00:77:00:01", "52:54:00:77:00:99")
    d25.sh("cp /var/lib/libvirt/images/mvp1.qcow2 /var/lib/libvirt/images/hand.qcow2; virsh pool-refresh default")
    (running.folder / "xml").mkdir()
    running.write("xml/hand.xml", xml)
    spec = (
        "apiVersion: reconciler/v1alpha1\nkind: VirtualMachine\nmetadata: {name: hand}\n"
        "spec:\n  placement: {host: lq-d25}\n  power: running\n  source: {domainXML: xml/hand.xml}\n"
        "  memory: 256MiB\n  checks: [{tcp: 22}]\n"
    )
    running.write("hand.yaml", spec)
    killed_at(running, "vm.define.done")
    running.apply()
    assert d25.domains()["hand"] == "running"
    running.in_sync()
    running.edit("hand.yaml", "memory: 256MiB", "memory: 320MiB").edit("xml/hand.xml", "<vcpu", "<!-- wider --><vcpu")
    said = running.plan()
    assert "[next-boot" in said.out, said.text
    running.apply()
    running.in_sync()
    running.edit("hand.yaml", "power: running", "power: stopped")
    running.edit("fleet.yaml", "disruption: move-live", "disruption: next-boot")
    capped = running.plan()
    assert capped.code == 1
    assert "above the allowed next-boot" in capped.out
    running.edit("fleet.yaml", "disruption: next-boot", "disruption: move-live")
    running.apply()
    assert d25.domains()["hand"] == "shut off"
    running.in_sync()


def test_a_vm_made_by_hand_is_adopted_and_an_undeclared_one_is_left_alone(user: User, d25: LabHost) -> None:
    user.apply("--target", "pool/CONT_VOL_COMP", "--target", "host/lq-d25", "--target", "host/lq-d26")
    d25.out(
        "virt-clone",
        "--original",
        "mvp1",
        "--name",
        VM,
        "--file",
        f"{POOL}/pc25_LQD_ANFITRION1_p4.qcow2",
        "--mac",
        "00:16:3e:31:13:b3",
        timeout=120,
    )
    before = d25.out("virsh", "dumpxml", "mvp1")
    uuid = d25.dominfo(VM)["UUID"]
    said = user.apply()
    assert "mark the existing domain" in said.out
    assert d25.dominfo(VM)["UUID"] == uuid
    assert d25.domains()[VM] == "running"
    assert d25.out("virsh", "dumpxml", "mvp1") == before
    user.in_sync()


def test_a_blocked_move_lists_all_blockers_and_opens_nothing(running: User, d25: LabHost, d26: LabHost) -> None:
    d26.sh("virsh net-destroy vpd")
    running.edit("pools.yaml", "shared: true", "shared: false")
    running.edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    said = running.apply(code=1)
    assert "no active libvirt network 'vpd'" in said.out
    assert "in no pool declared shared" in said.out
    assert d25.domains()[VM] == "running"
    assert "49152" not in d26.out("nft", "list", "ruleset")


def test_a_failed_move_leaves_the_vm_running_and_revokes(running: User, d25: LabHost, d26: LabHost) -> None:
    running.unencrypted().edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    process = running.start("apply", str(running.folder), "--yes", RECONCILER_FAILPOINT="move.ready=sleep:4")
    end = time.monotonic() + 40
    while "49152" not in d26.do("nft", "list", "ruleset").stdout:
        assert time.monotonic() < end
        time.sleep(0.2)
    time.sleep(1)
    d26.sh("virsh net-destroy vpd")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1, out + err
    assert "it still runs on lq-d25" in err
    assert "is refused, key deleted" in err
    assert d25.domains()[VM] == "running"
    assert VM not in d26.domains()
    d26.sh("virsh net-start vpd")
    running.apply()
    assert d26.domains()[VM] == "running"


def test_undeclared_things_are_shown_but_not_touched(running: User, d25: LabHost) -> None:
    status = running.run("status", str(running.folder)).out
    assert re.search(r"mvp1 +lq-d25 +stopped .*not declared", status), status
    assert re.search(r"default +lq-d25 +active .*not declared", status)
    lab("status")


def test_uefi_variables_are_copied_with_a_clone(user: User, d25: LabHost) -> None:
    folder = "/var/lib/libvirt/qemu/nvram"
    d25.sh(f"mkdir -p {folder}; echo variables >{folder}/mvp1_VARS.fd; echo code >/var/lib/libvirt/boot/code.fd")
    xml = d25.out("virsh", "dumpxml", "--inactive", "mvp1")
    loader = "<loader readonly='yes' type='pflash'>/var/lib/libvirt/boot/code.fd</loader>"
    firmware = f"{loader}<nvram>{folder}/mvp1_VARS.fd</nvram></os>"
    d25.do("sh", "-c", "cat >/tmp/base.xml", stdin=xml.replace("</os>", firmware))
    d25.out("virsh", "define", "/tmp/base.xml")
    user.edit("vms.yaml", "power: running", "power: stopped")
    user.apply()
    assert f"{folder}/{VM}_VARS.fd" in d25.out("virsh", "dumpxml", "--inactive", VM)
    assert d25.out("cat", f"{folder}/{VM}_VARS.fd") == "variables\n"
    user.in_sync()


def test_ctrl_c_lets_the_move_end_and_still_revokes(running: User, d25: LabHost, d26: LabHost) -> None:
    running.unencrypted().edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    process = running.start("apply", str(running.folder), "--yes", RECONCILER_FAILPOINT="move.ready=sleep:3")
    end = time.monotonic() + 40
    while "49152" not in d26.do("nft", "list", "ruleset").stdout:
        assert time.monotonic() < end
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1, out + err
    assert "interrupted:" in err
    assert "is refused, key deleted" in err
    assert [VM in host.domains() for host in (d25, d26)].count(True) == 1
    running.apply()
    assert d26.domains()[VM] == "running"
