"""One value of one document changed in place: every other character of the file stays. Pure; reads and writes no file.

Knows where values stand by YAML's own marks, and writes nothing that it did not read back as meant.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.engine.load import Loaded, load
from reconciler.engine.yaml_text import put
from reconciler.errors import PlanError, SpecError
from reconciler.kind import Document, Kind
from reconciler.ports import SpecSource


@dataclass(frozen=True, slots=True)
class Edit:
    """`value` for `field` (a dotted path) of the document of that kind and name."""

    kind: str
    name: str
    field: str
    value: str | bool


def found(source: SpecSource, kinds: Sequence[Kind], wanted: Edit) -> Document:
    """The one document to change. Raises SpecError for unreadable YAML, PlanError where none or several could be."""
    loaded = load(source, kinds)
    if loaded.problems:
        raise SpecError(loaded.problems)
    fleets = [document for document in loaded.documents if document.kind == "Fleet"]
    if len(fleets) > 1:
        where = ", ".join(f"{fleet.name} ({fleet.file}:{fleet.line})" for fleet in fleets)
        raise PlanError(f"several fleets are declared: {where}", "give the folder of one of them")
    here = [d for d in loaded.documents if (d.kind, d.name) == (wanted.kind, wanted.name)]
    if not here:
        names = ", ".join(sorted(d.name for d in loaded.documents if d.kind == wanted.kind)) or "none"
        raise PlanError(f"no {wanted.kind} named {wanted.name!r} is declared", f"declared are: {names}")
    if wanted.field == "spec.placement.host":
        _known(loaded, here[0], str(wanted.value))
    return here[0]


def _known(loaded: Loaded, document: Document, host: str) -> None:
    hosts = sorted(d.name for d in loaded.documents if d.kind == "Host")
    if host not in hosts:
        at = f"{document.file}:{document.line_of('spec.placement.host')}"
        raise PlanError(f"{at}: no Host named {host!r} is declared", f"hosts: {', '.join(hosts) or 'none'}")


def edited(text: str, wanted: Edit, kinds: Sequence[Kind]) -> str:
    """The file's text with the value; raises PlanError where its layout does not let it be changed safely."""
    documents = load(_Text(text), kinds).documents
    mine = next(d for d in documents if (d.kind, d.name) == (wanted.kind, wanted.name))
    if _value(mine, wanted.field) == wanted.value:
        return text
    new = put(text, wanted.kind, wanted.name, wanted.field.split("."), wanted.value)
    if new is None or not _as_meant(text, new, wanted, kinds):
        what = f"{wanted.field} of {wanted.kind} {wanted.name}"
        raise PlanError(f"cannot change {what} in this layout", "edit it by hand")
    return new


def _as_meant(old: str, new: str, wanted: Edit, kinds: Sequence[Kind]) -> bool:
    """Read back: that field has the value, and nothing else became different."""
    before, after = load(_Text(old), kinds), load(_Text(new), kinds)
    if before.problems or after.problems or len(before.documents) != len(after.documents):
        return False
    for one, two in zip(before.documents, after.documents, strict=True):
        mine = (one.kind, one.name) == (wanted.kind, wanted.name)
        if (one.kind, one.name, one.labels) != (two.kind, two.name, two.labels):
            return False
        if _plain(one, wanted if mine else None) != _plain(two, wanted if mine else None):
            return False
        if mine and _value(two, wanted.field) != wanted.value:
            return False
    return True


def _value(document: Document, field: str) -> object:
    value: object = document
    for part in field.split("."):
        value = getattr(value, part)
    return value


def _plain(document: Document, but: Edit | None) -> object:
    """The spec as plain data, without the field that is to change."""
    data = document.spec.model_dump(mode="python")
    if but:
        *parents, last = but.field.split(".")[1:]
        inner = data
        for part in parents:
            inner = inner[part]
        inner.pop(last, None)
    return data


def shown(file: str, old: str, new: str) -> str:
    """The unified diff, as `git diff` would show it."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), f"a/{file}", f"b/{file}", lineterm="")
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Text:
    """A SpecSource of one text; attached files do not matter here."""

    text: str

    def files(self) -> Sequence[tuple[str, str]]:
        return [("", self.text)]

    def read(self, beside: str, relative: str) -> str:
        return ""

    def commit(self) -> tuple[str, bool]:
        return "", False
