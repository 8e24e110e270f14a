"""The machine's clock; nothing else asks the time."""

import time


class SystemClock:
    """A Clock: seconds since 1970, and real waiting."""

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
