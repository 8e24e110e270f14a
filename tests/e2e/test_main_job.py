"""The practice, rows 1 to 13, by the product: from a committed spec to a VM moved live, and no access left behind."""

import re
import socket
import threading
import time

from tests.e2e.hosts import RUN, SUBNET, LabHost, lab
from tests.e2e.user import User

VM = "mvp4_lqd25"


def address_of(mac: str = "00:16:3e:31:13:b3") -> str:
    """By the lab's DHCP server, which the product does not know."""
    return next(line.split()[2] for line in (RUN / "dhcp.leases").read_text().splitlines() if mac in line)


class Talk(threading.Thread):
    """One TCP connection to the guest's echo service, held open; keeps the longest silence in seconds."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self.rounds, self.longest, self.error, self.ending = 0, 0.0, "", threading.Event()
        self._socket = socket.create_connection((address, 7), timeout=20)

    def run(self) -> None:
        while not self.ending.is_set():
            began = time.monotonic()
            try:
                self._socket.sendall(b"%d\n" % self.rounds)
                answer = self._socket.recv(64)
            except OSError as error:
                self.error = str(error)
                return
            if answer != b"%d\n" % self.rounds:
                self.error = f"got {answer!r}"
                return
            self.rounds += 1
            self.longest = max(self.longest, time.monotonic() - began)
            time.sleep(0.005)


def beats(host: LabHost) -> list[int]:
    text = host.do("cat", f"/var/log/libvirt/qemu/{VM}-heartbeat.log").stdout
    return [int(found) for found in re.findall(r"^(\d+) \d+\s*$", text, re.M)]


def test_from_a_spec_to_a_vm_moved_live(user: User, d25: LabHost, d26: LabHost) -> None:
    plan = user.plan("--detailed-exitcode")
    assert plan.code == 2, plan.text
    assert "clone mvp1 from lq-d25" in plan.out
    assert VM not in d25.domains(), "a plan changes nothing"

    user.apply()
    user.in_sync()
    assert d25.domains() == {"mvp1": "shut off", VM: "running"}
    for host, other in ((d25, d26), (d26, d25)):
        assert host.out("hostname", "-f").strip() == host.fqdn
        assert other.address in host.out("getent", "ahostsv4", other.fqdn)
        for layer in ((), ("--permanent",)):
            services = host.out("firewall-cmd", *layer, "--zone=FedoraServer", "--list-services").split()
            assert set(services) >= {"libvirt", "ssh"}
        assert "Autostart:      yes" in host.out("virsh", "pool-info", "CONT_VOL_COMP")
    uuid = d25.dominfo(VM)["UUID"]
    assert uuid != d25.dominfo("mvp1")["UUID"]

    user.edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    plan = user.plan()
    assert "move live lq-d25 -> lq-d26 (tunnelled)  [move-live" in plan.out, plan.text
    talk = Talk(address_of())
    talk.start()
    time.sleep(0.5)
    before = beats(d25)[-1]
    moved = user.apply()
    time.sleep(0.5)
    talk.ending.set()
    talk.join(5)

    assert "iteration" in moved.err, "progress shows the iterations"
    assert "is refused, key deleted" in moved.err
    assert not talk.error, talk.error
    assert talk.rounds > 50
    assert talk.longest < 5
    arrived = beats(d26)[1:]  # the switch may have cut the first one in two
    assert arrived[0] > before, "the guest went on counting"
    assert arrived == list(range(arrived[0], arrived[0] + len(arrived))), "no beat was lost"
    assert d25.domains() == {"mvp1": "shut off"}
    info = d26.dominfo(VM)
    assert (info["UUID"], info["State"], info["Persistent"], info["Autostart"]) == (uuid, "running", "yes", "enable")
    assert info["CPU(s)"] == "1"
    assert d26.do("virsh", "ttyconsole", VM).returncode == 0
    assert address_of() in user.run("status", str(user.folder)).out
    user.in_sync()
    assert "No lease is open" in user.run("leases", "list", str(user.folder)).out


def test_a_leased_key_opens_one_door_only_and_none_afterwards(running: User, d25: LabHost, d26: LabHost) -> None:
    running.unencrypted().edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    process = running.start("apply", str(running.folder), "--yes", RECONCILER_FAILPOINT="move.ready=sleep:6")
    key = _stolen_key(d25)
    line = d26.sh("grep reconciler-lease /root/.ssh/authorized_keys")
    ssh = ["ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no",
           "-o", "UserKnownHostsFile=/dev/null", "-i", key]  # fmt: skip
    shell = d25.do("timeout", "5", *ssh, f"root@{d26.address}", "id; hostname")
    forward = d25.do("timeout", "5", *ssh, "-N", "-o", "ExitOnForwardFailure=yes", "-R", "7001:127.0.0.1:22",
                     f"root@{d26.address}")  # fmt: skip
    elsewhere = lab_nas_tries(key, d25, d26)
    rules = d26.out("nft", "list", "ruleset")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err

    assert all(word in line for word in ("restrict", f'from="{SUBNET}.11"', "expiry-time=", "virt-ssh-helper"))
    assert "uid=" not in shell.stdout
    assert forward.returncode not in (0, 124), "a forward must be refused at once"
    assert "Permission denied" in elsewhere
    assert re.search(rf"saddr {re.escape(SUBNET)}\.11 tcp dport 49152 .*accept", rules), "this peer only"
    after = d25.do("timeout", "5", *ssh, f"root@{d26.address}", "id")
    assert "Permission denied" in after.stderr
    assert "49152" not in d26.out("nft", "list", "ruleset")
    d25.do("rm", "-f", key)
    assert d26.domains()[VM] == "running"


def _stolen_key(d25: LabHost) -> str:
    end = time.monotonic() + 30
    copy = "cp /run/reconciler/leases/*/key /root/stolen && chmod 600 /root/stolen"
    while d25.do("sh", "-c", copy).returncode != 0:
        assert time.monotonic() < end, "no key was made"
        time.sleep(0.1)
    time.sleep(1.5)
    return "/root/stolen"


def lab_nas_tries(key: str, d25: LabHost, d26: LabHost) -> str:
    """The same key from another address."""
    secret = d25.out("cat", key)
    script = (
        f"umask 077; cat >/root/stolen; ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=no -o IdentitiesOnly=yes \
        -o UserKnownHostsFile=/dev/null -i /root/stolen root@{d26.address} true; rm -f /root/stolen"
    )
    from tests.e2e.hosts import hosts

    return hosts()["nas"].do("timeout", "10", "sh", "-c", script, stdin=secret).stderr


def test_a_standing_port_is_used_and_none_is_opened(running: User, d26: LabHost) -> None:
    running.edit("firewall.yaml", "cockpit, dhcpv6-client]", "cockpit, dhcpv6-client]\n      ports: [49152-49216/tcp]")
    running.unencrypted().apply()
    running.edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    said = running.apply()
    assert "open 49152" not in said.text
    assert d26.domains()[VM] == "running"
    assert "49152-49216/tcp" in d26.out("firewall-cmd", "--zone=FedoraServer", "--list-ports")
    lab("reset")  # the standing rule is no residue


def test_there_and_back_again(running: User, d25: LabHost, d26: LabHost) -> None:
    uuid = d25.dominfo(VM)["UUID"]
    for here, there in (("lq-d25", "lq-d26"), ("lq-d26", "lq-d25")):
        running.edit("vms.yaml", f"placement: {{host: {here}}}", f"placement: {{host: {there}}}")
        running.apply()
        running.in_sync()
    assert d25.dominfo(VM)["UUID"] == uuid
    assert VM not in d26.domains()
