"""Values as YAML text: new documents written, and one value put into a text whose every other character stays.

Pure; reads and writes no file, and checks nothing that a spec has to fulfil.
"""

import re
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from reconciler.engine.load import API_VERSION
from reconciler.kind import Draft

_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_WIDTH = 118
_PLAIN = re.compile(r"(?!(?i:true|false|null|yes|no|on|off|y|n)$)[A-Za-z][A-Za-z0-9._-]*")


def write(draft: Draft, remarks: Sequence[str] = ()) -> str:
    """One document, its remarks as a comment above it; characters that a spec may not hold become `?` in them."""
    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    out.write("".join(f"# {_HIDDEN.sub('?', text)[:_WIDTH]}\n" for text in (*remarks, *draft.remarks)))
    data = {"apiVersion": API_VERSION, "kind": draft.kind, "metadata": {"name": draft.name}, "spec": dict(draft.spec)}
    yaml.dump(data, out)
    return out.getvalue()


def put(text: str, kind: str, name: str, path: Sequence[str], value: str | bool) -> str | None:
    """The text with that value in the document of that kind and name; None where it cannot be put."""
    try:
        roots = [root for root in _documents(text) if _scalar(root, "kind") == kind]
    except YAMLError:
        return None
    for root in roots:
        if _scalar(_at(root, "metadata"), "name") == name:
            return _put(text, root, path, value)
    return None


def _documents(text: str) -> Iterator[Any]:
    """Each document's node, and those in a List."""
    for root in YAML(typ="rt", pure=True).compose_all(text):
        yield root
        items = _at(root, "items")
        if _scalar(root, "kind") == "List" and isinstance(items, SequenceNode):
            yield from items.value


def _at(node: Any, key: str) -> Any:
    pairs = node.value if isinstance(node, MappingNode) else ()
    return next((value for name, value in pairs if name.value == key), None)


def _scalar(node: Any, key: str) -> str:
    found = _at(node, key)
    return str(found.value) if isinstance(found, ScalarNode) else ""


def _put(text: str, root: Any, path: Sequence[str], value: str | bool) -> str | None:
    *parents, last = path
    inner = root
    for part in parents:
        inner = _at(inner, part)
    if not isinstance(inner, MappingNode):
        return None
    old = _at(inner, last)
    if old is None:
        return _add(text, inner, last, value)
    if not isinstance(old, ScalarNode) or old.style in ("|", ">"):
        return None
    start, end = old.start_mark.index, old.end_mark.index
    space = " " if start == end else ""
    return text[:start] + space + _word(value, old.style or "") + text[end:]


def _add(text: str, inner: Any, key: str, value: str | bool) -> str | None:
    """A new key: the last one of a flow mapping, the first one of a block mapping, on a line of its own."""
    word = f"{key}: {_word(value, '')}"
    if inner.flow_style:
        end = inner.end_mark.index - 1
        if inner.value:
            end = inner.value[-1][1].end_mark.index
            word = f", {word}"
        return text[:end] + word + text[end:]
    if not inner.value:
        return None
    first = inner.value[0][0].start_mark
    index, column = int(first.index), int(first.column)
    newline = "\r\n" if "\r\n" in text else "\n"
    return text[:index] + word + newline + " " * column + text[index:]


def _word(value: str | bool, style: str) -> str:
    """In the quotes that were there; without any only where it stays a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if style in ("'", '"'):
        return f"{style}{value}{style}"
    return value if _PLAIN.fullmatch(value) else f'"{value}"'
