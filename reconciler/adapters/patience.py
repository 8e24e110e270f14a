"""How often something is tried again: only what may be repeated safely, only where a host did not answer.

Waits grow and are random, so that many controllers do not come back at one moment. The only module that sees tenacity.
"""

from collections.abc import Callable
from typing import TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, stop_before_delay, wait_random_exponential

from reconciler.errors import Unreachable

CLOSING = 60.0
_Answer = TypeVar("_Answer")


def opening(attempt: Callable[[], _Answer], seconds: float) -> _Answer:
    """A connection: three tries, for a server that restarts just now; none begins in the second half of `seconds`.

    So a host that is down, which the network tells after three seconds, is told as that and not as a deadline.
    """
    return Retrying(
        retry=retry_if_exception_type(Unreachable),
        stop=stop_after_attempt(3) | stop_before_delay(seconds / 2),
        wait=wait_random_exponential(multiplier=0.25, max=2),
        reraise=True,
    )(attempt)


def closing(attempt: Callable[[], _Answer]) -> _Answer:
    """What takes access away: for a minute, so that a host that is back soon leaves nothing for the next pass."""
    return Retrying(
        retry=retry_if_exception_type(Unreachable),
        stop=stop_before_delay(CLOSING),
        wait=wait_random_exponential(multiplier=0.5, max=8),
        reraise=True,
    )(attempt)
