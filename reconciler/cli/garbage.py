"""When Python looks for garbage in cycles: not in a command that reads, plans and ends, but in one that lasts.

Such a command builds hundreds of MiB, drops little of it and nothing in cycles; to look through all of it again and
again took a tenth of the time of a large plan. Only this module touches the collector.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unlooked() -> Iterator[None]:
    """Nobody looks meanwhile, and not at the process's end either, as what is left goes with the process."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()


def lasting() -> None:
    """From here on it is looked for, though seldom: `apply` and `run` may go on for as long as they like."""
    gc.set_threshold(200_000, 50, 50)
    gc.enable()
