"""What is tried again, and what never is: only a host that did not answer, only for as long as stated."""

from collections.abc import Callable

import pytest
from tenacity import nap

from reconciler.adapters import patience
from reconciler.errors import LockLost, Refused, Unreachable


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, without waiting."""
    taken: list[float] = []
    monkeypatch.setattr(nap.time, "sleep", taken.append)
    return taken


def failing(times: int, error: Exception) -> Callable[[], int]:
    tries = iter(range(times + 1))

    def attempt() -> int:
        number = next(tries)
        if number < times:
            raise error
        return number

    return attempt


def test_an_answer_at_last_is_taken(naps: list[float]) -> None:
    assert patience.opening(failing(2, Unreachable("a", "refused")), 10) == 2
    assert patience.closing(failing(6, Unreachable("a", "refused"))) == 6
    assert len(naps) == 8
    assert all(0 <= nap <= 8 for nap in naps)
    assert len(set(naps)) > 4, "the waits are random"


def test_a_connection_is_given_up_after_three_tries(naps: list[float]) -> None:
    with pytest.raises(Unreachable):
        patience.opening(failing(3, Unreachable("a", "refused")), 10)
    assert len(naps) == 2


def test_closing_is_given_up_after_a_minute(naps: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "CLOSING", 0.0)
    with pytest.raises(Unreachable):
        patience.closing(failing(1, Unreachable("a", "refused")))
    assert not naps


@pytest.mark.parametrize("error", [Refused("a", "no"), LockLost("a", "run b"), KeyError("bug")])
def test_a_no_is_a_no(naps: list[float], error: Exception) -> None:
    for attempt in (lambda: patience.opening(failing(1, error), 10), lambda: patience.closing(failing(1, error))):
        with pytest.raises(type(error)):
            attempt()
    assert not naps
