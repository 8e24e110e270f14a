"""YAML text to documents: every mistake of every file at once, each with its file and line.

It asks no host and checks no reference between documents; what YAML is, is engine/yaml_read's business.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from reconciler.engine.yaml_read import Parsed, Reading, parse
from reconciler.errors import Problem
from reconciler.fields import NAME
from reconciler.kind import Document, Kind
from reconciler.model.fleet import MODE, MODES
from reconciler.ports import NoMemory, SpecMemory, SpecSource

NOTHING = NoMemory()
API_VERSION = "reconciler/v1alpha1"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?"
_VALUE = r"[A-Za-z0-9._/()-]{0,63}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a source holds: sound documents, every mistake, and the kind and name of each document that has one."""

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]
    broken: frozenset[tuple[str, str]]


def load(source: SpecSource, kinds: Sequence[Kind], memory: SpecMemory = NOTHING) -> Loaded:
    """All documents of a source, and all mistakes found on the way."""
    by_yaml = {kind.yaml: kind for kind in kinds if kind.yaml}
    documents: list[Document] = []
    problems: list[Problem] = []
    broken: set[tuple[str, str]] = set()
    files = source.files()
    memory.begin(len(files))
    for file, text in files:
        for reading, data, line in _each(_parsed(file, text, memory)):
            document = _document(reading, data, line, by_yaml, source) if data is not None else None
            problems += reading.problems
            if document:
                documents.append(document)
            elif isinstance(data, dict) and isinstance(data.get("metadata"), dict):
                broken.add((str(data.get("kind")), str(data["metadata"].get("name"))))
    return Loaded(tuple(documents), tuple(problems) + _twice(documents), frozenset(broken))


def _parsed(file: str, text: str, memory: SpecMemory) -> Sequence[Parsed]:
    """Only what has no mistake is remembered: a mistake is told anew, from the text."""
    known = memory.recall(text)
    if known is not None:
        return [(Reading(file, [], lines), data, line) for data, line, lines in known]
    found = parse(file, text)
    if not any(reading.problems for reading, _, _ in found):
        memory.keep(text, [(data, line, reading.lines) for reading, data, line in found])
    return found


def _each(parsed: Iterable[tuple[Reading, Any, int]]) -> Iterator[tuple[Reading, Any, int]]:
    """The documents, those of a List too, as kustomize and kubectl write them."""
    for reading, data, line in parsed:
        items = data.get("items") if isinstance(data, dict) and data.get("kind") == "List" else None
        if not isinstance(items, list):
            yield reading, data, line
            continue
        for number, item in enumerate(items):
            top = f"items.{number}"
            lines = {path[len(top) + 1 :]: at for path, at in reading.lines.items() if path.startswith(f"{top}.")}
            yield Reading(reading.file, [], lines), item, reading.lines.get(top, line)
        if reading.problems:
            yield Reading(reading.file, reading.problems), None, line


def _twice(documents: Sequence[Document]) -> tuple[Problem, ...]:
    first: dict[tuple[str, str], Document] = {}
    problems = []
    for document in documents:
        earlier = first.setdefault((document.kind, document.name), document)
        if earlier is not document:
            message = f"{document.kind} {document.name!r} is declared twice; first at {earlier.file}:{earlier.line}"
            problems.append(Problem(document.file, document.line, message, "rename or remove one of them"))
    return tuple(problems)


def _document(reading: Reading, data: Any, line: int, kinds: Mapping[str, Kind], source: SpecSource) -> Document | None:
    """Envelope first (apiVersion, kind, metadata), then the kind's own model."""
    if not isinstance(data, dict):
        reading.wrong(line, "a document must be a mapping with apiVersion, kind, metadata and spec")
        return None
    name, labels, notes = _envelope(reading, data, line, kinds)
    kind = kinds.get(str(data.get("kind")))
    spec = _spec(reading, data.get("spec"), kind, line) if kind else None
    if kind is None or spec is None or reading.problems:
        return None
    document = Document(kind.yaml, name, spec, reading.file, line, labels, reading.lines, annotations=notes)
    try:
        attached = {path: source.read(reading.file, path) for path in kind.attachments(spec)}
    except ValueError as error:
        reading.wrong(_nearest(reading.lines, "spec.source.domainXML", line), str(error))
        return None
    return replace(document, attachments=attached) if attached else document


