"""What passes amount to, as Prometheus metrics: for a scrape of `run`, or a text file of a single pass.

Counts what records of passes say and asks nobody; no label holds a VM's name but that of an object's status count.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from threading import Lock

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from reconciler import __version__
from reconciler.model.outcome import Outcome
from reconciler.model.passed import Passed

WORDS = ("in-sync", "drifted", "pending", "refused", "unknown")
SECONDS = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
DOWNTIMES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
_MOVES = (":move", ":follow", ":recover")
_Key = tuple[str, ...]

HELP: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "reconciler_passes_total": ("Passes that ended, by verdict", ("fleet", "verdict")),
    "reconciler_moves_total": ("Moves of VMs that ended, by result (done, failed)", ("fleet", "result")),
    "reconciler_move_bytes_total": ("Memory and disks that moves sent, in bytes", ("fleet",)),
    "reconciler_last_pass_timestamp_seconds": ("When the last pass ended", ("fleet",)),
    "reconciler_last_applied_commit_timestamp_seconds": ("When the last applied commit was made", ("fleet",)),
    "reconciler_objects": ("Declared objects by how they stand after the last pass", ("fleet", "status")),
    "reconciler_fights": ("Objects whose drift comes back after each pass that heals it", ("fleet",)),
    "reconciler_leases_open": ("Pieces of temporary access the last pass saw or left open", ("fleet",)),
    "reconciler_oldest_lease_age_seconds": ("How long passes have seen access open, without a break", ("fleet",)),
    "reconciler_revocations_pending": ("Accesses the last pass could not take back", ("fleet",)),
    "reconciler_build_info": ("The version that runs", ("version",)),
}
HISTOGRAMS: Mapping[str, tuple[str, tuple[float, ...]]] = {
    "reconciler_pass_duration_seconds": ("How long passes took", SECONDS),
    "reconciler_move_downtime_seconds": ("How long guests stood still in moves", DOWNTIMES),
}


class Metrics(Collector):
    """A listener of passes, and a collector of prometheus-client; safe to use from many threads."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now, self._lock = now, Lock()
        self._values: dict[tuple[str, _Key], float] = {}
        self._since: dict[str, float] = {}
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(self)

    def __call__(self, passed: Passed) -> None:
        """One more pass."""
        with self._lock:
            self._count(passed)
            if passed.standings:
                self._stand(passed)
            self._lease(passed)

    def text(self) -> str:
        """Prometheus' text format."""
        return str(generate_latest(self.registry).decode())

    def restore(self, text: str) -> None:
        """Go on from what an earlier process wrote, so that counters of single passes add up; nonsense is left out."""
        try:
            samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        except ValueError:
            return
        known = {*HELP, *(name + end for name in HISTOGRAMS for end in ("_bucket", "_sum", "_count"))}
        with self._lock:
            for sample in samples:
                if sample.name in known and sample.name != "reconciler_build_info":
                    self._values[sample.name, tuple(sample.labels.values())] = sample.value
                if sample.name == "reconciler_oldest_lease_age_seconds" and sample.value:
                    self._since[sample.labels["fleet"]] = self._now() - sample.value

    def collect(self) -> Iterable[Metric]:
        """All families, also those that have no sample yet."""
        with self._lock:
            values, since, now = dict(self._values), dict(self._since), self._now()
        values["reconciler_build_info", (__version__,)] = 1.0
        for fleet in {key[0] for name, key in values if name == "reconciler_leases_open"}:
            age = now - since[fleet] if fleet in since else 0.0
            values["reconciler_oldest_lease_age_seconds", (fleet,)] = round(age, 1)
        yield from _families(values)

    def _count(self, passed: Passed) -> None:
        fleet = passed.fleet
        self._add("reconciler_passes_total", (fleet, passed.verdict))
        self._observe("reconciler_pass_duration_seconds", fleet, passed.ended - passed.began)
        self._values["reconciler_last_pass_timestamp_seconds", (fleet,)] = passed.ended
        if passed.commit.when and (passed.applied or passed.verdict == "in-sync"):
            self._values["reconciler_last_applied_commit_timestamp_seconds", (fleet,)] = passed.commit.when
        for outcome in passed.outcomes:
            if any(word in outcome.action for word in _MOVES) and outcome.status in ("done", "failed"):
                self._move(fleet, outcome)

    def _move(self, fleet: str, outcome: Outcome) -> None:
        self._add("reconciler_moves_total", (fleet, outcome.status))
        facts = outcome.facts
        sent = float(facts.get("bytes", 0)) + float(facts.get("disk_bytes", 0))
        self._add("reconciler_move_bytes_total", (fleet,), sent)
        if "downtime_ms" in facts:
            self._observe("reconciler_move_downtime_seconds", fleet, float(facts["downtime_ms"]) / 1000)

    def _stand(self, passed: Passed) -> None:
        for word in WORDS:
            count = sum(standing.word == word for standing in passed.standings)
            self._values["reconciler_objects", (passed.fleet, word)] = count
        self._values["reconciler_fights", (passed.fleet,)] = sum(standing.fight for standing in passed.standings)

    def _lease(self, passed: Passed) -> None:
        fleet = passed.fleet
        pending = sum(o.facts.get("pending") == "revocation" for o in passed.outcomes if o.status == "failed")
        self._values["reconciler_leases_open", (fleet,)] = passed.leases_open
        self._values["reconciler_revocations_pending", (fleet,)] = pending
        if passed.leases_open:
            self._since.setdefault(fleet, passed.began)
        else:
            self._since.pop(fleet, None)

    def _add(self, name: str, key: _Key, by: float = 1.0) -> None:
        self._values[name, key] = self._values.get((name, key), 0.0) + by

    def _observe(self, name: str, fleet: str, value: float) -> None:
        for bound in (*HISTOGRAMS[name][1], float("inf")):
            self._add(f"{name}_bucket", (fleet, _bound(bound)), float(value <= bound))
        self._add(f"{name}_sum", (fleet,), max(0.0, value))
        self._add(f"{name}_count", (fleet,))


