"""Links that hosts share: what a Fleet says of them, which moves go over them, and how fast these are."""

from pathlib import Path

from reconciler.adapters.spec_source import FolderSource
from reconciler.engine.codec import read_snapshot
from reconciler.engine.once import think, want
from reconciler.engine.yaml_read import load_plain
from reconciler.kinds.vm.actions import MoveLive
from reconciler.model.fleet import Limits, Link
from reconciler.wiring import KINDS
from tests.fakes.fleets import HEAD, Text

CASE = Path(__file__).parents[2] / "cases" / "moves_over_a_link_that_hosts_share_keep_its_limits"
MIB = 2**20
RACKS = {"a": "{rack: r1, net: old}", "b": "{rack: r1}", "c": "{rack: r2, net: old}", "d": "{}"}


def limits(links: str) -> Limits:
    text = f"{HEAD}Fleet\nmetadata: {{name: f}}\nspec: {{limits: {{links: {links}}}}}\n"
    for number, (name, labels) in enumerate(RACKS.items()):
        spec = f"{{fqdn: {name}.test, address: 10.0.0.{number + 1}}}"
        text += f"{HEAD}Host\nmetadata: {{name: {name}, labels: {labels}}}\nspec: {spec}\n"
    return want(Text(text), KINDS).fleet.limits


def test_over_a_label_each_value_has_an_uplink_and_who_has_none_is_on_none() -> None:
    found = limits("[{over: rack, moves: 2, bandwidth: 1GiB/s}]").links
    half = 512 * MIB
    assert found == (Link(frozenset("ab"), 2, half, True), Link(frozenset("c"), 2, half, True))


def test_hosts_are_names_or_labels_or_all() -> None:
    found = limits("[{hosts: [a, d]}, {hosts: {matchLabels: {net: old}}, moves: 3}, {hosts: all}]").links
    assert found == (Link(frozenset("ad")), Link(frozenset("ac"), 3), Link(frozenset("abcd")))


def test_who_shares_a_bandwidth_gets_an_equal_part_of_it_and_no_more_than_was_allowed() -> None:
    found = limits("[{hosts: [a, b], moves: 4, bandwidth: 400MiB/s}, {over: rack, bandwidth: 50MiB/s}]")
    assert found.rate("a", "b", 0) == 100 * MIB
    assert found.rate("a", "c", 0) == 50 * MIB
    assert found.rate("a", "b", 10 * MIB) == 10 * MIB
    assert found.rate("d", "d", 0) == 0


def test_over_a_shared_link_goes_what_has_one_end_there_over_an_uplink_what_leaves() -> None:
    shared, uplink = Link(frozenset("ab")), Link(frozenset("ab"), uplink=True)
    ways = [("a", "b"), ("a", "c"), ("c", "a"), ("c", "d")]
    assert [shared.carries(*way) for way in ways] == [True, True, True, False]
    assert [uplink.carries(*way) for way in ways] == [False, True, True, False]


def test_libvirt_is_told_the_rate() -> None:
    """Not only the timetable knows it: each move over the link carries it as its own upper bound."""
    seen = read_snapshot(load_plain((CASE / "snapshot.json").read_text(encoding="utf-8")), KINDS)
    plan = think(want(FolderSource(str(CASE)), KINDS), seen, KINDS)
    assert [action.policy.bandwidth for action in plan.actions if isinstance(action, MoveLive)] == [100 * MIB] * 2
