"""Runs programs on the machine and turns their failure into a LabError.

It must not know what the programs are for, and never goes through a shell.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from vlab.errors import LabError


@dataclass(frozen=True)
class Result:
    """What a program answered."""

    code: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        return self.code == 0


def run(
    *argv: str | Path,
    check: bool = True,
    stdin: str | None = None,
    timeout: float = 600,
    env: Mapping[str, str] | None = None,
) -> Result:
    """Run to the end; with `check` a non-zero exit is an error that quotes what the program said."""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env=env,
            check=False,
        )
    except FileNotFoundError:
        if not check:
            return Result(127, "", f"{words[0]}: not found")
        raise LabError(f"{words[0]} is not installed", "lab/lab doctor") from None
    except subprocess.TimeoutExpired:
        if not check:
            return Result(124, "", f"no answer within {timeout:g} s")
        raise LabError(f"`{brief(words)}` gave no answer within {timeout:g} s") from None
    if check and done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise LabError(f"`{brief(words)}` ended with {done.returncode}: {said}")
    return Result(done.returncode, done.stdout, done.stderr)


def become(*argv: str) -> NoReturn:
    """Replace this process, so that a terminal and an exit code pass through unchanged."""
    os.execvp(argv[0], argv)  # noqa: S606 - there is no shell on purpose


def brief(words: Sequence[str]) -> str:
    """A command line short enough for an error message."""
    text = " ".join(words)
    return text if len(text) <= 160 else text[:157] + "..."
