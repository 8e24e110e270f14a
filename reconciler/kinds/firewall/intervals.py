"""Arithmetic on firewalld's ports: `49152-49216/tcp` as intervals that join, cover and are cut.

Numbers only; it knows no zone and no host.
"""

from collections.abc import Iterable

Interval = tuple[str, int, int]


def interval(port: str) -> Interval:
    """`22/tcp` as protocol, first and last port; raises ValueError."""
    numbers, _, protocol = port.partition("/")
    first, _, last = numbers.partition("-")
    return protocol, int(first), int(last or first)


def text(item: Interval) -> str:
    """The inverse of interval()."""
    protocol, first, last = item
    return f"{first}/{protocol}" if first == last else f"{first}-{last}/{protocol}"


def listed(ports: Iterable[str]) -> tuple[str, ...]:
    """Sorted and each once, but apart as they were: firewalld removes only what one of its own entries holds."""
    return tuple(text(item) for item in sorted({interval(port) for port in ports}))


def joined(ports: Iterable[str]) -> tuple[str, ...]:
    """Sorted, with overlapping and adjacent intervals made one."""
    result: list[Interval] = []
    for protocol, first, last in sorted(interval(port) for port in ports):
        if result and result[-1][0] == protocol and first <= result[-1][2] + 1:
            result[-1] = (protocol, result[-1][1], max(last, result[-1][2]))
        else:
            result.append((protocol, first, last))
    return tuple(text(item) for item in result)


def covers(ports: Iterable[str], wanted: str) -> bool:
    """Is every port of `wanted` open?"""
    protocol, first, last = interval(wanted)
    return any(p == protocol and low <= first and last <= high for p, low, high in map(interval, joined(ports)))


def without(ports: Iterable[str], removed: Iterable[str]) -> tuple[str, ...]:
    """The ports of the first that are not in the second."""
    left = [interval(port) for port in joined(ports)]
    for protocol, first, last in map(interval, removed):
        cut: list[Interval] = []
        for p, low, high in left:
            if p != protocol or last < low or high < first:
                cut.append((p, low, high))
                continue
            if low < first:
                cut.append((p, low, first - 1))
            if last < high:
                cut.append((p, last + 1, high))
        left = cut
    return joined(text(item) for item in left)
