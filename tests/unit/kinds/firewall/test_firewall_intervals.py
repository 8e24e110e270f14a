"""Port ranges join, cover and are cut as sets of numbers would be."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds.firewall.intervals import covers, interval, joined, without

PORTS = st.tuples(st.integers(1, 40), st.integers(0, 6), st.sampled_from(["tcp", "udp"])).map(
    lambda t: f"{t[0]}/{t[2]}" if t[1] == 0 else f"{t[0]}-{t[0] + t[1]}/{t[2]}"
)


def numbers(ports: tuple[str, ...] | list[str]) -> set[tuple[str, int]]:
    return {(p, n) for p, low, high in map(interval, ports) for n in range(low, high + 1)}


def test_a_wider_range_covers_a_narrower_one() -> None:
    assert covers(["49152-49216/tcp"], "49152-49215/tcp")
    assert not covers(["49152-49215/tcp"], "49152-49216/tcp")
    assert not covers(["49152-49216/udp"], "49152-49215/tcp")
    assert covers(["80/tcp", "81-90/tcp"], "80-85/tcp")


@given(st.lists(PORTS), st.lists(PORTS))
def test_ranges_behave_as_sets(some: list[str], others: list[str]) -> None:
    assert numbers(joined(some)) == numbers(some)
    assert numbers(without(some, others)) == numbers(some) - numbers(others)
    assert joined(joined(some)) == joined(some)
    assert all(covers(some, port) for port in some)
