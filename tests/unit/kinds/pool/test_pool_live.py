"""Pool actions against hosts that really share a folder, or only seem to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from reconciler.errors import Refused
from reconciler.kinds.pool.actions import BuildPool, DefinePool, ProveShared, SetPoolAutostart, StartPool, StopPool
from reconciler.kinds.pool.live import run
from reconciler.kinds.pool.state import Definition
from reconciler.kinds.pool.wire import read_pool, write_pool
from reconciler.model.action import Action
from reconciler.model.fleet import HostCard
from reconciler.model.ref import Place
from reconciler.ports import Hands
from reconciler.readings import Inventory, PoolReading, Reply

CARDS = {name: HostCard(name, f"{name}.lab.test", name) for name in ("alpha", "beta")}
AT = Place("pool", "alpha", "comp")
NFS = Definition("netfs", "/srv/comp", "nas", "/export", "nfs", "4.2")
PROOF = ProveShared(place=AT, hosts=("alpha", "beta"), target="/srv/comp", network=True, fleet="vpd")


@dataclass
class Hosts:
    """Shell and Hypervisor of two hosts. `shares` names the storage behind each host's target; empty: not mounted."""

    shares: dict[str, str] = field(default_factory=lambda: {"alpha": "nas", "beta": "nas"})
    files: dict[tuple[str, str], str] = field(default_factory=dict)
    pools: dict[str, PoolReading] = field(default_factory=dict)
    mounts: bool = True
    readonly: bool = False
    sticky: bool = False
    silent: int = 0
    drawn: int = 0
    wrote: int = 0

    def run(self, host: HostCard, argv: Sequence[str], *, stdin: str = "", deadline: float = 30.0) -> Reply:
        share = self.shares[host.name]
        match list(argv):
            case ["env", "LC_ALL=C", "mountpoint", "/srv/comp"] if self.silent:
                self.silent -= 1
                return Reply(1, "", "mountpoint: /srv/comp: Transport endpoint is not connected")
            case ["env", "LC_ALL=C", "mountpoint", "/srv/comp"]:
                return Reply(0 if share else 32, "")
            case ["findmnt", "-n", "-o", "TARGET", "-T", "/srv/comp"]:
                return Reply(0, "/srv" if share else "/")
            case ["find", "/srv/comp", *_]:
                return Reply(0, "")
            case ["cat", "/proc/sys/kernel/random/uuid"]:
                self.drawn += 1
                return Reply(0, f"{self.drawn:08x}-0000-4000-8000-000000000000\n")
            case ["sh", "-c", script, "sh", path, content] if "printf" in script:
                assert share, "wrote where nothing is mounted"
                self.wrote += 1
                if self.readonly:
                    return Reply(1, "", "Permission denied")
                self.files[share, path] = content
                return Reply(0, "")
            case ["cat", "--", path]:
                found = self.files.get((share, path))
                return Reply(0, f"{found}\n") if found else Reply(1, "", "No such file or directory")
            case ["sh", "-c", script, "sh", path] if "rm -f" in script:
                if not self.sticky:
                    self.files.pop((share, path), None)
                return Reply(1 if (share, path) in self.files else 0, "")
        raise AssertionError(f"unexpected {argv}")

    def batch(
        self, host: HostCard, commands: Mapping[str, Sequence[str]], *, deadline: float = 30.0
    ) -> dict[str, Reply]:
        raise AssertionError("actions ask one thing at a time")

    def inventory(self, host: HostCard, *, deadline: float = 30.0) -> Inventory:
        return Inventory(host.name, pools=tuple(self.pools.values()))

    def define_pool(self, host: HostCard, xml: str) -> None:
        name, uuid, _ = read_pool(xml)
        if name in self.pools and read_pool(self.pools[name].xml)[1] != uuid:
            raise Refused(host.name, f"pool {name} already exists with another uuid")
        known = xml if uuid else xml.replace("</name>", "</name><uuid>u</uuid>")
        self.pools[name] = PoolReading(name, known, False, False)

    def build_pool(self, host: HostCard, pool: str) -> None:
        assert not self.pools[pool].active

    def start_pool(self, host: HostCard, pool: str) -> None:
        if self.pools[pool].active or not self.mounts:
            raise Refused(host.name, "internal error: mount.nfs: access denied by server\n")
        self.pools[pool] = replace(self.pools[pool], active=True)

    def stop_pool(self, host: HostCard, pool: str) -> None:
        assert self.pools[pool].active
        self.pools[pool] = replace(self.pools[pool], active=False)

    def set_pool_autostart(self, host: HostCard, pool: str, on: bool) -> None:
        self.pools[pool] = replace(self.pools[pool], autostart=on)

    def refresh_pool(self, host: HostCard, pool: str) -> None:
        assert self.pools[pool].active


