"""Every text the product can refuse or fail with, read from its source: the words between the values of f-strings."""

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "reconciler"
REFUSALS = {"Refusal", "refuse", "refusal", "_refusal", "Blocker", "Caution", "_refuse"}
ERRORS = {"Refused", "Unreachable", "NeedsHuman", "HostError", "PlanError", "SourceError", "NotTrusted"}
SPECS = {"wrong", "Problem", "problem", "ValueError"}
BUGS = ("a hypervisor needs a shell or a URI", "no free MAC for ")
_ONLY_PATH = {"problem"}


def messages(names: set[str]) -> Iterator[tuple[str, list[str]]]:
    """Where each text is made, and its fixed pieces in order."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) in names:
                for text in _texts(node):
                    yield f"{path.relative_to(SOURCE.parent)}:{node.lineno}", text


def _name(called: ast.expr) -> str:
    return called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""


def _texts(call: ast.Call) -> Iterator[list[str]]:
    """The reason is the first text among the arguments; what follows is its fix."""
    for argument in call.args[1:] if _name(call.func) in _ONLY_PATH else call.args:
        pieces = _pieces(argument)
        if pieces:
            yield pieces
            return


def _pieces(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return [part.value for part in node.values if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return []
