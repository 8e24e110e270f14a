"""How a VM performs, from the growth of libvirt's counters in short windows, and two such series compared. Pure.

Asks no host, and never says more than the spread of the windows permits: every verdict comes with its noise bound.

**What a measure is.** Each is a ratio of sums over all windows of one side, Σa/Σb, as `virsh domstats` read twice would
give it: time of requests per request (latency), bytes per second, seconds on a CPU per second.

**The noise bound.** The standard error of such a ratio R over n windows is √(n/(n-1) · Σ(a - R·b)²) / Σb (the ratio
estimator of survey sampling; Cochran, Sampling Techniques, ch. 6). The difference of two sides has √(se² + se²) and
Welch's degrees of freedom; times Student's t it is what chance alone exceeds once in a hundred comparisons of equals,
in either direction. The bound is that, relative to the value before (of a vCPU's time: to one whole CPU), never less
than FLOOR, nor than a change too small to matter.

**What it rests on.** Windows are taken as independent: load that swings more slowly than the measurement lasts (a
nightly job that begins between the two sides) is no noise to it and is called a change. Few windows give a wide bound
rather than a false alarm. A guest that asks for less looks like a host that gives less: rates say so, latencies do not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

from reconciler.model.units import show_size

FLOOR = 0.10
FEWEST = 3
REQUESTS = 8
# Student's t for one chance in a hundred in both directions together, by degrees of freedom: 1 to 16, then 17 and more.
_T = (63.66, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.250, 3.169, 3.106, 3.055, 3.012, 2.977, 2.947, 2.921)
_MORE = 2.898

Window = Mapping[str, float]
Verdict = Literal["same", "better", "worse", "changed", "idle"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One ratio of counters. `good` is the direction that is better: -1 less, 1 more, 0 neither.

    `least` is the smallest value worth judging, in the measure's unit; both sides below it are idle. A latency
    (`counted`) needs REQUESTS requests on each side instead. Changes are relative to `whole`, or to the value before.
    """

    name: str
    of: str
    per: str
    good: int
    show: Callable[[float], str]
    least: float = 0.0
    whole: float = 0.0

    @property
    def counted(self) -> bool:
        return self.per != "seconds"


def _percent(nanoseconds: float) -> str:
    return f"{nanoseconds / 1e7:.0f} %"


def _milliseconds(nanoseconds: float) -> str:
    number = nanoseconds / 1e6
    return f"{number:.0f} ms" if number >= 10 else f"{number:.1f} ms" if number >= 1 else f"{number:.2f} ms"


def _rate(size: float) -> str:
    return f"{show_size(size)}/s"


def _times(count: float) -> str:
    return f"{count:.0f}/s"


MEASURES = (
    Measure("vCPU", "vcpu_ns", "seconds", 0, _percent, whole=1e9),
    Measure("vCPU waiting", "delay_ns", "seconds", -1, _percent, least=5e7, whole=1e9),
    Measure("disk read latency", "read_ns", "reads", -1, _milliseconds),
    Measure("disk read", "read_bytes", "seconds", 1, _rate, least=64 * 2**10),
    Measure("disk write latency", "write_ns", "writes", -1, _milliseconds),
    Measure("disk write", "write_bytes", "seconds", 1, _rate, least=64 * 2**10),
    Measure("disk flush latency", "flush_ns", "flushes", -1, _milliseconds),
    Measure("net in", "rx_bytes", "seconds", 1, _rate, least=64 * 2**10),
    Measure("net out", "tx_bytes", "seconds", 1, _rate, least=64 * 2**10),
    Measure("net dropped", "drops", "seconds", -1, _times, least=1.0),
)


@dataclass(frozen=True, slots=True)
class Side:
    """One measure on one side: its value, the standard error of that, and what that rests on."""

    value: float
    error: float
    windows: int
    weight: float


def side(windows: Sequence[Window], measure: Measure) -> Side:
    """Σa/Σb with the ratio estimator's error; windows without anything to divide by say nothing."""
    pairs = [(w[measure.of], w[measure.per]) for w in windows if w[measure.per] > 0]
    weight = sum(b for _, b in pairs)
    if not pairs:
        return Side(0.0, 0.0, 0, 0.0)
    value, n = sum(a for a, _ in pairs) / weight, len(pairs)
    spread = sum((a - value * b) ** 2 for a, b in pairs)
    return Side(value, sqrt(n / (n - 1) * spread) / weight if n > 1 else 0.0, n, weight)


