"""The loop on the lab, from a real bare repository: commits, drift, refusals, a controller that is killed in a move.

Judged on the hosts and by `reconciler history`; the killed one's pass goes on over PostgreSQL, the rest over SQLite.
"""

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.hosts import LabHost
from tests.e2e.user import Said, User
from tests.origin import Origin, ssh_key
from tests.postgres import cluster, made

VM = "mvp4_lqd25"


class Team:
    """Somebody with a signing key, the repository of the specs, and the loop's words."""

    def __init__(self, user: User, database: str = "") -> None:
        """With no database it is the embedded one."""
        self.database = ("--database", database) if database else ()
        self.user, self.keys = user, user.folder.parent / "keys"
        self.origin = Origin(user.folder.parent / "origin")
        public = ssh_key(self.keys / "ann")
        ssh_key(self.keys / "eve")
        (self.keys / "signers").write_text(f'ann@example.com namespaces="git" {public}\n', encoding="utf-8")

    def commit(self, subject: str, by: str = "ann") -> str:
        """The user's folder as it is, signed by that key; by nobody with an empty name."""
        self.origin.settings = [f"user.signingkey={self.keys / by}"]
        files = {f"specs/{path.name}": path.read_text() for path in self.user.folder.glob("*.yaml")}
        return self.origin.commit(files, subject, sign="ssh" if by else "")

    @property
    def words(self) -> tuple[str, ...]:
        trust = ("--trust", "head", "--allowed-signers", str(self.keys / "signers"))
        return ("run", "--repo", str(self.origin.bare), "--path", "specs", "--name", "vpd", *trust, *self.database)

    def once(self, code: int) -> Said:
        said = self.user.run(*self.words, "--once")
        assert said.code == code, said.text
        return said

    def history(self) -> list[dict[str, Any]]:
        said = self.user.run("history", "-o", "json", *self.database)
        assert said.code == 0, said.text
        passes: list[dict[str, Any]] = json.loads(said.out)["passes"]
        return passes


@pytest.fixture
def team(user: User) -> Team:
    return Team(user)


@pytest.fixture
def shared(user: User) -> Iterator[Team]:
    """On PostgreSQL, as a team with several controllers has it."""
    with cluster() as url:
        yield Team(user, made(url))


def until(true: Callable[[], object], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.5)


def migrated_by_hand(source: LabHost, target: LabHost) -> None:
    """As an administrator does it: virsh, and a key of their own for as long as it takes."""
    source.sh("ssh-keygen -q -t ed25519 -N '' -C by-hand -f /root/by-hand")
    key = source.out("cat", "/root/by-hand.pub").strip()
    target.sh(f"echo '{key}' >> /root/.ssh/authorized_keys")
    there = f"qemu+ssh://root@{target.address}/system?no_verify=1&no_tty=1&keyfile=/root/by-hand"
    source.out("virsh", "migrate", "--live", "--p2p", "--tunnelled", "--persistent", "--undefinesource", VM, there)
    source.sh("rm /root/by-hand /root/by-hand.pub")
    target.sh("sed -i '/ by-hand$/d' /root/.ssh/authorized_keys")


def test_commits_drift_and_a_killed_controller(running: User, shared: Team, d25: LabHost, d26: LabHost) -> None:
    shared.commit("as it is")
    assert "in-sync" in shared.once(0).out

    running.edit("vms.yaml", "host: lq-d25", "host: lq-d26")
    moved = shared.commit("the VM goes to lq-d26")
    shared.once(0)
    assert VM not in d25.domains()
    assert d26.domains()[VM] == "running"

    d26.out("virsh", "autostart", "--disable", VM)
    d26.out("firewall-cmd", "--zone=FedoraServer", "--remove-service=cockpit")
    running.edit("fleet.yaml", "mode: apply", "mode: observe")
    shared.commit("only look")
    assert "held" in shared.once(2).out
    assert d26.dominfo(VM)["Autostart"] == "disable"
    running.edit("fleet.yaml", "mode: observe", "mode: apply")
    shared.commit("heal")
    shared.once(0)
    assert d26.dominfo(VM)["Autostart"] == "enable"
    assert "cockpit" in d26.out("firewall-cmd", "--zone=FedoraServer", "--list-services")

    migrated_by_hand(d26, d25)
    assert d25.domains()[VM] == "running", "somebody moved it back by hand"
    killed = running.start(*shared.words, RECONCILER_FAILPOINT="move.migrated")
    assert killed.wait(90) == -signal.SIGKILL, killed.communicate()
    began = time.monotonic()
    survivor = running.start(*shared.words)
    try:
        until(lambda: [o for o in shared.history() if o["trigger"] == "schedule" and o["verdict"] == "ok"], 120)
        print(f"continued after {time.monotonic() - began:.1f} s")
    finally:
        survivor.terminate()
        out, err = survivor.communicate(timeout=60)
    assert survivor.returncode == 0, out + err
    assert VM not in d25.domains()
    assert d26.domains()[VM] == "running"
    running.in_sync()

    passes = shared.history()
    told = [(one["trigger"], one["verdict"]) for one in reversed(passes)]
    assert told == [
        ("apply", "ok"), ("once", "in-sync"), ("once", "ok"), ("once", "proposed"), ("once", "ok"),
        ("schedule", "unfinished"), ("schedule", "ok"),
    ]  # fmt: skip
    assert not list((running.folder.parent / "state/reconciler").glob("loop.sqlite*")), "all of it is in PostgreSQL"
    went_on, killed_in = (one["leases"] for one in passes[:2])
    assert (killed_in["opened"], killed_in["closed"]) == (1, 0)
    assert went_on["swept"] > 0
    run = next(one["run"] for one in passes if one["commit"]["sha"] == moved)
    shown = running.run("history", "show", run, *shared.database).out
    assert "the VM goes to lq-d26" in shown
    assert "signed by  ann@example.com" in shown
    assert "move live lq-d25 -> lq-d26" in shown
    assert "leases     1 opened, 1 closed\n" in shown


def test_what_is_not_trusted_is_not_applied(team: Team, user: User, d25: LabHost) -> None:
    user.edit("fleet.yaml", "mode: apply", "mode: observe")
    first = team.commit("look only")
    assert "held" in team.once(2).out
    user.edit("fleet.yaml", "mode: observe", "mode: apply")
    team.commit("by nobody", by="")
    assert "it is not signed" in team.once(5).text
    team.commit("by eve", by="eve")
    assert "its signer is not listed" in team.once(5).text
    user.edit("fleet.yaml", "mode: apply", "mode: propose")
    team.commit("propose")
    team.once(2)
    team.origin.push(first)
    assert "does not descend" in team.once(5).text
    team.origin.settings = [f"user.signingkey={team.keys / 'ann'}"]
    team.origin.commit({f"specs/{path.name}": None for path in user.folder.glob("*.yaml")}, "emptied", sign="ssh")
    assert "no file below specs" in team.once(1).text
    assert d25.domains() == {"mvp1": "shut off"}, "nothing of it was applied"
    verdicts = [one["verdict"] for one in reversed(team.history())]
    assert verdicts == ["proposed", "not-trusted", "not-trusted", "proposed", "not-trusted", "error"]
    assert not list((Path(user.folder.parent) / "state/reconciler/runs").glob("*.jsonl"))
