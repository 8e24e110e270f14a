"""JSON Schema (draft-07) of every kind, from the same models that check the specs. Pure; writes no file."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from reconciler.engine.load import API_VERSION
from reconciler.fields import NAME
from reconciler.kind import Kind

DRAFT = "http://json-schema.org/draft-07/schema#"
_LABELS = {"type": "object", "additionalProperties": {"type": "string"}}


def schema(kind: Kind) -> dict[str, Any]:
    """One document kind with its envelope, usable by yaml-language-server and check-jsonschema."""
    spec = TypeAdapter(kind.spec).json_schema(by_alias=True, ref_template="#/definitions/{model}")
    definitions = spec.pop("$defs", {})
    metadata = {
        "type": "object",
        "additionalProperties": False,
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "pattern": f"^{NAME}$", "not": {"pattern": r"\.\."}},
            "namespace": {"type": "string", "description": "accepted from kustomize, and of no meaning here"},
            "labels": _LABELS,
            "annotations": _LABELS,
        },
    }
    return {
        "$schema": DRAFT,
        "title": kind.yaml,
        "description": f"A document of kind {kind.yaml} ({API_VERSION})",
        "type": "object",
        "additionalProperties": False,
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {"const": kind.yaml},
            "metadata": metadata,
            "spec": _plain(spec),
        },
        "definitions": _plain(definitions),
    }


def plain_schema(model: Any, title: str, description: str) -> dict[str, Any]:
    """A file that is one model, without the envelope of a spec."""
    found = TypeAdapter(model).json_schema(by_alias=True, ref_template="#/definitions/{model}")
    definitions = found.pop("$defs", {})
    return {
        "$schema": DRAFT,
        **_plain(found),
        "title": title,
        "description": description,
        "definitions": _plain(definitions),
    }


def any_kind(kinds: Sequence[Kind]) -> dict[str, Any]:
    """Any of our documents, for a whole folder: chosen by `kind`."""
    names = [kind.yaml for kind in kinds if kind.yaml]
    branches = [{"if": {"properties": {"kind": {"const": name}}}, "then": {"$ref": f"{name}.json"}} for name in names]
    return {
        "$schema": DRAFT,
        "title": "reconciler",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata"],
        "properties": {"kind": {"enum": names}},
        "allOf": branches,
    }


def all_schemas(kinds: Sequence[Kind]) -> Mapping[str, dict[str, Any]]:
    """File name to schema: one for each kind, and reconciler.json for any of them."""
    return {**{f"{k.yaml}.json": schema(k) for k in kinds if k.yaml}, "reconciler.json": any_kind(kinds)}


def _plain(value: Any) -> Any:
    """Without pydantic's `discriminator` and generated titles, which draft-07 tools do not know or need."""
    if isinstance(value, dict):
        dropped = {"discriminator"} | ({"title"} if isinstance(value.get("title"), str) else set())
        if value.get("type") == "string" and not isinstance(value.get("default", ""), str):
            dropped.add("default")  # parsed already: seconds or bytes, not what a person writes
        return {key: _plain(item) for key, item in value.items() if key not in dropped}
    return [_plain(item) for item in value] if isinstance(value, list) else value
