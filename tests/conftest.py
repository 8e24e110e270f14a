"""What every test may use: `--accept` rewrites the expectations of tests/cases, `--lab` facts are in topology.json.

No fixtures that change the machine live here.
"""

import json
import os
import signal
from typing import Any

import pytest
from hypothesis import settings

from tests.e2e.hosts import RUN

TOPOLOGY = RUN / "topology.json"
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # begun in the background of a script; Ctrl-C is tested there too
    signal.signal(signal.SIGINT, signal.default_int_handler)
settings.register_profile("again", derandomize=True)  # the same examples for everybody, until a test changes
settings.register_profile("search", derandomize=False)  # others every time: make nightly
settings.load_profile("again")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true", help="rewrite the expected plans of tests/cases; review the diff")
    parser.addoption("--chaos-steps", type=int, default=10, help="steps of the random walk in tests/e2e/chaos")
    parser.addoption("--chaos-seed", type=int, default=1, help="its seed: the same edits and faults again")
    parser.addoption("--fleets", type=int, default=100, help="how many random fleets tests/placement plans by seed")


@pytest.fixture
def accept(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--accept"))


@pytest.fixture(scope="session")
def topology() -> dict[str, Any]:
    """The running lab's facts; without a lab the test is skipped, unless RECONCILER_LAB_REQUIRED says it must run."""
    if not TOPOLOGY.exists():
        if os.environ.get("RECONCILER_LAB_REQUIRED"):
            pytest.fail(f"{TOPOLOGY} is missing and RECONCILER_LAB_REQUIRED is set; run lab/lab up")
        pytest.skip("no lab is running; lab/lab up makes one")
    facts: dict[str, Any] = json.loads(TOPOLOGY.read_text(encoding="utf-8"))
    return facts
