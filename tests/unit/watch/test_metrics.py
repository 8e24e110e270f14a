"""The metrics say what the records of passes say; dashboard and alerts name only series that exist."""

import json
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from reconciler.loop.metrics import Metrics, MetricsFile, names, serve
from reconciler.model.commit import Commit
from reconciler.model.outcome import Outcome
from reconciler.model.passed import Passed
from reconciler.model.ref import Place
from reconciler.model.standing import Standing

PACKAGING = Path(__file__).resolve().parents[3] / "packaging"
MOVE = Outcome("vm/web@b:move-live", "done", facts={"bytes": 2_000, "disk_bytes": 500, "downtime_ms": 40})
FAILED = Outcome("vm/db@b:move-offline", "failed")
OTHER = Outcome("vm/web@b:verify", "done")


def standing(name: str, word: str, healed: int = 0) -> Standing:
    return Standing(Place("vm", "a", name), word, healed=healed)  # type: ignore[arg-type]


def passed(**given: object) -> Passed:
    whole = {"run": "r", "fleet": "f", "began": 100.0, "ended": 104.0, "commit": Commit("c", when=50), "applied": True}
    return Passed(**{**whole, **given})  # type: ignore[arg-type]


def values(metrics: Metrics) -> dict[str, float]:
    found = [sample for family in text_string_to_metric_families(metrics.text()) for sample in family.samples]
    return {f"{s.name}{sorted(s.labels.items())}" if len(s.labels) > 1 else s.name: s.value for s in found}


def test_what_a_pass_did() -> None:
    metrics = Metrics(lambda: 200.0)
    stood = (standing("a", "in-sync"), standing("b", "drifted", 3), standing("c", "drifted"))
    metrics(passed(outcomes=(MOVE, FAILED, OTHER), standings=stood, leases_open=1, verdict="failed"))
    metrics(passed(began=110.0, ended=150.0))
    said = values(metrics)
    assert said["reconciler_passes_total[('fleet', 'f'), ('verdict', 'failed')]"] == 1
    assert said["reconciler_moves_total[('fleet', 'f'), ('result', 'done')]"] == 1
    assert said["reconciler_moves_total[('fleet', 'f'), ('result', 'failed')]"] == 1
    assert said["reconciler_move_bytes_total"] == 2_500
    assert said["reconciler_move_downtime_seconds_sum"] == 0.04
    assert said["reconciler_move_downtime_seconds_bucket[('fleet', 'f'), ('le', '0.03')]"] == 0
    assert said["reconciler_move_downtime_seconds_bucket[('fleet', 'f'), ('le', '0.1')]"] == 1
    assert said["reconciler_pass_duration_seconds_count"] == 2
    assert said["reconciler_pass_duration_seconds_sum"] == 44
    assert said["reconciler_objects[('fleet', 'f'), ('status', 'drifted')]"] == 2
    assert said["reconciler_objects[('fleet', 'f'), ('status', 'unknown')]"] == 0
    assert said["reconciler_fights"] == 1
    assert said["reconciler_last_applied_commit_timestamp_seconds"] == 50
    assert said["reconciler_leases_open"] == 0
    assert said["reconciler_oldest_lease_age_seconds"] == 0


def test_a_lease_grows_old_until_it_is_gone_and_a_commit_that_was_not_applied_is_no_news() -> None:
    now = [200.0]
    metrics = Metrics(lambda: now[0])
    for began in (100.0, 150.0):
        metrics(passed(began=began, ended=began + 1, leases_open=2, applied=False))
    pending = Outcome("lease/x@b:revoke", "failed", facts={"pending": "revocation"})
    metrics(passed(began=190.0, ended=191.0, leases_open=1, outcomes=(pending,), applied=False))
    said = values(metrics)
    assert said["reconciler_oldest_lease_age_seconds"] == 100
    assert said["reconciler_revocations_pending"] == 1
    assert "reconciler_last_applied_commit_timestamp_seconds" not in said
    now[0] = 300.0
    assert values(metrics)["reconciler_oldest_lease_age_seconds"] == 200
    metrics(passed(leases_open=0))
    assert values(metrics)["reconciler_oldest_lease_age_seconds"] == 0


