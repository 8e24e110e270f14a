"""YAML text to plain data with the line of every path; refuses what makes a spec mean more than it shows.

Knows no kind and no document of ours. With engine/yaml_text the only module that sees a YAML library.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic_core import from_json
from ruamel.yaml import YAML
from ruamel.yaml import events as ev
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from reconciler.errors import Problem

MAX_FILE = 8 * 2**20
MAX_SCALAR = 256 * 2**10
MAX_DEPTH = 40
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_NOT_UTF8 = re.compile("[\ud800-\udfff]")
_NUMBERS = (
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
)
_WORDS: Mapping[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}
_FAST: Any = getattr(yaml, "CSafeLoader", None)
"""libyaml, where PyYAML was built with it: five times as fast, a YAML 1.1 parser."""
_UNUSUAL = re.compile(r"""[\t\r!&*?%@`|>]|\.\.\.|[]"'}]:\S|---.""")
"""Where the two parsers differ, or could: whatever the specs of a whole fleet can do without."""
_DOCUMENT = (ev.DocumentStartEvent, yaml.DocumentStartEvent)
_ALIAS, _SCALAR = (ev.AliasEvent, yaml.AliasEvent), (ev.ScalarEvent, yaml.ScalarEvent)
_SEQUENCE, _SEQUENCE_END = (
    (ev.SequenceStartEvent, yaml.SequenceStartEvent),
    (ev.SequenceEndEvent, yaml.SequenceEndEvent),
)
_MAPPING_END = (ev.MappingEndEvent, yaml.MappingEndEvent)


@dataclass
class Reading:
    """One file while it is read: what was built, where each path stands, and the mistakes."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)

    def wrong(self, line: int, message: str, fix: str = "") -> None:
        self.problems.append(Problem(self.file, line, message, fix))


class _Unreadable(Exception):
    """The rest of this file cannot be read; the mistake is already noted."""


Parsed = tuple[Reading, Any, int]


def _prescan(reading: Reading, text: str) -> bool:
    """Cheap refusals before any parsing, so that a hostile file costs no time; which line is asked where one is."""
    if len(text) <= MAX_SCALAR and not _NOT_UTF8.search(text) and not _FORBIDDEN.search(text):
        return True
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


def parse(file: str, text: str) -> Sequence[Parsed]:
    """Each document of a file as plain data with the line it begins at; None where it could not be read.

    libyaml reads what has no mistake; every mistake, and all that is unusual, is told by the YAML 1.2 parser.
    """
    reading = Reading(file)
    if not _prescan(reading, text):
        return [(reading, None, 0)]
    if _FAST and not _UNUSUAL.search(text):
        try:
            found = list(_documents(file, iter(_FAST(text).get_event, None)))
        except yaml.YAMLError:
            found = None
        if found is not None and not any(each.problems for each, _, _ in found):
            return found
    return list(_documents(file, iter(YAML(typ="safe", pure=True).parse(text))))


def _documents(file: str, stream: Iterator[Any]) -> Iterator[Parsed]:
    """Errors of the strict parser become mistakes; those of libyaml are raised, before anything is used."""
    reading = Reading(file)
    try:
        for event in stream:
            if isinstance(event, _DOCUMENT):
                reading = Reading(file)
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
    before: int = event.start_mark.line
    return before + 1


def _node(reading: Reading, event: Any, stream: Iterator[Any], path: str, depth: int) -> Any:
    """One YAML node from the event stream, its line noted."""
    reading.lines.setdefault(path, _line(event))
    return _value(reading, event, stream, path, depth)


def _value(reading: Reading, event: Any, stream: Iterator[Any], path: str, depth: int) -> Any:
    """What it says; refuses what makes a spec mean more than it shows."""
    if depth > MAX_DEPTH:
        reading.wrong(_line(event), f"nested deeper than {MAX_DEPTH} levels")
        raise _Unreadable
    if isinstance(event, _ALIAS):
        reading.wrong(_line(event), f"alias *{event.anchor}: aliases are not allowed", "write the value out")
        return None
    if event.anchor is not None:
        line = _line(event)
        reading.wrong(line, f"anchor &{event.anchor}: anchors are not allowed", "write the value out where it is used")
    if event.tag is not None:
        reading.wrong(_line(event), f"tag {event.tag}: tags are not allowed", "remove it")
    if isinstance(event, _SCALAR):
        return _scalar(reading, event)
    if isinstance(event, _SEQUENCE):
        return _sequence(reading, stream, path, depth)
    return _mapping(reading, stream, path, depth)


def _scalar(reading: Reading, event: Any) -> Any:
    """YAML 1.2 core schema: `no` and `1e3x` stay text, `true` and `12` do not."""
    text: str = event.value
    if len(text) > MAX_SCALAR:
        reading.wrong(_line(event), f"a value of {len(text)} characters; at most {MAX_SCALAR} are read", "shorten it")
        return ""
    if _FORBIDDEN.search(text):
        reading.wrong(_line(event), "a control or invisible character in a quoted value", "remove the escape")
        return ""
    if event.style or not event.implicit[0]:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "+-.0123456789":
        for pattern, kind in _NUMBERS:
            if pattern.fullmatch(text):
                return kind(text) if len(text) < 40 else text
    return text


def _sequence(reading: Reading, stream: Iterator[Any], path: str, depth: int) -> list[Any]:
    items: list[Any] = []
    for event in stream:
        if isinstance(event, _SEQUENCE_END):
            break
        items.append(_node(reading, event, stream, f"{path}.{len(items)}".lstrip("."), depth + 1))
    return items


def _mapping(reading: Reading, stream: Iterator[Any], path: str, depth: int) -> dict[str, Any]:
    items: dict[str, Any] = {}
    for event in stream:
        if isinstance(event, _MAPPING_END):
            break
        line = _line(event)
        key = _value(reading, event, stream, f"{path}.?", depth + 1)
        key = key if isinstance(key, str) else str(event.value) if isinstance(event, _SCALAR) else ""
        where = f"{path}.{key}".lstrip(".")
        if key in items:
            reading.wrong(line, f"key {key!r} stands twice", f"first at line {reading.lines[where]}")
        reading.lines[where] = min(line, reading.lines.get(where, line))
        items[key] = _node(reading, next(stream), stream, where, depth + 1)
    return items


def _json(text: str) -> Any:
    """As json reads it, who also tells what is wrong. Names that a thousand hosts repeat become one string."""
    try:
        return from_json(text)
    except (TypeError, ValueError):
        return json.loads(text)


def load_plain(text: str) -> Any:
    """A saved snapshot: JSON, or YAML written by hand; raises ValueError."""
    try:
        return _json(text) if text.lstrip().startswith("{") else YAML(typ="safe", pure=True).load(text)
    except (json.JSONDecodeError, YAMLError) as error:
        raise ValueError(f"not a snapshot file: {str(error)[:200]}") from None
