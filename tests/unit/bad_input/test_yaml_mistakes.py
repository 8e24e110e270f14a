"""Text that is no plain YAML, or means more than it shows: refused with file and line, never half read.

Nothing here knows a kind's fields; see test_field_mistakes.
"""

import pytest

from tests.unit.bad_input.conftest import HOST, Validate

HEAD = "apiVersion: reconciler/v1alpha1\nkind: Host\nmetadata: {name: a}\nspec:\n"


def test_a_duplicate_key(validate: Validate) -> None:
    said = validate(HOST + "  address: 10.0.0.1\n  fqdn: b.test.lan\n")
    assert (said.code, said.at) == (1, ["a.yaml:7"])
    assert said.messages == ["key 'fqdn' stands twice (first at line 5)"]


def test_an_anchor_an_alias_and_a_tag(validate: Validate) -> None:
    said = validate(HOST + "  address: &x 10.0.0.1\n  migration: {address: *x}\n  reserve: !!map {}\n")
    assert (said.code, said.at) == (1, ["a.yaml:6", "a.yaml:7", "a.yaml:8"])
    assert [m.split(":")[0] for m in said.messages] == ["anchor &x", "alias *x", "tag tag"]


def test_a_bomb_of_aliases_is_not_expanded(validate: Validate) -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{new}: &{new} [{', '.join(['*' + old] * 9)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
    said = validate("\n".join(lines))
    assert said.code == 1
    assert {"a.yaml:1", "a.yaml:2", "a.yaml:9"} <= set(said.at)
    assert len(said.err) < 20_000


def test_merge_keys_are_ordinary_unknown_fields(validate: Validate) -> None:
    said = validate(HOST + "  <<: {address: 10.0.0.1}\n")
    assert (said.code, said.at) == (1, ["a.yaml:6"])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (HEAD + "  fqdn: " + "x" * 10_000_000 + "\n", 5),
        (HEAD + '  fqdn: "' + "x" * 300_000 + '"\n', 5),
        (HEAD + "  fqdn: |\n" + ("    " + "x" * 99 + "\n") * 100_000, 1),
        (HEAD + "  fqdn: |\n" + ("    " + "x" * 99 + "\n") * 3_000, 5),
    ],
    ids=["10 MB on a line", "quoted", "10 MB on many lines", "300 kB on many lines"],
)
def test_a_huge_scalar(validate: Validate, text: str, line: int) -> None:
    said = validate(text)
    assert said.code == 1
    assert said.at[0] == f"a.yaml:{line}"
    assert len(said.err) < 1000


def test_deep_nesting(validate: Validate) -> None:
    said = validate("a:\n  b: " + "[" * 200 + "]" * 200 + "\n")
    assert (said.code, said.at, said.messages) == (1, ["a.yaml:2"], ["nested deeper than 40 levels"])


def test_not_utf8_stands_beside_every_other_mistake(validate: Validate) -> None:
    said = validate({"a.yaml": b"# \xe4\napiVersion: \xff\n", "b.yaml": HOST + "  colour: red\n"})
    assert (said.code, said.at) == (1, ["a.yaml:1", "a.yaml:2", "b.yaml:6"])
    assert said.messages[0].startswith("not UTF-8")


def test_not_yaml(validate: Validate) -> None:
    said = validate(
        {"a.yaml": HOST + "  address: [1, 2\n", "b.yaml": HOST + "\tx: 1\n", "c.yaml": HOST + "  colour: 1\n"}
    )
    assert said.code == 1
    assert said.at == ["a.yaml:7", "b.yaml:6", "c.yaml:6"]
    assert said.messages[0].startswith("not YAML")
    assert said.messages[1].startswith("not YAML")


@pytest.mark.parametrize("text", ["just text\n", "- a\n- b\n", "12\n"])
def test_a_document_that_is_no_mapping(validate: Validate, text: str) -> None:
    said = validate("# first line\n" + text)
    assert (said.code, said.at) == (1, ["a.yaml:2"])
    assert said.messages == ["a document must be a mapping with apiVersion, kind, metadata and spec"]


def test_an_empty_folder(validate: Validate) -> None:
    said = validate({"README.md": "no YAML here", ".hidden/a.yaml": HOST})
    assert (said.code, said.out) == (1, "")
    assert said.err == "error: .: no *.yaml file in it\n"


def test_control_and_invisible_characters(validate: Validate) -> None:
    said = validate(HOST + "  address: a\x07b\n  # right to left: \u202e\n  reserve: {}\u200b\n")
    assert (said.code, said.at) == (1, ["a.yaml:6", "a.yaml:7", "a.yaml:8"])
    assert [m.partition(",")[2] for m in said.messages] == [f" U+{c} (remove it)" for c in ("0007", "202E", "200B")]
    assert "\x07" not in said.err
    assert "\u202e" not in said.err


def test_the_norway_problem_is_no_problem(validate: Validate) -> None:
    said = validate("apiVersion: reconciler/v1alpha1\nkind: Host\nmetadata: {name: no}\nspec: {fqdn: no.test.lan}\n")
    assert (said.code, said.err) == (0, "")


def test_a_crlf_file_is_read(validate: Validate) -> None:
    assert validate(HOST.replace("\n", "\r\n")).code == 0