@dataclass(frozen=True, slots=True)
class Judged:
    """One measure before and after; `change` and `bound` are shares of the value before or the whole (0.18 is 18 %)."""

    measure: Measure
    before: float
    after: float
    change: float
    bound: float
    verdict: Verdict


def judge(measure: Measure, before: Sequence[Window], after: Sequence[Window]) -> Judged:
    """The verdict on one measure."""
    one, two = side(before, measure), side(after, measure)
    base = measure.whole or max(one.value, measure.least)
    if not _enough(measure, one, two) or base <= 0:
        return Judged(measure, one.value, two.value, 0.0, 0.0, "idle")
    chance = _t(one, two) * sqrt(one.error**2 + two.error**2)
    bound = max(FLOOR, chance / base, measure.least / base if not measure.counted else 0.0)
    change = (two.value - one.value) / base
    return Judged(measure, one.value, two.value, change, bound, _verdict(measure, change, bound))


def _enough(measure: Measure, one: Side, two: Side) -> bool:
    if min(one.windows, two.windows) < FEWEST:
        return False
    if measure.counted:
        return min(one.weight, two.weight) >= REQUESTS
    return max(one.value, two.value) >= measure.least


def _t(one: Side, two: Side) -> float:
    """Student's t at Welch's degrees of freedom, rounded down."""
    parts = [(s.error**2, s.windows - 1) for s in (one, two)]
    below = sum(square**2 / free for square, free in parts)
    free = int(sum(square for square, _ in parts) ** 2 / below) if below > 0 else len(_T)
    return _T[max(free, 1) - 1] if free <= len(_T) else _MORE


def _verdict(measure: Measure, change: float, bound: float) -> Verdict:
    if abs(change) <= bound:
        return "same"
    if not measure.good:
        return "changed"
    return "better" if change * measure.good > 0 else "worse"


def compare(before: Sequence[Window], after: Sequence[Window]) -> tuple[Judged, ...]:
    """Every measure of the table, in its order."""
    return tuple(judge(measure, before, after) for measure in MEASURES)


def overall(judged: Sequence[Judged]) -> Verdict:
    """The worst that was found; a vCPU that merely does more or less decides nothing."""
    found = {j.verdict for j in judged if j.measure.good}
    order: tuple[Verdict, ...] = ("worse", "better", "same")
    return next((verdict for verdict in order if verdict in found), "idle")


def told(judged: Sequence[Judged]) -> str:
    """One line for people: what was worth measuring, then the verdict with its bound."""
    shown = [j for j in judged if j.verdict != "idle"]
    values = _listed([(j.measure, f"{j.measure.show(j.before)} -> {j.measure.show(j.after)}") for j in shown])
    verdict = overall(judged)
    if verdict == "idle":
        return f"{values}: idle, too little to judge" if values else "idle: too little to judge"
    if verdict == "same":
        widest = max(j.bound for j in shown if j.measure.good)
        return f"{values}: same within noise (bound {widest * 100:.0f} %)"
    parts = [_changes(judged, word) for word in ("worse", "better")]
    return f"{values}: {'; '.join(part for part in parts if part)}"


def _listed(values: Sequence[tuple[Measure, str]]) -> str:
    """`disk write 1.2 ms, 3.1 MiB/s`: a device's latency and rate under one name."""
    words, last = [], ""
    for measure, value in values:
        name = measure.name.removesuffix(" latency")
        words.append(value if name == last else f"{name} {value}")
        last = name
    return ", ".join(words)


def _changes(judged: Sequence[Judged], word: str) -> str:
    found = [j for j in judged if j.verdict == word]
    said = [f"{j.measure.name} by {abs(j.change) * 100:.0f} % (bound {j.bound * 100:.0f} %)" for j in found]
    return f"{word}: {', '.join(said)}" if said else ""


def seen(windows: Sequence[Window]) -> str:
    """One side alone, for people: the measures that are not idle."""
    sides = [(measure, side(windows, measure)) for measure in MEASURES]
    busy = [(m, s) for m, s in sides if (s.weight >= REQUESTS if m.counted else s.value >= m.least and s.windows)]
    return _listed([(m, m.show(s.value)) for m, s in busy])
