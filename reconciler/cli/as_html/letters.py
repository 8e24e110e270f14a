"""How much of a text fits into a width, since SVG neither wraps nor cuts. Estimates; a browser's fonts differ a little.

Knows letters' widths roughly and nothing of the page.
"""

import unicodedata

from reconciler.cli.frame import clean

_NARROW, _BROAD = "fijlrt.,:;'|!()[] I-", "mwMW@%"


def width(text: str, size: float) -> float:
    """Pixels at a font size, on the generous side."""
    return sum(_letter(char) for char in text) * size


def _letter(char: str) -> float:
    if unicodedata.east_asian_width(char) in ("W", "F"):
        return 1.1
    if char in _NARROW:
        return 0.38
    return 0.95 if char in _BROAD else 0.64 if char.islower() or char.isdigit() else 0.85


def fit(text: str, size: float, most: float) -> str:
    """The text, or as much of its beginning as there is room for, and dots."""
    line = " ".join(clean(text).split())
    if width(line, size) <= most:
        return line
    while line and width(line + "...", size) > most:
        line = line[:-1]
    return line + "..."
