"""The shipped systemd units, run by a real systemd on the storage host: hardened as they are, without root.

Judged by systemctl and by where the VM runs; the repository is a bare one beside the service.
"""

import json
import time
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.hosts import LabHost
from tests.e2e.service import install, unpack
from tests.e2e.user import User
from tests.origin import ssh_key

VM = "mvp4_lqd25"
SETTINGS = """fleets:
  - name: vpd
    repo: /srv/fleet.git
    path: specs
    trust: {mode: head, allowedSigners: /etc/reconciler/signers}
"""


@pytest.fixture
def service(user: User, fleet: dict[str, LabHost]) -> Iterator[LabHost]:
    """The storage host with the product, its settings, and a repository that only holds the history's beginning."""
    nas = fleet["nas"]
    install(nas)
    public = ssh_key(user.folder.parent / "ann")
    signers = f'ann@example.com namespaces="git" {public}\n'
    unpack(nas, "/etc/reconciler", {"run.yaml": SETTINGS.encode(), "signers": signers.encode()})
    unpack(nas, "/root", {"ann": (user.folder.parent / "ann").read_bytes()}, mode=0o600)
    nas.sh("git init -q --bare -b main /srv/fleet.git && git init -q -b main /root/work && mkdir /root/work/specs")
    nas.sh("chown -R reconciler: /srv/fleet.git")
    for path in user.folder.glob("*.yaml"):
        text = path.read_text().replace(str(user.run_folder / "known_hosts"), "/etc/reconciler/known_hosts")
        path.write_text(text)
    yield nas
    nas.do("systemctl", "stop", "reconciler.service", "reconciler-once.timer", "reconciler-once.service")
    nas.sh("rm -rf /srv/fleet.git /root/work; userdel reconciler; rm -rf /var/lib/reconciler /opt/reconciler")


def commit(user: User, nas: LabHost, subject: str) -> None:
    """The user's folder as it is, signed, and pushed on the host itself."""
    unpack(nas, "/root/work/specs", {path.name: path.read_bytes() for path in user.folder.glob("*.yaml")})
    said = "-c user.name=Ann -c user.email=ann@example.com -c gpg.format=ssh -c user.signingkey=/root/ann"
    nas.sh(f"cd /root/work && git add -A && git {said} commit -q -S -m '{subject}'")
    nas.sh("cd /root/work && chown -R root: /srv/fleet.git && git push -q /srv/fleet.git main")
    nas.sh("chown -R reconciler: /srv/fleet.git")


def until(true: Callable[[], object], what: str, nas: LabHost, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not true():
        log = nas.do("journalctl", "-u", "reconciler.service", "-n", "40", "--no-pager").stdout
        assert time.monotonic() < end, f"not within {seconds} s: {what}\n{log}"
        time.sleep(0.5)


def test_once_by_its_timer_and_then_for_good(user: User, service: LabHost, d25: LabHost, d26: LabHost) -> None:
    commit(user, service, "the fleet")
    done = service.do("systemctl", "start", "reconciler-once.service", timeout=180)
    assert done.returncode == 0, service.out("journalctl", "-u", "reconciler-once.service", "-n", "40", "--no-pager")
    assert d25.domains()[VM] == "running"
    service.out("systemctl", "start", "reconciler-once.timer")
    assert "reconciler-once.service" in service.out("systemctl", "list-timers", "--no-pager")
    service.out("systemctl", "stop", "reconciler-once.timer")

    service.out("systemctl", "start", "reconciler.service", timeout=90)  # returns when it says that it is ready
    user.edit("vms.yaml", "host: lq-d25", "host: lq-d26")
    commit(user, service, "it moves")
    service.out("systemctl", "reload", "reconciler.service")
    until(lambda: d26.domains().get(VM) == "running" and VM not in d25.domains(), "it runs on lq-d26", service)
    until(lambda: history(service).count("ok") == 2, "the pass of the service is over, and told", service)
    assert service.out("systemctl", "show", "-P", "User", "reconciler.service").strip() == "reconciler"

    service.out("systemctl", "stop", "reconciler.service", timeout=120)
    assert service.out("systemctl", "show", "-P", "Result", "reconciler.service").strip() == "success"


def history(nas: LabHost) -> list[str]:
    """The verdicts of its passes, as the service's user is told them."""
    words = "env XDG_STATE_HOME=/var/lib HOME=/var/lib/reconciler /opt/reconciler/.venv/bin/reconciler history -o json"
    passes = json.loads(nas.out("runuser", "-u", "reconciler", "--", *words.split()))["passes"]
    return [one["verdict"] for one in passes]
