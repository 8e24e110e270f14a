"""Ten steps with each run of the tests; `make chaos N=50` for more, with another seed unless SEED is given."""

import random

import pytest

from tests.e2e.chaos.walk import Walk
from tests.e2e.hosts import LabHost
from tests.e2e.user import User


@pytest.mark.timeout(7200)
def test_chaos(
    request: pytest.FixtureRequest, user: User, d25: LabHost, d26: LabHost, capsys: pytest.CaptureFixture[str]
) -> None:
    steps, seed = request.config.getoption("--chaos-steps"), request.config.getoption("--chaos-seed")

    def told(line: str) -> None:
        with capsys.disabled():
            print(f"\n    {line}", end="", flush=True)

    told(f"{steps} steps, seed {seed}")
    Walk(user, {"lq-d25": d25, "lq-d26": d26}, random.Random(seed), told).walk(steps)  # noqa: S311
