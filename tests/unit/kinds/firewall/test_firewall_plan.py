"""What is planned for firewalld, and that it makes the declaration true."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.kinds.firewall.state import FirewallState, ZoneState
from reconciler.model.action import Passage
from reconciler.model.disruption import Disruption

PUBLIC = ZoneState(("host0",), ("dhcpv6-client", "ssh"))
RUNNING = FirewallState(True, True, True, "public", {"public": PUBLIC}, {"public": PUBLIC}, "host0")
STOPPED = replace(RUNNING, running=False, enabled=False, runtime={})
ZONE = "  hosts: [alpha]\n  state: running\n  zones: [%s]\n"
World = Callable[..., Any]


def test_nothing_declared_differs_nothing_is_planned(world: World) -> None:
    one = world(ZONE % "{name: public, services: [ssh], interfaces: [host0]}", alpha=RUNNING)
    assert one.planned() == ((), ())


def test_additions_go_to_both_layers_permanent_first(world: World) -> None:
    one = world(ZONE % "{name: public, services: [libvirt], ports: [49152-49216/tcp]}", alpha=RUNNING)
    assert one.changes() == [
        "add service libvirt to zone public (permanent)",
        "add port 49152-49216/tcp to zone public (permanent)",
        "add service libvirt to zone public (runtime)",
        "add port 49152-49216/tcp to zone public (runtime)",
    ]
    assert {action.disruption for action in one.planned()[0]} == {Disruption.NONE}
    assert one.after().planned() == ((), ())


def test_layers_are_compared_apart(world: World) -> None:
    seen = replace(RUNNING, permanent={"public": replace(PUBLIC, services=("libvirt", "ssh"))})
    one = world(ZONE % "{name: public, services: [libvirt]}", alpha=seen)
    assert one.changes() == ["add service libvirt to zone public (runtime)"]


def test_a_wider_range_is_enough_unless_exclusive(world: World) -> None:
    wide = {"public": replace(PUBLIC, ports=("49152-49216/tcp",))}
    seen = replace(RUNNING, runtime=wide, permanent=wide)
    assert world(ZONE % "{name: public, ports: [49152-49215/tcp]}", alpha=seen).changes() == []
    one = world(ZONE % "{name: public, ports: [49152-49215/tcp], exclusive: true}", alpha=seen)
    assert one.changes() == [
        "remove port 49216/tcp from zone public (permanent)",
        "remove port 49216/tcp from zone public (runtime)",
    ]
    assert {action.disruption for action in one.planned()[0]} == {Disruption.LIVE}
    assert one.after().planned() == ((), ())


def test_adjacent_declared_ports_are_one_range_to_firewalld(world: World) -> None:
    one = world(ZONE % "{name: public, ports: [80/tcp, 81/tcp], exclusive: true}", alpha=RUNNING)
    assert one.after().seen("alpha").runtime["public"].ports == ("80-81/tcp",)
    assert one.after().planned() == ((), ())


def test_entries_that_only_touch_are_removed_one_by_one(world: World) -> None:
    """firewalld 1.3.3 says success to removing 90-91 where it holds 90 and 91, and removes nothing."""
    apart = {"public": replace(PUBLIC, ports=("90/tcp", "91/tcp"))}
    seen = replace(RUNNING, runtime=apart, permanent=apart)
    one = world(ZONE % "{name: public, ports: [], exclusive: true}", alpha=seen)
    assert one.changes() == [
        "remove port 90/tcp from zone public (permanent)",
        "remove port 91/tcp from zone public (permanent)",
        "remove port 90/tcp from zone public (runtime)",
        "remove port 91/tcp from zone public (runtime)",
    ]
    assert one.after().planned() == ((), ())


def test_a_new_zone_needs_one_reload_and_then_its_interface(world: World) -> None:
    one = world(
        "  hosts: [alpha]\n  zones: [{name: mig, services: [ssh], interfaces: [eth1]}]\n",
        "  hosts: [alpha]\n  zones: [{name: lab, ports: [80/tcp]}, {name: public, ports: [81/tcp]}]\n",
        alpha=RUNNING,
    )
    assert one.changes() == [
        "make zone mig (permanent)",
        "make zone lab (permanent)",
        "add service ssh to zone mig (permanent)",
        "add port 80/tcp to zone lab (permanent)",
        "add port 81/tcp to zone public (permanent)",
        "reload firewalld",
        "add port 81/tcp to zone public (runtime)",
        "add interface eth1 to zone mig (runtime)",
        "add interface eth1 to zone mig (permanent)",
    ]
    assert one.after().planned() == ((), ())


def test_a_reload_says_what_it_takes_away(world: World) -> None:
    seen = replace(RUNNING, runtime={"public": replace(PUBLIC, ports=("8080/tcp",))})
    one = world(ZONE % "{name: mig, services: [ssh]}", alpha=seen)
    reload = next(action for action in one.planned()[0] if action.verb == "reload")
    assert "8080/tcp in public" in reload.reason
    assert reload.disruption is Disruption.LIVE


def test_no_reload_while_a_lease_is_open(world: World) -> None:
    one = world(ZONE % "{name: mig, services: [ssh]}", alpha=replace(RUNNING, timed=True))
    actions, refusals = one.planned()
    assert actions == ()
    assert "would close a lease" in str(refusals[0])
    assert world(ZONE % "{name: public, ports: [80/tcp]}", alpha=replace(RUNNING, timed=True)).planned()[1] == ()


def test_one_apply_is_enough_for_a_stopped_firewalld(world: World) -> None:
    one = world(ZONE % "{name: public, services: [libvirt]}, {name: mig, services: [ssh]}", alpha=STOPPED)
    assert one.changes()[0] == "start and enable firewalld"
    assert one.changes().count("reload firewalld") == 1
    assert one.after().planned() == ((), ())
    start = one.planned()[0][0]
    assert all(start.id in action.needs for action in one.planned()[0][1:])


def test_two_documents_start_firewalld_once(world: World) -> None:
    one = world("  hosts: all\n  state: running\n", "  hosts: [alpha]\n  state: running\n", alpha=STOPPED)
    assert one.changes() == ["start and enable firewalld"]
    assert one.after().planned() == ((), ())


@pytest.mark.parametrize(
    ("seen", "spec", "reason"),
    [
        (FirewallState(), ZONE % "{name: public, services: [ssh]}", "not installed"),
        (STOPPED, "  hosts: [alpha]\n  zones: [{name: public, services: [ssh]}]\n", "firewalld is stopped"),
        (RUNNING, ZONE % "{name: public, services: [cockpit], exclusive: true}", "lock the reconciler out"),
        (RUNNING, ZONE % "{name: home, services: [cockpit], interfaces: [host0]}", "lock the reconciler out"),
        (RUNNING, ZONE % "{name: drop, interfaces: [host0]}", "lock the reconciler out"),
        (
            replace(STOPPED, permanent={"public": ZoneState(("host0",))}),
            ZONE % "{name: public, services: [ssh]}",
            "starting firewalld would lock",
        ),
    ],
)
def test_refusals_carry_reason_and_fix(world: World, seen: FirewallState, spec: str, reason: str) -> None:
    drop = {**seen.permanent, "drop": ZoneState(target="DROP")} if seen.permanent else {}
    seen = replace(seen, permanent=drop, runtime=drop if seen.running else {})
    actions, refusals = world(spec, alpha=seen).planned()
    assert actions == ()
    assert len(refusals) == 1
    assert reason in refusals[0].reason
    assert refusals[0].fix
    assert refusals[0].file == "fleet.yaml"


def test_our_way_in_may_change_its_shape(world: World) -> None:
    one = world(ZONE % "{name: public, services: [], ports: [22/tcp], exclusive: true}", alpha=RUNNING)
    assert one.planned()[1] == ()
    removal = next(action for action in one.planned()[0] if action.verb == "remove" and not action.permanent)
    assert any("port:22/tcp" in need for need in removal.needs)
    assert one.after().planned() == ((), ())


def test_an_undeclared_list_is_not_managed_even_when_exclusive(world: World) -> None:
    both = {"public": replace(PUBLIC, ports=("80/tcp",), rich_rules=('rule service name="http" accept',))}
    seen = replace(RUNNING, runtime=both, permanent=both)
    one = world(ZONE % "{name: public, services: [ssh], exclusive: true}", alpha=seen)
    assert one.changes() == [
        "remove service dhcpv6-client from zone public (permanent)",
        "remove service dhcpv6-client from zone public (runtime)",
    ]


def test_a_silent_host_is_not_compared(world: World) -> None:
    assert world(ZONE % "{name: public, services: [libvirt]}").planned() == ((), ())


def test_everything_on_one_host_happens_one_after_the_other(world: World) -> None:
    actions = world(ZONE % "{name: public, services: [a, b], ports: [1/tcp]}", alpha=RUNNING).planned()[0]
    assert [action.after for action in actions] == [(), *((action.id,) for action in actions[:-1])]


def test_a_move_waits_for_the_firewalls_at_its_ends(world: World) -> None:
    from reconciler.kinds.firewall.weave import weave
    from reconciler.model.action import Action
    from reconciler.model.ref import Place

    class Move(Action):
        verb = "move"

        @property
        def passage(self) -> Passage:
            return Passage("l1", "beta", "alpha")

    one = world(ZONE % "{name: mig, services: [ssh]}", alpha=RUNNING)
    move = Move(place=Place("vm", "alpha", "web"))
    woven, _ = weave([move, *one.planned()[0]], one.view)
    waiting = next(action for action in woven if isinstance(action, Move))
    assert waiting.after[-1].endswith("reload")


def test_problems_point_at_their_line(world: World) -> None:
    one = world(
        "  hosts: [alpha, gamma]\n  zones: [{name: public, interfaces: [host0]}]\n",
        "  hosts: all\n  zones:\n    - name: public\n    - {name: home, interfaces: [host0]}\n",
        "  hosts: {matchLabels: {role: nobody}}\n",
        "  hosts: all\n  zones: [{name: work, richRules: ['rule priority=-24242 service name=ssh accept']}]\n",
    )
    texts = [str(problem) for problem in one.problems]
    assert any("no Host named 'gamma'" in text for text in texts)
    assert any("zone 'public' is declared on host alpha already, at fleet.yaml:" in text for text in texts)
    assert any("interface 'host0' is declared on host alpha already" in text for text in texts)
    assert any("selects no host" in text for text in texts)
    assert any("temporary rules" in text for text in texts)
    assert len(texts) == 5
    assert all(problem.line for problem in one.problems)


NAMES = st.lists(st.sampled_from(["a", "b", "ssh"]), unique=True)
PORTS = st.lists(st.sampled_from(["80/tcp", "81/tcp", "80-90/tcp", "85-95/tcp", "22/tcp", "5/udp"]), unique=True)
ZONES = st.builds(
    lambda services, ports: ZoneState((), tuple(sorted(services)), tuple(sorted(ports))), NAMES, st.just([])
) | st.builds(lambda services: ZoneState((), tuple(sorted(services)), ("70-84/tcp", "85-95/tcp")), NAMES)
LAYER = st.dictionaries(st.sampled_from(["public", "mig", "lab"]), ZONES)
SEEN = st.builds(
    lambda running, runtime, permanent: FirewallState(
        True, running, running, "public", {**permanent, **runtime} if running else {}, permanent, ""
    ),
    st.booleans(),
    LAYER,
    LAYER,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80)
@given(
    SEEN,
    st.lists(st.tuples(NAMES | st.none(), PORTS | st.none(), NAMES | st.none(), st.booleans()), max_size=3),
    st.booleans(),
)
def test_law_1_effects_are_true(world: World, seen: FirewallState, zones: list[Any], apart: bool) -> None:
    def listed(name: str, values: list[str] | None) -> str:
        return "" if values is None else f", {name}: [{', '.join(values)}]"

    written = [
        f"{{name: {name}{listed('services', services)}{listed('ports', ports)}"
        f"{listed('interfaces', [f'{name}{nic}' for nic in nics] if nics is not None else None)}, "
        f"exclusive: {str(exclusive).lower()}}}"
        for name, (services, ports, nics, exclusive) in zip(["public", "mig", "lab"], zones, strict=False)
    ]
    specs = [ZONE % zone for zone in written] if apart else [ZONE % ", ".join(written)]
    one = world(*specs, alpha=seen)
    assert one.problems == ()
    assert one.planned()[1] == ()
    assert one.after().planned() == ((), ())