class NoTime:
    """A clock on which waiting takes none."""

    def sleep(self, seconds: float) -> None:
        pass


def do(world: Hosts, action: Action) -> bool:
    return run(action, Hands(CARDS, world, world, NoTime())).changed  # type: ignore[arg-type]


def test_a_pool_comes_up_step_by_step_and_twice_is_once() -> None:
    world = Hosts()
    steps = [
        DefinePool(place=AT, xml=write_pool("comp", "", NFS)),
        BuildPool(place=AT, target="/srv/comp"),
        StartPool(place=AT, target="/srv/comp", source="nas:/export"),
        SetPoolAutostart(place=AT, on=True),
    ]
    assert [do(world, step) for step in steps] == [True, True, True, True]
    assert [do(world, step) for step in steps] == [False, False, False, False]
    assert (world.pools["comp"].active, world.pools["comp"].autostart) == (True, True)
    assert [do(world, StopPool(place=AT)) for _ in range(2)] == [True, False]


def test_a_mount_that_fails_says_what_libvirt_said_and_what_to_look_at() -> None:
    world = Hosts(mounts=False)
    do(world, DefinePool(place=AT, xml=write_pool("comp", "", NFS)))
    with pytest.raises(Refused, match="access denied by server") as error:
        do(world, StartPool(place=AT, target="/srv/comp", source="nas:/export"))
    assert "export nas:/export" in error.value.fix
    assert "\n" not in error.value.reason


def test_an_active_pool_without_its_mount_is_not_believed() -> None:
    world = Hosts(shares={"alpha": "", "beta": "nas"})
    do(world, DefinePool(place=AT, xml=write_pool("comp", "", NFS)))
    with pytest.raises(Refused, match="nothing is mounted at /srv/comp"):
        do(world, StartPool(place=AT, target="/srv/comp", source="nas:/export"))


def test_a_mount_that_does_not_answer_at_once_is_asked_again() -> None:
    world = Hosts(silent=3)
    do(world, PROOF)
    assert (world.silent, world.wrote) == (0, 1)


@pytest.mark.parametrize("network", [True, False])
def test_shared_storage_is_proven_and_nothing_is_left(network: bool) -> None:
    world = Hosts()
    assert not do(world, replace(PROOF, network=network))
    assert (world.files, world.wrote) == ({}, 1)


@pytest.mark.parametrize(
    ("world", "network", "message", "wrote"),
    [
        (Hosts({"alpha": "nas", "beta": "disk"}), True, "beta: does not see what alpha wrote", 1),
        (Hosts({"alpha": "", "beta": "nas"}), True, "alpha: nothing is mounted", 0),
        (Hosts({"alpha": "nas", "beta": ""}), True, "beta: nothing is mounted", 0),
        (Hosts({"alpha": "", "beta": "nas"}), False, "own root file system", 0),
        (Hosts(silent=4), True, "cannot tell whether .* at /srv/comp: .*Transport endpoint is not connected", 0),
        (Hosts(readonly=True), True, "could not write .*Permission denied", 1),
        (Hosts(sticky=True), True, "could not remove", 1),
    ],
)
def test_what_is_not_shared_is_refused_and_nothing_is_left(
    world: Hosts, network: bool, message: str, wrote: int
) -> None:
    with pytest.raises(Refused, match=message):
        do(world, replace(PROOF, network=network))
    assert world.wrote == wrote
    assert not world.files or world.sticky