def test_a_file_goes_on_where_the_last_process_ended(tmp_path: Path) -> None:
    path = tmp_path / "reconciler.prom"
    for _ in range(3):
        MetricsFile(path, Metrics(lambda: 200.0))(passed(outcomes=(MOVE,), leases_open=1, began=100.0))
    said = values(_read(path))
    assert said["reconciler_passes_total[('fleet', 'f'), ('verdict', 'ok')]"] == 3
    assert said["reconciler_move_bytes_total"] == 7_500
    assert said["reconciler_pass_duration_seconds_count"] == 3
    assert said["reconciler_oldest_lease_age_seconds"] == 100
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path], "nothing half-written lies about"
    path.write_text("nonsense {\x00")
    MetricsFile(path)(passed())
    assert values(_read(path))["reconciler_passes_total[('fleet', 'f'), ('verdict', 'ok')]"] == 1


def _read(path: Path) -> Metrics:
    metrics = Metrics(lambda: 200.0)
    metrics.restore(path.read_text())
    return metrics


def test_it_is_served_to_this_machine_only_unless_told_otherwise() -> None:
    metrics = Metrics()
    metrics(passed())
    end = serve(metrics, "0")
    try:
        port = end.port  # type: ignore[attr-defined]
        text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
        assert 'reconciler_passes_total{fleet="f",verdict="ok"} 1.0' in text
        listening = Path("/proc/net/tcp").read_text()
        assert f" 0100007F:{port:04X} " in listening
        assert f" 00000000:{port:04X} " not in listening
    finally:
        end()
    for wrong in ("", "x", ":9", "1.2.3.4:http", "99999"):
        with pytest.raises(ValueError, match="not where metrics can be served"):
            serve(metrics, wrong)


def _queries() -> list[tuple[str, str]]:
    board = json.loads((PACKAGING / "grafana/reconciler.json").read_text())
    rules = YAML(typ="safe", pure=True).load((PACKAGING / "prometheus/alerts.yml").read_text())
    found = [(panel["title"], target["expr"]) for panel in board["panels"] for target in panel["targets"]]
    found += [("variable", v["query"]) for v in board["templating"]["list"] if v["type"] == "query"]
    return found + [(rule["alert"], rule["expr"]) for group in rules["groups"] for rule in group["rules"]]


@pytest.mark.parametrize(("title", "query"), _queries())
def test_a_query_names_series_and_labels_that_exist(title: str, query: str) -> None:
    said = set(re.findall(r"reconciler_[a-z_]+", query))
    assert said, title
    assert said <= names()
    verdicts = re.findall(r'verdict=~?"([^"]*)"', query)
    known = {"failed", "error", "spec-error", "lock-lost", "revocation-pending", "needs-human", "not-trusted"}
    assert {word for words in verdicts for word in words.split("|")} <= known


def test_every_series_is_shown_or_alerted_on() -> None:
    asked = " ".join(query for _, query in _queries())
    bases = {re.sub(r"_(bucket|sum|count)$", "", name) for name in names()} - {"reconciler_build_info"}
    assert not [name for name in bases if name not in asked]


def test_promtool_takes_the_alerts() -> None:
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("no promtool here (Debian: prometheus); names and labels are checked above")
    checks = ("check", PACKAGING / "prometheus/alerts.yml"), ("test", Path(__file__).with_name("alerts-test.yml"))
    for word, file in checks:
        done = subprocess.run([promtool, word, "rules", str(file)], capture_output=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_guide_names_every_series() -> None:
    page = (PACKAGING.parent / "docs/guides/watch.md").read_text()
    bases = {re.sub(r"_(bucket|sum|count)$", "", name) for name in names()}
    assert set(re.findall(r"`(reconciler_[a-z_]+)`", page)) == bases
