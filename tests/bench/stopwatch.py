"""Timing of whole commands, and what a list of times amounts to. Runs commands; judges nothing."""

import statistics
import subprocess
import time
from collections.abc import Sequence


def seconds(argv: Sequence[str], code: int = 0) -> float:
    """Wall time of a command that must end with that exit code."""
    began = time.monotonic()
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    took = time.monotonic() - began
    if done.returncode != code:
        raise SystemExit(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return took


def median(times: Sequence[float]) -> float:
    return statistics.median(times)


def spread(times: Sequence[float]) -> str:
    """Median and range, for a table."""
    return f"{median(times):.2f} s ({min(times):.2f} to {max(times):.2f})"
