"""What goes wrong on hosts: one clear line that names file, line and remedy; nothing done to what is affected."""

import json
import re
import time

from tests.e2e.hosts import POOL, RUN, SUBNET, LabHost, lab
from tests.e2e.user import User

VM = "mvp4_lqd25"


def refused(text: str, file: str, *words: str) -> None:
    """A line with file and line number that holds all these words."""
    lines = [line for line in text.splitlines() if re.search(rf"{re.escape(file)}:\d+: ", line)]
    assert any(all(word in line for word in words) for line in lines), f"no line of {file} with {words} in:\n{text}"


def test_an_unreachable_host_costs_its_deadline_and_freezes_what_may_live_on_it(user: User, d25: LabHost) -> None:
    lab("power-cut", "lq-d26")
    began = time.monotonic()
    said = user.plan("--deadline", "4")
    assert time.monotonic() - began < 12
    assert said.code == 1
    refused(said.out, "hosts.yaml", "host/lq-d26", "cannot be reached")
    refused(said.out, "vms.yaml", VM, "frozen", "lq-d26")
    assert "clone" not in said.out.replace("frozen", "")
    user.apply("--deadline", "4", code=1)
    assert d25.domains() == {"mvp1": "shut off"}
    assert d25.do("mountpoint", "-q", POOL).returncode == 0, "everything else goes on"


def test_a_vm_seen_running_is_not_frozen_by_another_hosts_silence(running: User, d25: LabHost) -> None:
    running.edit("vms.yaml", "autostart: true", "autostart: false")
    lab("power-cut", "lq-d26")
    running.apply("--deadline", "4", code=1)
    assert d25.dominfo(VM)["Autostart"] == "disable"


def test_a_hung_libvirtd_costs_its_deadline_only(running: User, d25: LabHost, d26: LabHost) -> None:
    d26.sh("systemctl kill -s STOP libvirtd.service || kill -STOP $(pidof libvirtd)")
    try:
        began = time.monotonic()
        said = running.plan("--deadline", "8")
        assert time.monotonic() - began < 20
    finally:
        d26.sh("systemctl kill -s CONT libvirtd.service || kill -CONT $(pidof libvirtd)")
    assert said.code == 1
    refused(said.out, "hosts.yaml", "host/lq-d26", "libvirtd does not answer", "within ")
    assert d25.domains()[VM] == "running"


def test_a_wrong_host_key_is_refused_with_the_fix_named(user: User, d26: LabHost) -> None:
    known = json.loads((RUN / "topology.json").read_text())["hosts"]
    keys = {host["name"]: " ".join(host["hostkey"].split()[-2:]) for host in known}
    pinned = f'address: {SUBNET}.12\n  connection: {{hostKeys: ["{keys["nas"]}"]}}'
    user.edit("hosts.yaml", f"address: {SUBNET}.12", pinned)
    said = user.apply(code=1)
    refused(said.text, "hosts.yaml", "host/lq-d26", "NOT the pinned one", "reinstalled", keys["lq-d26"])
    assert d26.do("virsh", "pool-info", "CONT_VOL_COMP").returncode != 0, "nothing was done there"
    user.edit("hosts.yaml", keys["nas"], keys["lq-d26"])
    assert user.plan().code == 0


def test_an_unknown_host_key_is_refused_with_the_fix_named(user: User) -> None:
    user.edit("fleet.yaml", f"knownHostsFile: {RUN}/known_hosts", "knownHostsFile: /dev/null")
    said = user.plan()
    assert said.code == 1
    refused(said.out, "hosts.yaml", "host/lq-d25", "not known", "ssh-keygen -lf", "hostKeys")
    refused(said.out, "hosts.yaml", "host/lq-d26", "not known")


def test_a_wrong_login_is_one_line(user: User, d25: LabHost) -> None:
    user.edit("fleet.yaml", "user: root\n      identityFile", "user: nobody\n      identityFile")
    said = user.plan()
    assert said.code == 1
    refused(said.out, "hosts.yaml", f"nobody@{SUBNET}.11", "refused", "identityFile")


def test_a_stopped_libvirtd_is_named_started_and_then_all_goes_on(user: User, d25: LabHost) -> None:
    d25.sh("systemctl disable --now libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd.service")
    said = user.plan()
    assert said.code == 1
    refused(said.out, "hosts.yaml", "host/lq-d25", "libvirtd does not answer", "systemctl start libvirtd")
    refused(said.out, "vms.yaml", VM, "frozen")
    assert "start and enable libvirtd" in said.out
    user.apply(code=1)
    assert d25.out("systemctl", "is-active", "libvirtd").strip() == "active"
    user.apply()
    assert d25.domains()[VM] == "running"
    user.in_sync()


def test_an_absent_firewalld_is_one_line(user: User, d26: LabHost) -> None:
    unit = d26.sh("systemctl show -P FragmentPath firewalld").strip()
    d26.sh(f"systemctl stop firewalld; mv {unit} /var/hidden.service; systemctl daemon-reload")
    try:
        said = user.plan()
    finally:
        d26.sh(f"mv /var/hidden.service {unit}; systemctl daemon-reload; systemctl start firewalld")
    assert said.code == 1
    refused(said.out, "firewall.yaml", "lq-d26", "firewalld", "install")


def test_a_pool_that_cannot_mount_is_named_and_nothing_is_written(user: User, d25: LabHost) -> None:
    user.edit("pools.yaml", "dir: /comp", "dir: /nowhere")
    said = user.apply(code=1)
    assert re.search(r"FAILED .*CONT_VOL_COMP@lq-d25.*start", said.err), said.err
    assert "skipped" in said.err
    assert VM not in d25.domains()
    assert d25.volumes() == set()
    assert d25.sh(f"ls -A {POOL}") == "", "an empty mount point is never written to"


def test_no_space_is_refused_with_numbers(user: User, d25: LabHost) -> None:
    user.edit("pools.yaml", "minFree: 256MiB", "minFree: 900TiB")
    first = user.apply(code=1)
    assert "no space" in first.err, first.err
    second = user.plan()
    assert second.code == 1
    refused(second.out, "vms.yaml", "no space in pool CONT_VOL_COMP", "900 TiB")
    assert VM not in d25.domains()


def test_a_running_base_is_not_copied(user: User, d25: LabHost) -> None:
    d25.out("virsh", "start", "mvp1")
    said = user.apply(code=1)
    refused(said.text, "vms.yaml", "base VM mvp1 is running on lq-d25", "virsh shutdown mvp1")
    assert VM not in d25.domains()
    assert d25.domains()["mvp1"] == "running", "it is not stopped for us"


def test_a_base_that_is_nowhere_is_refused(user: User) -> None:
    user.edit("vms.yaml", "from: mvp1", "from: mvp9")
    said = user.plan()
    assert said.code == 1
    refused(said.out, "vms.yaml", "base VM 'mvp9' is on no host")


def test_bad_specs_touch_nothing_at_all(user: User, d25: LabHost) -> None:
    user.edit("vms.yaml", "vcpus: 1", "vcpuz: 1").edit("pools.yaml", "shared: true", "shared: perhaps")
    said = user.apply(code=1)
    refused(said.err, "vms.yaml", "unknown field 'spec.vcpuz'")
    refused(said.err, "pools.yaml", "spec.shared")
    assert "2 mistakes; nothing was done" in said.err
    assert d25.do("virsh", "pool-info", "CONT_VOL_COMP").returncode != 0
