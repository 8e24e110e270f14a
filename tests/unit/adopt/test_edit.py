"""An edit changes the line it is meant to change, whatever the file looks like, and no other character."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.engine.edit import Edit, edited, found, shown
from reconciler.engine.load import load
from reconciler.errors import PlanError, SpecError
from reconciler.wiring import KINDS
from tests.fakes.fleets import Text

HEAD = "apiVersion: reconciler/v1alpha1\nkind: "
SPECS = f"""\
{HEAD}Fleet
metadata: {{name: vpd}}
---
{HEAD}Host
metadata: {{name: a}}
spec: {{fqdn: a.example.com}}   # one
---
{HEAD}Host
metadata: {{name: b}}
spec:
  # the second
  fqdn: b.example.com
---
{HEAD}VirtualMachine
metadata: {{name: web}}
spec:
  placement: {{host: a}}  # was c
"""
MOVE = Edit("VirtualMachine", "web", "spec.placement.host", "b")


def test_only_that_value() -> None:
    assert edited(SPECS, MOVE, KINDS) == SPECS.replace("{host: a}  # was c", "{host: b}  # was c")


def test_a_key_that_was_not_there() -> None:
    block = edited(SPECS, Edit("Host", "b", "spec.maintenance", True), KINDS)
    assert block == SPECS.replace("  # the second\n  fqdn: b", "  # the second\n  maintenance: true\n  fqdn: b")
    flow = edited(SPECS, Edit("Host", "a", "spec.maintenance", True), KINDS)
    assert flow == SPECS.replace("{fqdn: a.example.com}", "{fqdn: a.example.com, maintenance: true}")


def test_what_is_so_already_is_left() -> None:
    assert edited(SPECS, Edit("Host", "a", "spec.maintenance", False), KINDS) == SPECS
    assert edited(SPECS, Edit("VirtualMachine", "web", "spec.placement.host", "a"), KINDS) == SPECS


@pytest.mark.parametrize(
    ("text", "wanted", "said"),
    [
        (SPECS, Edit("VirtualMachine", "web", "spec.placement.host", "c"), ":21: no Host named 'c' is declared"),
        (SPECS, Edit("VirtualMachine", "db", "spec.power", "running"), "no VirtualMachine named 'db' is declared"),
        (f"{SPECS}---\n{HEAD}Fleet\nmetadata: {{name: two}}\n", MOVE, "several fleets are declared"),
    ],
)
def test_where_it_is_not_clear(text: str, wanted: Edit, said: str) -> None:
    with pytest.raises(PlanError, match=said):
        found(Text(text), KINDS, wanted)


def test_a_vm_declared_twice_is_a_mistake() -> None:
    with pytest.raises(SpecError, match="declared twice"):
        found(Text(f"{SPECS}---\n{SPECS.rpartition('---')[2]}"), KINDS, MOVE)


def test_the_difference_is_shown() -> None:
    new = edited(SPECS, MOVE, KINDS)
    lines = shown("specs/f.yaml", SPECS, new).splitlines()
    assert lines[:2] == ["--- a/specs/f.yaml", "+++ b/specs/f.yaml"]
    assert [line for line in lines[3:] if line[0] in "+-"] == [
        "-  placement: {host: a}  # was c",
        "+  placement: {host: b}  # was c",
    ]


NAMES = st.from_regex(re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,8}", re.A), fullmatch=True)
COMMENT = st.sampled_from(["", "  # why", " # host: x", "  # é — {brackets}, 'quotes'"])
QUOTE = st.sampled_from(['"', "'"])
LAYOUTS = st.sampled_from([
    "spec:{c}\n{i}placement:{c}\n{i}{i}host: {q}{h}{q}{c}\n{i}power:   stopped{c}\n",
    "spec:{c}\n\n{i}power: stopped{c}\n{i}placement: {{  host:   {q}{h}{q} }}{c}\n",
    "spec: {{placement: {{host: {q}{h}{q}}}, power: stopped}}{c}\n",
    "spec:\n{i}placement:\n{i}# host: none\n{i}{i}{q}host{q}: {q}{h}{q}\n{i}memory: 1GiB{c}\n{i}power: stopped\n"
    "{i}interfaces:\n{i}- {{bridge: br0}}{c}\n",
    "spec: {{\n{i}placement: {{host:\n{i}{i}{q}{h}{q}{c}\n}}, power: stopped,\n}}\n",
])  # fmt: skip


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str, str]:
    """A file of several documents in any layout, the VM that is meant, and where it shall go."""
    names = draw(st.lists(NAMES, min_size=2, max_size=4, unique=True))
    target = draw(st.sampled_from(names))
    parts = []
    for name in names:
        words = {"h": draw(NAMES), "c": draw(COMMENT), "q": draw(QUOTE), "i": draw(st.sampled_from(["  ", "    "]))}
        head = draw(st.sampled_from(["metadata:\n  name: {q}{n}{q}\n", "metadata: {{name: {q}{n}{q}}}{c}\n"]))
        body = head.format(n=name, **words) + draw(LAYOUTS).format(**words)
        parts.append(f"# {name}\n{HEAD}VirtualMachine{words['c']}\n{body}")
    text = draw(st.sampled_from(["---\n", "--- # next\n", "...\n---\n"])).join(parts)
    text = text.removesuffix("\n") if draw(st.booleans()) else text
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text, target, draw(NAMES)


@settings(max_examples=100, deadline=None)
@given(files(), st.sampled_from(["spec.placement.host", "spec.power", "spec.migration.method"]))
def test_no_other_character_differs(made: tuple[str, str, str], field: str) -> None:
    text, name, there = made
    if field == "spec.migration.method":
        with pytest.raises(PlanError, match="in this layout"):
            edited(text, Edit("VirtualMachine", name, field, "cold"), KINDS)
        return
    value = there if field == "spec.placement.host" else "running"
    new = edited(text, Edit("VirtualMachine", name, field, value), KINDS)
    removed, added = _changed(text, new)
    assert removed in "running stopped" or field == "spec.placement.host"
    assert added in value
    assert not {*removed, *added} & {*"\n\r#:"}
    document = next(d for d in load(Text(new), KINDS).documents if d.name == name)
    assert (document.spec.placement.host if "host" in field else document.spec.power) == value


def _changed(old: str, new: str) -> tuple[str, str]:
    """What is left of both without their common beginning and end."""
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    return old[start : len(old) - end], new[start : len(new) - end]


def _common(one: str, two: str) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))
