"""The settings of a controller: which fleets, from which repositories, whom to trust, and where the queue is.

Reads a YAML file or the words of the command line; looks at no repository and no host.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from reconciler.adapters.trust import Trust
from reconciler.engine.load import validated
from reconciler.engine.schema import plain_schema
from reconciler.engine.yaml_read import parse
from reconciler.errors import Problem, SpecError
from reconciler.fields import NAME, Port, Strict

_URL = re.compile(r"(sqlite:////.+|postgresql://.+)")


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """One fleet: a folder on a branch of a repository, and whose commits are applied."""

    name: str
    repo: str
    branch: str = "main"
    path: str = "."
    trust: Trust = field(default_factory=Trust)
    identity_file: str = ""
    known_hosts_file: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """`database` is empty where the embedded one is meant; who else hears of passes is empty where nobody does.

    `listen` is where metrics are served, `notify` the file with a webhook's URL, `metrics_file` where metrics are kept.
    """

    fleets: Mapping[str, FleetSettings]
    database: str = ""
    listen: str = ""
    notify: str = ""
    metrics_file: str = ""


class TrustSpec(Strict):
    """Whose commits are applied; the lists lie outside the repository they judge."""

    mode: Literal["off", "head"] = "off"
    allowed_signers: str = ""
    gpg_keys: str = ""
    revoked_keys: str = ""


class FleetSpec(Strict):
    """One of `fleets`."""

    name: str
    repo: str
    branch: str = "main"
    path: str = "."
    trust: TrustSpec = TrustSpec()
    identity_file: str = ""
    known_hosts_file: str = ""


class ControllerSpec(Strict):
    """What `reconciler run --config FILE` reads."""

    fleets: Annotated[tuple[FleetSpec, ...], Field(min_length=1, strict=False)]
    database: str = ""
    listen: str | Port = ""
    notify: str = ""
    metrics_file: str = ""


def settings_of(fleets: Sequence[FleetSettings], database: str) -> Settings:
    """Checked as a whole; raises SpecError."""
    names = [fleet.name for fleet in fleets]
    problems = [Problem("", 0, f"fleet {name} is there twice") for name in sorted(set(names)) if names.count(name) > 1]
    problems += [Problem("", 0, f"not a fleet's name: {name[:80]!r}") for name in names if not re.fullmatch(NAME, name)]
    for fleet in fleets:
        if fleet.trust.mode not in ("off", "head"):
            problems.append(Problem("", 0, f"trust of fleet {fleet.name} is {fleet.trust.mode!r}", "say off or head"))
    if database and not _URL.fullmatch(database):
        problems.append(
            Problem(
                "",
                0,
                f"database: not a URL of a database: {database.split('@')[-1][:80]!r}",
                "write postgresql://USER@HOST/NAME, or sqlite:////FOLDER/FILE",
            )
        )
    if problems:
        raise SpecError(problems)
    return Settings({fleet.name: fleet for fleet in fleets}, database)


def read_settings(path: Path, database: str = "") -> Settings:
    """The file's, with `database` over what it says; raises SpecError with every mistake, OSError."""
    found = list(parse(str(path), path.read_text(encoding="utf-8", errors="surrogateescape")))
    if len(found) != 1:
        raise SpecError([Problem(str(path), 1, f"{len(found)} documents", "write one, with `fleets`")])
    reading, data, line = found[0]
    if data is not None and not isinstance(data, dict):
        reading.wrong(line, "not a mapping", "begin with `fleets:`")
    read: ControllerSpec | None = None if reading.problems else validated(reading, data, ControllerSpec, "", line)
    if read is None:
        raise SpecError(reading.problems)
    fleets = [FleetSettings(**{**dict(one), "trust": Trust(**dict(one.trust))}) for one in read.fleets]
    settings = settings_of(fleets, database or read.database)
    return replace(settings, listen=str(read.listen), notify=read.notify, metrics_file=read.metrics_file)


def schema() -> dict[str, Any]:
    """JSON Schema (draft-07) of the file, for editors."""
    return plain_schema(ControllerSpec, "Controller", "The file of `reconciler run --config`")


def named_after(repo: str) -> str:
    """A fleet's name where none is given: the repository's last part, as far as it is a name."""
    last = repo.rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1].removesuffix(".git")
    return re.sub(r"[^A-Za-z0-9._-]+", "-", last).strip(".-")[:63] or "fleet"
