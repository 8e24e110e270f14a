"""Nothing is undocumented: every kind, every field of its YAML, every command and option, every exit code."""

import types
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest
import typer
from pydantic import BaseModel

from reconciler.cli.app import app
from reconciler.cli.exit_codes import Exit
from reconciler.kind import Kind
from reconciler.wiring import KINDS
from tests.docs.pages import DOCS


def _models(type_: Any) -> Iterator[type[BaseModel]]:
    """The pydantic models inside a type: of lists, unions and Annotated too."""
    if isinstance(type_, type) and not isinstance(type_, types.GenericAlias) and issubclass(type_, BaseModel):
        yield type_
    elif get_origin(type_) is not Literal:
        for part in get_args(type_):
            yield from _models(part)


def _fields(model: type[BaseModel]) -> Iterator[str]:
    for name, info in model.model_fields.items():
        yield info.alias or name
        for inner in _models(info.annotation):
            yield from _fields(inner)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_has_a_page_with_every_field(kind: Kind) -> None:
    page = (DOCS / f"kinds/{kind.name}.md").read_text(encoding="utf-8")
    table = "\n".join(line for line in page.splitlines() if line.startswith("|"))
    words = set(table.replace("`", " ").replace(".", " ").replace("[]", " ").replace(",", " ").split())
    missing = [field for field in (_fields(kind.spec) if kind.spec else ()) if field not in words]
    assert not missing, f"docs/kinds/{kind.name}.md does not explain {', '.join(missing)}"


def test_the_fields_are_really_walked() -> None:
    vm = next(kind for kind in KINDS if kind.name == "vm")
    assert {"from", "domainXML", "maxDowntime", "volume", "bridge"} <= set(_fields(vm.spec))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kinds_page_shows_a_minimal_and_a_full_example(kind: Kind) -> None:
    page = (DOCS / f"kinds/{kind.name}.md").read_text(encoding="utf-8")
    assert page.count("```yaml") >= 2
    assert "## Actions" in page or "what is done" in page
    assert "## What is observed" in page


def test_every_command_and_option_is_in_the_reference() -> None:
    page = "\n".join(path.read_text(encoding="utf-8") for path in sorted((DOCS / "reference").glob("cli*.md")))
    group: Any = typer.main.get_command(app)
    for name, command in group.commands.items():
        assert f"## {name}" in page
        section = page.partition(f"## {name}\n")[2].partition("\n## ")[0]
        assert f"reconciler {name}" in section, f"no example of {name}"
        inner = getattr(command, "commands", {}).values()
        for option in [*command.params, *(param for part in inner for param in part.params)]:
            if option.param_type_name == "option" and option.name != "help":
                assert f"`{max(option.opts, key=len)}" in section, f"{name} {option.opts}"


def test_every_exit_code_is_explained() -> None:
    page = (DOCS / "reference/exit-codes.md").read_text(encoding="utf-8")
    for code in Exit:
        assert f"| {int(code)} | `{code.word}` |" in page
