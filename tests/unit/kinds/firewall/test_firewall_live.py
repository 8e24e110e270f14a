"""Firewall actions against a firewall-cmd that refuses impossible worlds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from reconciler.errors import Refused
from reconciler.kinds.firewall.actions import AddToZone, NewZone, Reload, RemoveFromZone, StartFirewall
from reconciler.kinds.firewall.live import run
from reconciler.model.action import Action
from reconciler.model.fleet import HostCard
from reconciler.model.ref import Place
from reconciler.ports import Hands
from reconciler.readings import Reply

CARD = HostCard("alpha", "alpha.lab.test", "10.77.0.11")
AT = Place("firewall", "alpha", "compute")


@dataclass
class Firewalld:
    """A Shell that is one firewalld: services per (layer, zone); `deaf` takes changes and forgets them."""

    zones: dict[str, set[str]] = field(default_factory=lambda: {"public": {"ssh"}})
    permanent: dict[str, set[str]] = field(default_factory=lambda: {"public": {"ssh"}})
    rules: str = ""
    running: bool = True
    deaf: bool = False
    calls: list[Sequence[str]] = field(default_factory=list)

    def batch(
        self, host: HostCard, commands: Mapping[str, Sequence[str]], *, deadline: float = 30.0
    ) -> dict[str, Reply]:
        raise AssertionError("actions ask one thing at a time")

    def run(self, host: HostCard, argv: Sequence[str], *, stdin: str = "", deadline: float = 30.0) -> Reply:
        self.calls.append(argv)
        match list(argv):
            case ["systemctl", "is-active", "firewalld"]:
                return Reply(0 if self.running else 3, "")
            case ["systemctl", "enable", "--now", "firewalld"]:
                self.running = not self.deaf
                return Reply(0, "")
            case ["firewall-cmd", "--state"]:
                return Reply(0, "running") if self.running else Reply(252, "not running")
            case ["firewall-cmd", *options]:
                return self._command(options)
        raise AssertionError(f"unexpected {argv}")

    def _command(self, options: Sequence[str]) -> Reply:
        given = {option.partition("=")[0]: option.partition("=")[2] for option in options}
        layer = self.permanent if "--permanent" in given else self.zones
        zone = layer.get(given.get("--zone", ""), set())
        if "--list-all-zones" in given:
            return Reply(0, self.rules)
        if "--reload" in given:
            self.zones = {name: set(services) for name, services in self.permanent.items()}
            return Reply(0, "success")
        if "--new-zone" in given:
            known = given["--new-zone"] in self.permanent
            self.permanent.setdefault(given["--new-zone"], set())
            return Reply(26, "", "Error: NAME_CONFLICT: new_zone()") if known else Reply(0, "success")
        if "--get-zones" in given:
            return Reply(0, " ".join(layer))
        if "--info-service" in given:
            return Reply(101, "", "Error: INVALID_SERVICE: x") if given["--info-service"] == "nosuch" else Reply(0, "")
        if "--query-service" in given:
            there = given["--query-service"] in zone
            return Reply(0, "yes") if there else Reply(1, "no")
        if "--add-service" in given:
            if given["--add-service"] in zone:
                return Reply(0, "success", "Warning: ALREADY_ENABLED: 'ssh' already in 'public'")
            zone |= set() if self.deaf else {given["--add-service"]}
            return Reply(0, "success")
        if "--remove-service" in given:
            if given["--remove-service"] not in zone:
                return Reply(12, "", "Error: NOT_ENABLED")
            zone -= set() if self.deaf else {given["--remove-service"]}
            return Reply(0, "success")
        raise AssertionError(f"unexpected {options}")


def hands(shell: Firewalld) -> Hands:
    return Hands({"alpha": CARD}, None, shell, None)  # type: ignore[arg-type]


def add(service: str, permanent: bool = False) -> AddToZone:
    return AddToZone(place=AT, zone="public", item="service", value=service, permanent=permanent)


@pytest.mark.parametrize("permanent", [False, True])
def test_an_item_is_added_once_and_only_in_its_layer(permanent: bool) -> None:
    shell = Firewalld()
    assert run(add("libvirt", permanent), hands(shell)).changed
    assert not run(add("libvirt", permanent), hands(shell)).changed
    assert (shell.permanent if permanent else shell.zones)["public"] == {"ssh", "libvirt"}
    assert (shell.zones if permanent else shell.permanent)["public"] == {"ssh"}


def test_an_item_is_removed_once() -> None:
    shell = Firewalld()
    remove = RemoveFromZone(place=AT, zone="public", item="service", value="ssh", permanent=False)
    assert [run(remove, hands(shell)).changed for _ in range(2)] == [True, False]
    assert shell.zones["public"] == set()


@pytest.mark.parametrize(
    ("action", "shell", "message"),
    [
        (add("nosuch"), Firewalld(), "knows no service 'nosuch'"),
        (add("libvirt"), Firewalld(deaf=True), "then says 'no'"),
        (StartFirewall(place=AT), Firewalld(running=False, deaf=True), "says 'not running'"),
        (Reload(place=AT), Firewalld(rules='\trule priority="-24242" family="ipv4" accept'), "a lease is open"),
    ],
)
def test_what_is_not_so_afterwards_is_refused(action: Action, shell: Firewalld, message: str) -> None:
    with pytest.raises(Refused, match=message):
        run(action, hands(shell))
    assert ["firewall-cmd", "--reload"] not in shell.calls


def test_a_new_zone_is_made_once_and_reloaded() -> None:
    shell = Firewalld()
    assert [run(NewZone(place=AT, zone="mig"), hands(shell)).changed for _ in range(2)] == [True, False]
    run(Reload(place=AT), hands(shell))
    assert "mig" in shell.zones


def test_a_start_that_found_it_running_changed_nothing() -> None:
    assert not run(StartFirewall(place=AT), hands(Firewalld())).changed
    assert run(StartFirewall(place=AT), hands(Firewalld(running=False))).changed
