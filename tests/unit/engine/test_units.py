"""Sizes, rates and durations: read as written, refused otherwise, shown for people.

Bytes and seconds only; which field takes which is the kinds' business.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.ref import Place
from reconciler.model.units import parse_duration, parse_rate, parse_size, show_duration, show_size


@pytest.mark.parametrize(
    ("text", "size"), [("0B", 0), ("1KiB", 1024), ("512MiB", 2**29), ("2GiB", 2**31), ("3TiB", 3 * 2**40)]
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "2", "2G", "2GB", "2 GiB", "-2GiB", "2.5GiB", "2gib", "1" * 16 + "B", "2GiB\n", "２GiB"]
)
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)


@pytest.mark.parametrize(("text", "seconds"), [("300ms", 0.3), ("30s", 30), ("5m", 300), ("2h", 7200), ("1d", 86400)])
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "5min", "-5s", "1.5s", "5 s", "s", "1e3s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


def test_rates() -> None:
    assert parse_rate("100MiB/s") == 100 * 2**20
    with pytest.raises(ValueError, match="not a rate"):
        parse_rate("100MiB")


def test_shown() -> None:
    assert [show_size(n) for n in (0, 1023, 2**20, 3 * 2**29, 250 * 2**30)] == [
        *("0 B", "1023 B", "1 MiB", "1.5 GiB", "250 GiB")
    ]
    assert [show_duration(s) for s in (0.25, 12, 119, 600)] == ["0.2 s", "12 s", "119 s", "10 min"]


@given(st.integers(0, 10**6), st.sampled_from(["B", "KiB", "MiB", "GiB", "TiB"]))
def test_whole_sizes_are_shown_as_they_are_read(number: int, unit: str) -> None:
    size = parse_size(f"{number}{unit}")
    shown = show_size(size).replace(" ", "")
    if "." not in shown and size % 2**10 == 0 and number < 100:
        assert parse_size(shown) == size


name = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)


@given(st.sampled_from(["host", "vm", "pool", "lease"]), name, name)
def test_places_are_read_as_they_are_printed(kind: str, host: str, called: str) -> None:
    place = Place(kind, host, called)
    assert Place.parse(str(place)) == place
