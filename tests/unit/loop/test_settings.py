"""What a controller is told: files with mistakes are refused with all of them, words of the command line too."""

from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from reconciler.errors import SpecError
from reconciler.loop.settings import FleetSettings, named_after, read_settings, schema, settings_of

GOOD = """\
database: postgresql://reconciler@db.example.com/reconciler
fleets:
  - name: vpd
    repo: ssh://git@git.example.com/vpd.git
    path: specs
    trust: {mode: head, allowedSigners: /etc/reconciler/allowed_signers}
  - {name: lab, repo: /srv/git/lab.git, branch: stable}
"""


def test_a_file_of_settings(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(GOOD, encoding="utf-8")
    read = read_settings(tmp_path / "run.yaml")
    assert list(read.fleets) == ["vpd", "lab"]
    assert read.fleets["vpd"].trust.allowed_signers == "/etc/reconciler/allowed_signers"
    assert (read.fleets["lab"].branch, read.fleets["lab"].trust.mode) == ("stable", "off")
    assert read.database == "postgresql://reconciler@db.example.com/reconciler"
    assert read_settings(tmp_path / "run.yaml", "sqlite:////tmp/x").database == "sqlite:////tmp/x"


def test_who_else_hears_of_passes_is_in_it_too(tmp_path: Path) -> None:
    more = "listen: 9177\nnotify: /etc/hook\nmetricsFile: /var/x.prom\n"
    (tmp_path / "run.yaml").write_text(GOOD + more, encoding="utf-8")
    read = read_settings(tmp_path / "run.yaml")
    assert (read.listen, read.notify, read.metrics_file) == ("9177", "/etc/hook", "/var/x.prom")


def test_its_schema_takes_it_and_refuses_other_keys() -> None:
    validator = Draft7Validator(schema())
    good = YAML(typ="safe", pure=True).load(GOOD)
    assert [error.message for error in validator.iter_errors(good)] == []
    assert not validator.is_valid({**good, "intervall": "5m"})
    assert not validator.is_valid({"fleets": []})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fleets: []", "run.yaml:1: fleets: "),
        ("fleets: [{name: a/b, repo: x}]", "not a fleet's name"),
        (
            "fleets:\n- name: a\n  repo: x\n  trust:\n    mode: some",
            "run.yaml:5: fleets.0.trust.mode: input should be 'off' or 'head'",
        ),
        ("fleets: [{name: a, repo: x}, {name: a, repo: y}]", "fleet a is there twice"),
        ("fleets: [{name: a, repo: x}]\ndatabase: mysql://u:secret@h/d", "not a URL of a database: 'h/d'"),
        ("fleets: [{name: a, repo: x}]\nintervall: 5m", "run.yaml:2: unknown field 'intervall'"),
        ("just a text", "run.yaml:1: not a mapping"),
        ("fleets: [{name: a, repo: x}]\n---\nfleets: []", "2 documents"),
        ("fleets: [{name: a, name: b, repo: x}]", "run.yaml:1: "),
    ],
)
def test_mistakes_in_it_are_told(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as refused:
        read_settings(tmp_path / "run.yaml")
    assert said in str(refused.value)
    assert "secret" not in str(refused.value)


def test_words_are_checked_the_same_way() -> None:
    one = FleetSettings(name="a", repo="/srv/a.git")
    assert settings_of([one], "").fleets == {"a": one}
    with pytest.raises(SpecError, match="twice"):
        settings_of([one, one], "")


@pytest.mark.parametrize(
    ("repo", "name"),
    [("ssh://git@h/vpd.git", "vpd"), ("git@h:team/my fleet.git", "my-fleet"), ("/srv/x/", "x"), ("git@h:v", "v")],
)
def test_a_fleet_is_named_after_its_repository(repo: str, name: str) -> None:
    assert named_after(repo) == name
