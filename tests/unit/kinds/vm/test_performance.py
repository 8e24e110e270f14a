"""Performance compared: what is equal is seldom called different, what doubles is seen, what is idle is not judged.

Series are made here; real counters are met in tests/e2e.
"""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.adapters.counters import summed
from reconciler.kinds.vm.performance import FLOOR, MEASURES, Judged, Window, compare, judge, overall, seen, told

EMPTY = dict.fromkeys({m.of for m in MEASURES} | {m.per for m in MEASURES}, 0.0)
LATENCY = next(m for m in MEASURES if m.name == "disk write latency")
RATE = next(m for m in MEASURES if m.name == "disk write")


def windows(number: int = 8, **counted: float) -> list[Window]:
    """The same growth in each quarter of a second."""
    return [{**EMPTY, "seconds": 0.25, **counted} for _ in range(number)]


def writing(ms: Sequence[float], requests: int = 25) -> list[Window]:
    """`requests` writes of 4 KiB in each window, each of them `ms` long."""
    return [
        {
            **EMPTY,
            "seconds": 0.25,
            "writes": requests,
            "write_ns": requests * each * 1e6,
            "write_bytes": requests * 4096,
        }
        for each in ms
    ]


def verdict(name: str, judged: Sequence[Judged]) -> str:
    return next(j.verdict for j in judged if j.measure.name == name)


def test_equal_sides_are_the_same_and_the_bound_is_the_floor() -> None:
    found = judge(LATENCY, writing([1.2] * 8), writing([1.2] * 8))
    assert (found.verdict, found.bound, found.change) == ("same", FLOOR, 0.0)
    assert found.before == pytest.approx(1.2e6)


def test_the_bound_is_welchs() -> None:
    """By hand: means 2 and 3, variance of each series 2/7 (n = 8), equal weights: se = sqrt(2/7/8), t(14) = 2.977."""
    one, two = [1.5, 2.5] * 4, [2.5, 3.5] * 4
    found = judge(LATENCY, writing(one), writing(two))
    assert found.bound == pytest.approx(2.977 * (2 * (2 / 7) / 8) ** 0.5 / 2, rel=1e-3)
    assert found.change == pytest.approx(0.5)
    assert found.verdict == "worse"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.02, 0.8), st.integers(4, 8), st.floats(0.01, 100))
def test_equal_distributions_seldom_differ(seed: int, spread: float, number: int, scale: float) -> None:
    """Both sides lognormal with one median: at most a handful of a hundred comparisons of two measures."""
    chance = random.Random(seed)  # noqa: S311

    def side(count: int) -> list[Window]:
        return writing([scale * chance.lognormvariate(0, spread) for _ in range(count)])

    found = [judge(LATENCY, side(number), side(8)).verdict for _ in range(100)]
    assert found.count("worse") + found.count("better") <= 8


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(4, 8))
def test_a_doubled_latency_is_seen(seed: int, number: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    before = writing([chance.gauss(1, 0.1) for _ in range(number)])
    after = writing([chance.gauss(2, 0.2) for _ in range(8)])
    found = [judge(LATENCY, before, after).verdict, overall(compare(before, after))]
    assert found in (["worse", "worse"], ["same", "same"])
    wild = judge(LATENCY, before, after).bound
    assert found[0] == "worse" or wild > 0.7, "only a wide bound may hide it"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.01, 1.5))
def test_what_is_worse_one_way_is_better_the_other(seed: int, spread: float) -> None:
    """With equal weights nothing is worse in both directions, and no verdict lies within its own bound."""
    chance = random.Random(seed)  # noqa: S311
    one, two = (writing([chance.lognormvariate(0, spread) for _ in range(8)]) for _ in range(2))
    there, back = judge(LATENCY, one, two), judge(LATENCY, two, one)
    assert {there.verdict, back.verdict} != {"worse"}
    assert (abs(there.change) > there.bound) == (there.verdict != "same")


def test_a_fall_in_throughput_is_worse_and_a_rise_is_better() -> None:
    slow, fast = windows(write_bytes=2**18), windows(write_bytes=2**20)
    assert judge(RATE, fast, slow).verdict == "worse"
    assert judge(RATE, slow, fast).verdict == "better"


def test_more_work_on_the_vcpu_is_neither_better_nor_worse() -> None:
    judged = compare(windows(vcpu_ns=5e7), windows(vcpu_ns=2e8))
    assert verdict("vCPU", judged) == "changed"
    assert overall(judged) == "idle"


def test_a_vcpu_kept_waiting_is_worse() -> None:
    judged = compare(windows(vcpu_ns=2e8), windows(vcpu_ns=2e8, delay_ns=1e8))
    assert told(judged) == "vCPU 80 % -> 80 %, vCPU waiting 0 % -> 40 %: worse: vCPU waiting by 40 % (bound 10 %)"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (windows(), windows()),
        (windows(writes=1, write_ns=1e6), windows(writes=1, write_ns=9e6)[:7]),
        (windows(2, writes=50, write_ns=1e6), windows(writes=50, write_ns=9e6)),
        ([], windows(writes=50, write_ns=1e6)),
    ],
    ids=["nothing", "too few requests", "too few windows", "no windows"],
)
def test_too_little_is_not_judged(before: list[Window], after: list[Window]) -> None:
    judged = compare(before, after)
    assert verdict("disk write latency", judged) == "idle"
    assert told(judged).endswith("idle: too little to judge") or told(judged).endswith("idle, too little to judge")


def test_what_is_told() -> None:
    before = [{**w, "vcpu_ns": 3e7} for w in writing([1.1, 1.3] * 4, 200)]
    after = [{**w, "vcpu_ns": 3.25e7} for w in writing([1.2, 1.4] * 4, 196)]
    assert told(compare(before, after)) == (
        "vCPU 12 % -> 13 %, disk write 1.2 ms -> 1.3 ms, 3.1 MiB/s -> 3.1 MiB/s: same within noise (bound 13 %)"
    )
    assert seen(before) == "vCPU 12 %, disk write 1.2 ms, 3.1 MiB/s"
    slow = told(compare(before, writing([6.0] * 8, 40)))
    assert ": worse: disk write latency by 400 % (bound 12 %), disk write by 80 % (bound 10 %)" in slow


def test_libvirts_counters_are_summed_over_devices() -> None:
    stats = {
        "state.state": 1,
        **{"vcpu.current": 2, "vcpu.0.time": 5, "vcpu.1.time": 7, "vcpu.1.delay": 3, "vcpu.1.wait": 1},
        **{"block.count": 2, "block.0.rd.reqs": 1, "block.1.rd.reqs": 2, "block.1.wr.times": 9, "block.0.path": "/x"},
        **{"net.count": 1, "net.0.rx.bytes": 10, "net.0.rx.drop": 1, "net.0.tx.errs": 2, "balloon.rss": 4},
    }
    found = summed(stats, 1.5)
    assert (found.at, found.vcpu_ns, found.delay_ns, found.reads, found.write_ns) == (1.5, 12, 3, 3, 9)
    assert (found.rx_bytes, found.drops, found.rss) == (10, 3, 4096)
