"""YAML text to documents: every mistake of every file at once, each with its file and line.

Only this module sees ruamel. It asks no host and checks no reference between documents.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml import events as ev
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from reconciler.errors import Problem
from reconciler.fields import NAME
from reconciler.kind import Document, Kind
from reconciler.model.fleet import MODE, MODES
from reconciler.ports import SpecSource

API_VERSION = "reconciler/v1alpha1"
MAX_FILE = 8 * 2**20
MAX_SCALAR = 256 * 2**10
MAX_DEPTH = 40
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?"
_VALUE = r"[A-Za-z0-9._/()-]{0,63}"
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_NOT_UTF8 = re.compile("[\ud800-\udfff]")
_NUMBERS = (
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
)
_WORDS: Mapping[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass
class _Reading:
    """One file while it is read: what was built, where each path stands, and the mistakes."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)

    def wrong(self, line: int, message: str, fix: str = "") -> None:
        self.problems.append(Problem(self.file, line, message, fix))


class _Unreadable(Exception):
    """The rest of this file cannot be read; the mistake is already noted."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a source holds: sound documents, every mistake, and the kind and name of each document that has one."""

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]
    broken: frozenset[tuple[str, str]]


def load(source: SpecSource, kinds: Sequence[Kind]) -> Loaded:
    """All documents of a source, and all mistakes found on the way."""
    by_yaml = {kind.yaml: kind for kind in kinds if kind.yaml}
    documents: list[Document] = []
    problems: list[Problem] = []
    broken: set[tuple[str, str]] = set()
    for file, text in source.files():
        for reading, data, line in _each(_parse(file, text)):
            document = _document(reading, data, line, by_yaml, source) if data is not None else None
            problems += reading.problems
            if document:
                documents.append(document)
            elif isinstance(data, dict) and isinstance(data.get("metadata"), dict):
                broken.add((str(data.get("kind")), str(data["metadata"].get("name"))))
    return Loaded(tuple(documents), tuple(problems) + _twice(documents), frozenset(broken))


def _each(parsed: Iterator[tuple[_Reading, Any, int]]) -> Iterator[tuple[_Reading, Any, int]]:
    """The documents, those of a List too, as kustomize and kubectl write them."""
    for reading, data, line in parsed:
        items = data.get("items") if isinstance(data, dict) and data.get("kind") == "List" else None
        if not isinstance(items, list):
            yield reading, data, line
            continue
        for number, item in enumerate(items):
            top = f"items.{number}"
            lines = {path[len(top) + 1 :]: at for path, at in reading.lines.items() if path.startswith(f"{top}.")}
            yield _Reading(reading.file, [], lines), item, reading.lines.get(top, line)
        if reading.problems:
            yield _Reading(reading.file, reading.problems), None, line


def _twice(documents: Sequence[Document]) -> tuple[Problem, ...]:
    first: dict[tuple[str, str], Document] = {}
    problems = []
    for document in documents:
        earlier = first.setdefault((document.kind, document.name), document)
        if earlier is not document:
            message = f"{document.kind} {document.name!r} is declared twice; first at {earlier.file}:{earlier.line}"
            problems.append(Problem(document.file, document.line, message, "rename or remove one of them"))
    return tuple(problems)


def _prescan(reading: _Reading, text: str) -> bool:
    """Cheap refusals before any parsing, so that a hostile file costs no time."""
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MAX_SCALAR:
            reading.wrong(number, f"a line of {len(line)} characters; at most {MAX_SCALAR} are read", "shorten it")
        if _NOT_UTF8.search(line):
            reading.wrong(number, "not UTF-8 text", "save the file as UTF-8")
        found = _FORBIDDEN.search(line.removesuffix("\r"))
        if found:
            reading.wrong(number, f"a control or invisible character, U+{ord(found[0]):04X}", "remove it")
    if len(text) > MAX_FILE and not reading.problems:
        reading.wrong(1, f"the file is larger than {MAX_FILE // 2**20} MiB", "split it")
    return not reading.problems


