"""The option --run-nfs, and the lab of emulated machines, up before the first test and down after the last.

Set RECONCILER_NFS_KEEP to leave that lab running, as it is after the test.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nfs.figures import Figures
from tests.nfs.hosts import Host, hosts, lab

HERE = str(Path(__file__).parent)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-nfs", action="store_true", help="run tests/nfs: emulated machines, real NFS, many minutes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--run-nfs", default=False):
        return
    for item in items:
        if str(item.path).startswith(HERE):
            item.add_marker(pytest.mark.skip(reason="takes many minutes: pytest tests/nfs --run-nfs"))


@pytest.fixture
def figures(capsys: pytest.CaptureFixture[str]) -> Iterator[Figures]:
    """What the run measured; written to docs/ whatever came of it. Its steps are told to whoever waits."""

    def say(text: str) -> None:
        with capsys.disabled():
            print(text, flush=True)

    made = Figures(say=say)
    yield made
    made.write()


@pytest.fixture
def fleet(figures: Figures) -> Iterator[dict[str, Host]]:
    """Hosts in their first state, on fresh disks."""
    if os.geteuid() != 0:
        pytest.skip("the lab needs root")
    try:
        with figures.step("lab: three machines from nothing to their first state (images built before)"):
            lab("build")
            lab("reset", "--hard")
        yield hosts()
    finally:
        if not os.environ.get("RECONCILER_NFS_KEEP"):
            lab("down", "--purge")
