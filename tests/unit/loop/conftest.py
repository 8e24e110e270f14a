"""The databases a loop may stand on: both are tried by every test that takes `database`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import cluster, made


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with cluster() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh one."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/loop.sqlite"
    url: str = request.getfixturevalue("postgres")
    return made(url)


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/loop.sqlite"
