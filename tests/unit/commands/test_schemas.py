"""The committed schemas are the generated ones, are draft-07, take our specs and refuse wrong ones.

The schemas' own words are engine/schema's business.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from referencing import Registry
from referencing.jsonschema import DRAFT7
from ruamel.yaml import YAML
from typer.testing import CliRunner

from reconciler.cli.app import app
from tests.worlds import CASES

ROOT = Path(__file__).parents[3]
COMMITTED = sorted((ROOT / "schemas").glob("*.json"))


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def validator() -> Draft7Validator:
    resources = [(path.name, DRAFT7.create_resource(_read(path))) for path in COMMITTED]
    return Draft7Validator(_read(ROOT / "schemas" / "reconciler.json"), registry=Registry().with_resources(resources))


def _documents(folder: Path) -> list[Any]:
    files = [path for path in sorted(folder.rglob("*")) if path.suffix in (".yaml", ".yml")]
    return [d for path in files for d in YAML(typ="safe", pure=True).load_all(path.read_text(encoding="utf-8")) if d]


def test_the_committed_schemas_are_the_generated_ones(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["schema", "--out", str(tmp_path)])
    assert result.exit_code == 0
    generated = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    committed = {path.name: path.read_text(encoding="utf-8") for path in COMMITTED}
    assert committed == generated, "run `make schemas`"


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_each_is_draft_07(path: Path) -> None:
    schema = _read(path)
    Draft7Validator.check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"


@pytest.mark.parametrize("folder", sorted((ROOT / "specs").iterdir()), ids=lambda path: path.name)
def test_our_fleets_are_valid(validator: Draft7Validator, folder: Path) -> None:
    documents = _documents(folder)
    assert documents
    assert [error.message for document in documents for error in validator.iter_errors(document)] == []


def test_the_specs_of_all_cases_are_valid(validator: Draft7Validator) -> None:
    assert [error.message for document in _documents(CASES) for error in validator.iter_errors(document)] == []


def _host(**changes: Any) -> dict[str, Any]:
    host = {"apiVersion": "reconciler/v1alpha1", "kind": "Host", "metadata": {"name": "a"}, "spec": {"fqdn": "a.b.c"}}
    return {**host, **changes}


@pytest.mark.parametrize(
    "document",
    [
        _host(kind="Pod"),
        _host(apiVersion="v1"),
        _host(metadata={"name": "../a"}),
        _host(metadata={"name": "a..b"}),
        _host(metadata={}),
        _host(spec={}),
        _host(spec={"fqdn": "a.b.c", "colour": "red"}),
        _host(spec={"fqdn": 7}),
        _host(spec={"fqdn": "a.b.c", "reserve": {"memory": "5GB"}}),
        _host(spec={"fqdn": "a.b.c", "connection": {"port": 0}}),
        _host(status={}),
        _host(kind="StoragePool", spec={"type": "ceph", "target": "/x"}),
        _host(kind="VirtualMachine", spec={"placement": {"host": "a"}, "power": "on"}),
        _host(kind="Firewall", spec={"hosts": "all", "zones": [{"name": "x", "ports": ["22"]}]}),
    ],
)
def test_wrong_documents_are_refused(validator: Draft7Validator, document: dict[str, Any]) -> None:
    assert not validator.is_valid(document)
    assert validator.is_valid(_host())


def test_one_schema_is_printed() -> None:
    result = CliRunner().invoke(app, ["schema", "VirtualMachine"])
    assert json.loads(result.stdout) == _read(ROOT / "schemas" / "VirtualMachine.json")
    assert CliRunner().invoke(app, ["schema", "Pod"]).exit_code == 1
