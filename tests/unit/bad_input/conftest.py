"""Files in, mistakes out, through the command line as a user would; no mistake is looked up inside the program.

`validate` writes the files, runs the command in their folder and takes its error lines apart.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reconciler.cli.app import app

HOST = """\
apiVersion: reconciler/v1alpha1
kind: Host
metadata: {name: a}
spec:
  fqdn: a.test.lan
"""
LINE = re.compile(r"error: ((?:[^\s:]+)(?::\d+)?): (.*)")


@dataclass(frozen=True)
class Said:
    """What the command said: exit code, `file:line` of every mistake in the order told, and their messages."""

    code: int
    at: list[str]
    messages: list[str]
    out: str
    err: str


Validate = Callable[[str | bytes | Mapping[str, str | bytes]], Said]


@pytest.fixture
def validate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Validate:
    def run(files: str | bytes | Mapping[str, str | bytes]) -> Said:
        named = files if isinstance(files, Mapping) else {"a.yaml": files}
        folder = tmp_path / "specs"
        folder.mkdir()
        monkeypatch.chdir(folder)
        for name, text in named.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        result = CliRunner().invoke(app, ["validate", "."])
        found = [match for line in result.stderr.splitlines() if (match := LINE.fullmatch(line))]
        return Said(result.exit_code, [m[1] for m in found], [m[2] for m in found], result.stdout, result.stderr)

    return run
