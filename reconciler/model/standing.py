"""How a declared object stands after a pass looked at it: one word, the fields behind it, and since when.

Describes one object at one moment; it decides nothing.
"""

from dataclasses import dataclass
from typing import Literal

from reconciler.model.ref import Place

Word = Literal["in-sync", "drifted", "pending", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Standing:
    """`drifted`: it was in sync with these specs and is not any more; `pending`: the specs ask for something new.

    `fields` are the declared fields that differ, `why` is a line for people (a refusal, a silence, what holds it back).
    `since` is seconds, UTC, of the first pass that saw this word; `digest` is over what is declared for it. `healed`
    counts passes in a row that put the same drift right and saw it come back: from 3 on somebody fights back.
    """

    place: Place
    word: Word
    fields: tuple[str, ...] = ()
    why: str = ""
    since: int = 0
    digest: str = ""
    healed: int = 0

    @property
    def fight(self) -> bool:
        """Does somebody or something undo each pass's work?"""
        return self.healed >= 3