def _parse(file: str, text: str) -> Iterator[tuple[_Reading, Any, int]]:
    """Each document of a file as plain data with the line it begins at; None where it could not be read."""
    reading = _Reading(file)
    if not _prescan(reading, text):
        yield reading, None, 0
        return
    stream = iter(YAML(typ="safe", pure=True).parse(text))
    try:
        for event in stream:
            if isinstance(event, ev.DocumentStartEvent):
                reading = _Reading(file)
                first = next(stream)
                data = _node(reading, first, stream, "", 0)
                if data is not None or reading.problems:
                    yield reading, data, _line(first)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reading.wrong(mark.line + 1 if mark else 1, f"not YAML: {error.problem or error.context}")
        yield reading, None, 0
    except _Unreadable:
        yield reading, None, 0
    except YAMLError as error:
        reading.wrong(1, f"not YAML: {error}")
        yield reading, None, 0


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _node(reading: _Reading, event: Any, stream: Iterator[Any], path: str, depth: int) -> Any:
    """One YAML node from the event stream; refuses what makes a spec mean more than it shows."""
    line = _line(event)
    reading.lines.setdefault(path, line)
    if depth > MAX_DEPTH:
        reading.wrong(line, f"nested deeper than {MAX_DEPTH} levels")
        raise _Unreadable
    if isinstance(event, ev.AliasEvent):
        reading.wrong(line, f"alias *{event.anchor}: aliases are not allowed", "write the value out")
        return None
    if event.anchor is not None:
        reading.wrong(line, f"anchor &{event.anchor}: anchors are not allowed", "write the value out where it is used")
    if event.tag is not None:
        reading.wrong(line, f"tag {event.tag}: tags are not allowed", "remove it")
    if isinstance(event, ev.ScalarEvent):
        return _scalar(reading, event)
    if isinstance(event, ev.SequenceStartEvent):
        return _sequence(reading, stream, path, depth)
    return _mapping(reading, stream, path, depth)


def _scalar(reading: _Reading, event: Any) -> Any:
    """YAML 1.2 core schema: `no` and `1e3x` stay text, `true` and `12` do not."""
    text: str = event.value
    if len(text) > MAX_SCALAR:
        reading.wrong(_line(event), f"a value of {len(text)} characters; at most {MAX_SCALAR} are read", "shorten it")
        return ""
    if _FORBIDDEN.search(text):
        reading.wrong(_line(event), "a control or invisible character in a quoted value", "remove the escape")
        return ""
    if event.style is not None or not event.implicit[0]:
        return text
    if text in _WORDS:
        return _WORDS[text]
    for pattern, kind in _NUMBERS:
        if pattern.fullmatch(text):
            return kind(text) if len(text) < 40 else text
    return text


def _sequence(reading: _Reading, stream: Iterator[Any], path: str, depth: int) -> list[Any]:
    items: list[Any] = []
    for event in stream:
        if isinstance(event, ev.SequenceEndEvent):
            break
        items.append(_node(reading, event, stream, f"{path}.{len(items)}".lstrip("."), depth + 1))
    return items


def _mapping(reading: _Reading, stream: Iterator[Any], path: str, depth: int) -> dict[str, Any]:
    items: dict[str, Any] = {}
    for event in stream:
        if isinstance(event, ev.MappingEndEvent):
            break
        line = _line(event)
        key = _node(reading, event, stream, f"{path}.?".lstrip("."), depth + 1)
        key = key if isinstance(key, str) else str(event.value) if isinstance(event, ev.ScalarEvent) else ""
        where = f"{path}.{key}".lstrip(".")
        if key in items:
            reading.wrong(line, f"key {key!r} stands twice", f"first at line {reading.lines[where]}")
        reading.lines[where] = min(line, reading.lines.get(where, line))
        items[key] = _node(reading, next(stream), stream, where, depth + 1)
    return items


def _document(
    reading: _Reading, data: Any, line: int, kinds: Mapping[str, Kind], source: SpecSource
) -> Document | None:
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
    reading: _Reading, data: Mapping[str, Any], line: int, kinds: Mapping[str, Kind]
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


def _labels(reading: _Reading, labels: Any, line: int) -> Mapping[str, str]:
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


def _annotations(reading: _Reading, metadata: Mapping[str, Any], kind: Any, line: int) -> Mapping[str, str]:
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


def _spec(reading: _Reading, spec: Any, kind: Kind, line: int) -> Any:
    try:
        return kind.spec.model_validate(spec if spec is not None else {})
    except ValidationError as error:
        for item in error.errors(include_url=False, include_context=False, include_input=False):
            path = ".".join(["spec", *(str(part) for part in item["loc"])])
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


def load_plain(text: str) -> Any:
    """A saved snapshot: JSON, or YAML written by hand; raises ValueError."""
    try:
        return json.loads(text) if text.lstrip().startswith("{") else YAML(typ="safe", pure=True).load(text)
    except (json.JSONDecodeError, YAMLError) as error:
        raise ValueError(f"not a snapshot file: {str(error)[:200]}") from None
