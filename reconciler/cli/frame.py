"""What surrounds every command: where output goes, and how an error becomes lines and an exit code.

Data goes to standard output, everything else to standard error; control characters from hosts never reach the terminal.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import cache
from pathlib import Path as File
from typing import Annotated, Any

import typer

from reconciler.cli.exit_codes import Exit
from reconciler.engine import yaml_read
from reconciler.engine.codec import read_snapshot
from reconciler.engine.load import load
from reconciler.engine.once import Wanted, want
from reconciler.engine.yaml_read import load_plain
from reconciler.errors import Locked, NeedsHuman, NotTrusted, ReconcilerError, SpecError, StalePlan
from reconciler.model.plan import Source
from reconciler.model.snapshot import Snapshot
from reconciler.wiring import KINDS

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Format(StrEnum):
    """Ways to show a result."""

    TEXT = "text"
    JSON = "json"


class PlanFormat(StrEnum):
    """Ways to show a plan: also as a comment for a pull request, and as a page."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


class ApplyFormat(StrEnum):
    """Ways to show what an apply did."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"


Path = Annotated[str, typer.Argument(help="Folder or file of specs, or - for standard input.", show_default=True)]
Output = Annotated[Format, typer.Option("--output", "-o", help="How to show the result.")]
Deadline = Annotated[float, typer.Option("--deadline", min=1, max=600, help="Seconds a host may take to answer.")]
Targets = Annotated[list[str] | None, typer.Option("--target", help="Only this object, KIND/NAME; may be repeated.")]

Saved = Annotated[File | None, typer.Option("--snapshot", help="Look at this saved snapshot; ask no host.")]


def clean(text: str) -> str:
    """Text from outside made safe for a terminal: control and direction characters are shown, not sent."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


@cache
def console(error: bool = False) -> Any:
    """A rich console; colour only on a terminal, never with NO_COLOR or TERM=dumb."""
    from rich.console import Console

    return Console(stderr=error, highlight=False, markup=False, soft_wrap=True, emoji=False)


def say(text: str = "", style: str = "") -> None:
    """A line of result."""
    _print(console(), clean(text), style)


def note(text: str, style: str = "") -> None:
    """A line about the work, beside the result."""
    _print(console(True), clean(text), style)


def _print(to: Any, line: str, style: str) -> None:
    """Where nothing has a colour the line goes as it is: rich looks at the terminal anew for each of them."""
    if to.color_system is None and "\t" not in line:
        to.file.write(f"{line}\n")
        to.file.flush()
    else:
        to.print(line, style=style or None)


def emit(data: Any, code: Exit) -> None:
    """The result as JSON, with the exit code's name."""
    sys.stdout.write(json.dumps({**data, "exit": code.data}, indent=2, default=str) + "\n")


@contextmanager
def framed(output: StrEnum, failed: Callable[[list[str]], None] | None = None) -> Iterator[None]:
    """Errors of the tree as lines for people or as JSON, each with its exit code; `failed` hears the lines too."""
    try:
        with _heard(failed):
            yield
    except SpecError as error:
        problems = [{"file": p.file, "line": p.line, "message": p.message, "fix": p.fix} for p in error.problems]
        _fail(output, Exit.ERROR, [str(p) for p in error.problems], {"problems": problems})
    except StalePlan as error:
        _fail(output, Exit.STALE_PLAN, [str(error)], {"differences": list(error.differences)})
    except Locked as error:
        _fail(output, Exit.LOCKED, [str(error)], {"holder": error.holder})
    except NotTrusted as error:
        _fail(output, Exit.COMMIT_NOT_TRUSTED, [str(error)], {"commit": error.commit})
    except NeedsHuman as error:
        _fail(output, Exit.NEEDS_HUMAN, [str(error)], {})
    except KeyboardInterrupt:
        note("left as it is; the next pass looks at the hosts and cleans up", "bold yellow")
        sys.stdout.flush()
        os._exit(130)
    except (ReconcilerError, ValueError, OSError) as error:
        _fail(output, Exit.ERROR, [str(error)], {})


@contextmanager
def _heard(failed: Callable[[list[str]], None] | None) -> Iterator[None]:
    try:
        yield
    except SpecError as error:
        if failed:
            failed([str(problem) for problem in error.problems])
        raise
    except (ReconcilerError, ValueError, OSError) as error:
        if failed:
            failed([str(error)])
        raise


def _fail(output: StrEnum, code: Exit, lines: list[str], data: dict[str, Any]) -> None:
    if output.value == Format.JSON.value:
        emit({"errors": lines, **data}, code)
    else:
        for line in lines:
            note(f"error: {line}", "red")
        if "problems" in data:
            note(f"{len(lines)} mistake{'s' if len(lines) != 1 else ''}; nothing was done.")
    raise typer.Exit(int(code))


def read_specs(path: str) -> tuple[Wanted, Source, Any]:
    """The specs of a path with the commit they are at; raises SpecError with every mistake."""
    import hashlib

    from reconciler.adapters.spec_cache import SpecCache
    from reconciler.adapters.spec_source import FolderSource

    specs, cache = _Once(FolderSource(path)), SpecCache(path, yaml_read.__file__)
    try:
        wanted = want(specs, KINDS, cache)
    finally:
        cache.save()
    commit, dirty = specs.commit()
    shown = json.dumps([specs.files(), sorted(specs.attached.items())])
    return wanted, Source(path, commit, dirty, hashlib.sha256(shown.encode()).hexdigest()[:24]), specs


def save(path: File, text: str) -> None:
    """For its owner only: plans and snapshots carry domain XML."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def read_saved(path: File) -> Snapshot:
    """A snapshot as `reconciler snapshot` saves it."""
    return read_snapshot(load_plain(path.read_text(encoding="utf-8")), KINDS)


class _Once:
    """A source whose files are read once and whose attached files are remembered, for the plan file."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self._files: Any = None
        self.attached: dict[str, str] = {}

    def files(self) -> Any:
        if self._files is None:
            self._files = self._source.files()
        return self._files

    def read(self, beside: str, relative: str) -> str:
        text: str = self._source.read(beside, relative)
        self.attached[f"{beside} {relative}"] = text
        return text

    def commit(self) -> tuple[str, bool]:
        commit: tuple[str, bool] = self._source.commit()
        return commit


def fleet_name(path: str) -> str:
    """The fleet's name as far as it can be read, also where the specs have mistakes; `default` where it cannot."""
    from reconciler.adapters.spec_source import FolderSource

    try:
        loaded = load(FolderSource(path), KINDS)
    except (ReconcilerError, ValueError, OSError):
        return "default"
    sound = [document.name for document in loaded.documents if document.kind == "Fleet"]
    return next(iter([*sound, *(name for kind, name in sorted(loaded.broken) if kind == "Fleet")]), "default")
