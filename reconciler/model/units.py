"""Sizes and durations as people write them (`2GiB`, `300ms`) and as they read them.

Conversion only: sizes are bytes, durations are seconds.
"""

import re

_SIZES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_TIMES = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"([0-9]{1,15})(B|KiB|MiB|GiB|TiB)")
_TIME = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")


def parse_size(text: str) -> int:
    """`512MiB` as bytes; raises ValueError naming the accepted units."""
    match = _SIZE.fullmatch(text)
    if not match:
        raise ValueError(f"not a size: {text[:40]!r}; write a whole number with B, KiB, MiB, GiB or TiB, as in 2GiB")
    return int(match[1]) * _SIZES[match[2]]


def write_size(size: int) -> str:
    """Bytes as parse_size reads them, exactly, in the largest unit that fits: `1536MiB`."""
    unit = next(unit for unit in reversed(_SIZES) if size % _SIZES[unit] == 0)
    return f"{size // _SIZES[unit]}{unit}"


def parse_rate(text: str) -> int:
    """`1GiB/s` as bytes per second."""
    if not text.endswith("/s"):
        raise ValueError(f"not a rate: {text[:40]!r}; write a size per second, as in 100MiB/s")
    return parse_size(text[:-2])


def parse_duration(text: str) -> float:
    """`10m` as seconds; raises ValueError naming the accepted units."""
    match = _TIME.fullmatch(text)
    if not match:
        raise ValueError(f"not a duration: {text[:40]!r}; write a whole number with ms, s, m, h or d, as in 10m")
    return int(match[1]) * _TIMES[match[2]]


def show_size(size: float) -> str:
    """Bytes for people: `1.5 GiB`."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if size >= _SIZES[unit]:
            number = size / _SIZES[unit]
            return f"{number:.0f} {unit}" if number >= 100 or number == int(number) else f"{number:.1f} {unit}"
    return f"{size:.0f} B"


def show_duration(seconds: float) -> str:
    """Seconds for people: `0.3 s`, `12 s`, `5 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
