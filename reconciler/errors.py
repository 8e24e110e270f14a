"""Every error a user can meet, as one tree; carries text only and imports nothing of this package.

ReconcilerError
├── SpecError        edit the YAML (all mistakes at once, each with file and line)
├── HostError        one host, named
│   ├── Unreachable  may be tried again
│   └── Refused      will not change by trying again (host key, login, a command that said no)
├── PlanError        a person has to decide
│   └── StalePlan    the world or the specs changed since the plan was made
├── Locked           somebody else is at it
│   └── LockLost     a host ended this run's lock, or gave it to another: the pass stops where it is
├── SourceError      the repository did not answer, or what it gave cannot be used; tried again at the next pass
├── NotTrusted       the repository's newest commit may not be applied: signature, signer or history
├── NeedsHuman       the truth is unknown or contradictory: nothing was guessed
└── DriftLeft        everything was applied, and it is still not true
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake a person can mend: where it is, what it is, and how to mend it."""

    file: str
    line: int
    message: str
    fix: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " if self.line else (f"{self.file}: " if self.file else "")
        return f"{where}{self.message}" + (f" ({self.fix})" if self.fix else "")


class ReconcilerError(Exception):
    """Root of the tree: a message for people, and what to do next."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message} ({self.fix})" if self.fix else self.message


class SpecError(ReconcilerError):
    """The specs are wrong; `problems` holds every mistake found, in file and line order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class HostError(ReconcilerError):
    """Something one host did or did not do; `host` is its name in the specs."""

    def __init__(self, host: str, message: str, fix: str = "") -> None:
        super().__init__(f"{host}: {message}", fix)
        self.host = host
        self.reason = message


class Unreachable(HostError):
    """The host or its daemon did not answer in time; another try may succeed."""


class Refused(HostError):
    """The host answered and said no; trying again changes nothing."""


class PlanError(ReconcilerError):
    """The plan cannot be carried out as it stands; a person decides."""


class StalePlan(PlanError):
    """A saved plan no longer fits; `differences` names what changed."""

    def __init__(self, differences: Sequence[str]) -> None:
        self.differences = tuple(differences)
        listed = "\n".join(f"  - {difference}" for difference in self.differences)
        super().__init__(f"the plan is stale:\n{listed}", "make a new one with `reconciler plan --out FILE`")


class Locked(ReconcilerError):
    """Another run is at this fleet or host; `holder` says who, since when, and its run."""

    def __init__(self, where: str, holder: str, fix: str = "") -> None:
        fix = fix or "wait until it has ended; its lock ends with it, also when it dies"
        super().__init__(f"{where} is locked by {holder}", fix)
        self.holder = holder


class LockLost(Locked):
    """This run may not change anything more; another pass starts from what is there."""

    def __init__(self, host: str, holder: str) -> None:
        ReconcilerError.__init__(
            self, f"lost its lock on {host} to {holder}; nothing more was changed", "plan again; apply finishes it"
        )
        self.host, self.holder = host, holder


class SourceError(ReconcilerError):
    """No commit came from the repository, or one whose files cannot be taken; the last good commit stays."""


class NotTrusted(ReconcilerError):
    """The commit was not applied: unsigned, signed by nobody listed, or no descendant of the last applied one."""

    def __init__(self, commit: str, message: str, fix: str = "") -> None:
        super().__init__(f"commit {commit[:12]} is not trusted: {message}", fix)
        self.commit = commit


class NeedsHuman(ReconcilerError):
    """Two hosts disagree or one is silent at the wrong moment; nothing was started, undefined or destroyed."""


class DriftLeft(ReconcilerError):
    """After every action ended well, the hosts still differ from the specs; `left` names what."""

    def __init__(self, left: Sequence[str]) -> None:
        self.left = tuple(left)
        super().__init__("applied, but still different: " + "; ".join(self.left), "run `reconciler plan` to see it")
