"""A commit of the repository that holds the specs: who wrote it, when, and whose signature was found good.

Only what git said; whether it may be applied is decided where trust is judged.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Commit:
    """`when` is seconds, UTC; `author` is `Name <address>`; `signer` is empty where no signature was asked for."""

    sha: str = ""
    author: str = ""
    when: int = 0
    subject: str = ""
    signer: str = ""