def _envelope(
    reading: Reading, data: Mapping[str, Any], line: int, kinds: Mapping[str, Kind]
) -> tuple[str, Mapping[str, str], Mapping[str, str]]:
    at = reading.lines.get
    for key in data.keys() - {"apiVersion", "kind", "metadata", "spec"}:
        reading.wrong(at(key, line), f"unknown field {key!r}", "a document has apiVersion, kind, metadata, spec")
    if data.get("apiVersion") != API_VERSION:
        reading.wrong(at("apiVersion", line), f"apiVersion must be {API_VERSION}")
    if str(data.get("kind")) not in kinds:
        reading.wrong(at("kind", line), f"unknown kind {data.get('kind')!r}", f"one of {', '.join(sorted(kinds))}")
    metadata = data.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    for key in metadata.keys() - {"name", "namespace", "labels", "annotations"}:
        reading.wrong(at(f"metadata.{key}", line), f"unknown field 'metadata.{key}'")
    name = metadata.get("name")
    if not isinstance(name, str) or not re.fullmatch(NAME, name) or ".." in name:
        message = f"metadata.name is {name!r}: not a name" if name is not None else "metadata.name is missing"
        where = at("metadata.name", at("metadata", line))
        reading.wrong(where, message[:160], "letters, digits, dot, dash, underscore, at most 63")
        name = ""
    return name, _labels(reading, metadata.get("labels"), line), _annotations(reading, metadata, data.get("kind"), line)


def _labels(reading: Reading, labels: Any, line: int) -> Mapping[str, str]:
    if labels is None:
        return {}
    if not isinstance(labels, dict):
        reading.wrong(reading.lines.get("metadata.labels", line), "metadata.labels must be a mapping of texts")
        return {}
    for key, value in labels.items():
        if not re.fullmatch(_LABEL, key) or not isinstance(value, str) or not re.fullmatch(_VALUE, value):
            where = reading.lines.get(f"metadata.labels.{key}", line)
            reading.wrong(where, f"label {key!r}: {value!r} is not a plain text", "quote numbers")
    return {key: value for key, value in labels.items() if isinstance(value, str)}


def _annotations(reading: Reading, metadata: Mapping[str, Any], kind: Any, line: int) -> Mapping[str, str]:
    """Any text is another tool's business; below `reconciler/` there is one word, and not every value of it."""
    notes = metadata.get("annotations")
    if notes is None:
        return {}
    where = reading.lines.get("metadata.annotations", line)
    if not isinstance(notes, dict) or not all(isinstance(value, str) for value in notes.values()):
        reading.wrong(where, "metadata.annotations must be a mapping of texts", "quote numbers")
        return {}
    for key, value in notes.items():
        at = reading.lines.get(f"metadata.annotations.{key}", where)
        if key.startswith("reconciler/") and key != MODE:
            reading.wrong(at, f"unknown annotation {key[:80]!r}", f"there is {MODE}")
        elif key == MODE and kind == "Fleet":
            reading.wrong(at, f"a Fleet has no annotation {MODE}", "write spec.mode")
        elif key == MODE and value not in MODES:
            reading.wrong(at, f"{MODE} is {value[:40]!r}", f"one of {', '.join(MODES)}")
    return notes


def _spec(reading: Reading, spec: Any, kind: Kind, line: int) -> Any:
    return validated(reading, spec, kind.spec, "spec", line)


def validated(reading: Reading, data: Any, model: Any, at: str, line: int) -> Any:
    """The pydantic model of what stands at that dotted path; None with mistakes, each noted at its line."""
    try:
        return model.model_validate(data if data is not None else {})
    except ValidationError as error:
        for item in error.errors(include_url=False, include_context=False, include_input=False):
            path = ".".join([*([at] if at else []), *(str(part) for part in item["loc"])])
            reading.wrong(_nearest(reading.lines, path, line), _message(path, item))
        return None


def unfit(name: str, spec: Mapping[str, Any], kind: Kind) -> str:
    """The first thing that keeps this name and spec from being a document of the kind; empty when nothing does."""
    if not re.fullmatch(NAME, name) or ".." in name:
        return "its name is none that specs can say"
    try:
        kind.spec.model_validate(spec)
    except ValidationError as error:
        item = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return _message(".".join(["spec", *(str(part) for part in item["loc"])]), item)
    return ""


def _nearest(lines: Mapping[str, int], path: str, line: int) -> int:
    """The line of a pydantic location; parts that are no YAML keys (union tags) are passed over."""
    known = ""
    for part in path.split("."):
        step = f"{known}.{part}".lstrip(".")
        known = step if step in lines else known
    return lines.get(known, line)


def _message(path: str, item: Mapping[str, Any]) -> str:
    match item["type"]:
        case "extra_forbidden":
            return f"unknown field {path!r}"
        case "missing":
            return f"{path!r} is missing"
        case _:
            text = str(item["msg"]).removeprefix("Value error, ")
            return f"{path}: {text[:1].lower()}{text[1:]}"
