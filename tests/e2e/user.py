"""A user at the command line: specs in a folder, the `reconciler` program, nothing else."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.hosts import ROOT, RUN, SUBNET


@dataclass(frozen=True)
class Said:
    """What the program answered."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def data(self) -> Any:
        return json.loads(self.out)


@dataclass
class User:
    """Works in `folder`, a copy of specs/vpd that may be edited."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    run_folder: Path = RUN
    subnet: str = SUBNET

    def __post_init__(self) -> None:
        """The lab's own paths and addresses, where it is another lab than the one in specs/vpd."""
        if self.folder.exists():
            return
        shutil.copytree(ROOT / "specs/vpd", self.folder)
        for path in self.folder.glob("*.yaml"):
            text = path.read_text().replace("/run/reconciler-lab/vpd", str(self.run_folder))
            path.write_text(text.replace("10.77.0.", f"{self.subnet}."))

    def edit(self, file: str, old: str, new: str) -> "User":
        path = self.folder / file
        text = path.read_text()
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new))
        return self

    def unencrypted(self) -> "User":
        """Moves in the clear: the way of memory is a leased port, also between hosts without certificates."""
        return self.edit("fleet.yaml", "migration: {method: live,", "migration: {method: live, encrypt: off,")

    def write(self, file: str, text: str) -> "User":
        (self.folder / file).write_text(text)
        return self

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        """The program in the background."""
        return subprocess.Popen(
            [sys.executable, "-m", "reconciler", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder.parent,
            env={**os.environ, "XDG_STATE_HOME": str(self.folder.parent / "state"), **self.environment, **environment},
        )

    def run(self, *words: str, timeout: float = 240, **environment: str) -> Said:
        process = self.start(*words, **environment)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"{words} did not end within {timeout} s:\n{out}\n{err}") from None
        return Said(process.returncode, out, err)

    def plan(self, *words: str, **environment: str) -> Said:
        return self.run("plan", str(self.folder), *words, **environment)

    def apply(self, *words: str, code: int = 0, **environment: str) -> Said:
        """Apply without asking; the exit code must be as expected."""
        said = self.run("apply", str(self.folder), "--yes", *words, **environment)
        assert said.code == code, f"exit {said.code} instead of {code}:\n{said.text}"
        return said

    def in_sync(self) -> None:
        """The law: apply, then plan is empty."""
        said = self.plan("--detailed-exitcode")
        assert said.code == 0, said.text
        assert "Nothing to do" in said.out, said.text