def _families(values: Mapping[tuple[str, _Key], float]) -> Iterator[Metric]:
    for name, (text, labels) in HELP.items():
        counter = name.endswith("_total")
        family = (CounterMetricFamily if counter else GaugeMetricFamily)(name, text, labels=list(labels))
        for (found, key), value in sorted(values.items()):
            if found == name:
                family.add_metric(list(key), value)
        yield family
    for name, (text, bounds) in HISTOGRAMS.items():
        histogram = HistogramMetricFamily(name, text, labels=["fleet"])
        for fleet in sorted({key[0] for found, key in values if found == f"{name}_count"}):
            words = [_bound(bound) for bound in (*bounds, float("inf"))]
            buckets = [(word, values.get((f"{name}_bucket", (fleet, word)), 0.0)) for word in words]
            histogram.add_metric([fleet], buckets, values[f"{name}_sum", (fleet,)])
        yield histogram


def _bound(value: float) -> str:
    return "+Inf" if value == float("inf") else str(value)


def names() -> frozenset[str]:
    """Every series' name, as a query may say it."""
    return frozenset({*HELP, *(name + end for name in HISTOGRAMS for end in ("_bucket", "_sum", "_count"))})


class MetricsFile:
    """A listener that keeps a text file for node_exporter's textfile collector; a reader never sees half of it."""

    def __init__(self, path: Path, metrics: Metrics | None = None) -> None:
        self._path, self._metrics = path, metrics or Metrics()
        if path.exists():
            self._metrics.restore(path.read_text(encoding="utf-8", errors="replace"))

    def __call__(self, passed: Passed) -> None:
        """Raises OSError where it cannot be written."""
        self._metrics(passed)
        handle, new = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        with open(handle, "w", encoding="utf-8") as file:
            file.write(self._metrics.text())
        os.chmod(new, 0o644)
        os.replace(new, self._path)


def serve(metrics: Metrics, listen: str) -> Callable[[], None]:
    """/metrics at `ADDRESS:PORT` or `PORT` (for this machine only); gives what ends it. Raises ValueError, OSError."""
    from prometheus_client import start_http_server

    address, colon, port = listen.rpartition(":")
    if not port.isdigit() or not 0 <= int(port) <= 65535 or (colon and not address):
        raise ValueError(f"not where metrics can be served: {listen[:80]!r}; write ADDRESS:PORT, or PORT")
    server, thread = start_http_server(int(port), address or "127.0.0.1", metrics.registry)

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join(5)

    end.port = server.server_port  # type: ignore[attr-defined]
    return end
