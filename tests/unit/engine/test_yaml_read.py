"""Two parsers, one meaning: what libyaml reads is what the strict parser reads, with the same lines, or is not used."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.engine import yaml_read
from tests.worlds import CASES

ODD = (
    "a: 0o7\n",
    "a:\tb\n",
    "? a\n: b\n",
    "a: b: c\n",
    "'a':1\n",
    "{a:1}\n",
    '{"a":1}\n',
    "['a':b]\n",
    "a: [1,2,]\n",
    "a: |2\n   x\n",
    "a: >\n x\n\n y\n",
    "--- a\n...\nb\n",
    "a: !x b\n",
    "a: &x b\n",
    "a: *b\n",
    "%YAML 1.1\n---\na: b\n",
    "a: b\r\nc: d\r\n",
    "a: 'x\n  y'\n",
    "- - a\n",
    "a: [fe80::1, b]\n",
    "[::1]\n",
    "a: no\nb: 1_0\nc: 1e3\nd: 0x1f\n",
    "",
    "---\n---\n",
    "a: 1\na: 2\n",
    "a: b \t# x\n",
    "a: {b: [c\n",
    "a: yes\n---\nb: &x\n---\n[\n",
)
PIECES = st.sampled_from(
    [*"ab01:,[]{}'\"#-?|>&*!%@ ", " ", " ", "\n", "\n", "  ", ": ", "- ", "---\n", "...\n", "\t", "\r\n", "~", "é"]
)


def _both(monkeypatch: pytest.MonkeyPatch, text: str) -> tuple[Any, Any]:
    fast = [(r.problems, r.lines, data, line) for r, data, line in yaml_read.parse("f", text)]
    with monkeypatch.context() as strict:
        strict.setattr(yaml_read, "_FAST", None)
        return fast, [(r.problems, r.lines, data, line) for r, data, line in yaml_read.parse("f", text)]


def test_there_is_a_fast_parser_here() -> None:
    assert yaml_read._FAST is not None


@pytest.mark.parametrize("text", ODD)
def test_odd_texts(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    fast, strict = _both(monkeypatch, text)
    assert fast == strict


def test_every_case(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [file.read_text(encoding="utf-8", errors="surrogateescape") for file in sorted(CASES.rglob("*.yaml"))]
    assert len(texts) > 50
    for text in texts:
        fast, strict = _both(monkeypatch, text)
        assert fast == strict


@given(st.lists(PIECES, max_size=25).map("".join))
@settings(max_examples=400, deadline=None)
def test_any_text(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        fast, strict = _both(patch, text)
    assert fast == strict
