"""Whoever meets a refusal, an error or a mistake finds its text in the documentation, with a meaning and a remedy."""

import re

import pytest

from tests.docs.messages import BUGS, ERRORS, REFUSALS, SPECS, messages
from tests.docs.pages import DOCS

PAGES = (
    "concepts/gitops.md",
    "guides/when-a-commit-is-refused.md",
    "guides/when-something-is-refused.md",
    "guides/when-an-action-fails.md",
    "guides/disks-that-are-not-shared.md",
    "guides/drain-a-host.md",
    "guides/adopting-running-vms.md",
    "guides/watch.md",
    "reference/spec-mistakes.md",
    "reference/cli-specs.md",
)
FOUND = sorted({(where, tuple(pieces)) for where, pieces in messages(REFUSALS | ERRORS | SPECS)})


def _plain(text: str) -> str:
    return re.sub(r"[`<>\\]", "", text)


ROWS = [
    _plain(line)
    for page in PAGES
    for line in (DOCS / page).read_text(encoding="utf-8").splitlines()
    if line.startswith("| ")
]


@pytest.mark.parametrize(("where", "pieces"), FOUND, ids=[where for where, _ in FOUND])
def test_a_message_is_explained(where: str, pieces: tuple[str, ...]) -> None:
    words = [_plain(piece).strip() for piece in pieces]
    if max(len(word) for word in words) < 4 or any(piece.startswith(BUGS) for piece in pieces):
        return
    pattern = ".*?".join(re.escape(word) for word in words)
    known = any(re.search(pattern, row) for row in ROWS)
    assert known, f"{where}: {'…'.join(pieces)!r} is in none of {', '.join(PAGES)}"


def test_messages_are_found_at_all() -> None:
    assert len(FOUND) > 100
