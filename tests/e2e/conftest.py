"""The lab in its first state before each test, and nothing of ours left behind after it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.hosts import RUN, LabHost, hosts, lab, orphans, residue
from tests.e2e.user import User

HERE = str(Path(__file__).parent)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if str(item.path).startswith(HERE):
            item.add_marker(pytest.mark.lab)


@pytest.fixture(scope="session")
def the_lab() -> None:
    """Up, or brought up; without root there is no lab."""
    if os.geteuid() != 0:
        pytest.skip("the lab needs root")
    if not (RUN / "topology.json").exists():
        lab("up")


@pytest.fixture(scope="session")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Once the specs were applied and the lab was kept as `running`: what the user's own folders held then."""
    return tmp_path_factory.mktemp("applied") / "state"


@pytest.fixture
def fleet(the_lab: None, applied: Path, request: pytest.FixtureRequest) -> Iterator[dict[str, LabHost]]:
    """First state, or the applied one for `running`; afterwards the residue check, on hosts that answer."""
    kept = "running" in request.fixturenames and applied.exists()
    lab("reset", *(["--to", "running"] if kept else []))
    known = hosts()
    yield known
    compute = [known["lq-d25"], known["lq-d26"]]
    left = [line for host in compute for line in residue(host)] + orphans(compute)
    assert not left, "residue:\n" + "\n".join(left)


@pytest.fixture
def user(tmp_path: Path, fleet: dict[str, LabHost]) -> User:
    """Somebody with a copy of specs/vpd."""
    return User(tmp_path / "specs")


@pytest.fixture
def d25(fleet: dict[str, LabHost]) -> LabHost:
    return fleet["lq-d25"]


@pytest.fixture
def d26(fleet: dict[str, LabHost]) -> LabHost:
    return fleet["lq-d26"]


@pytest.fixture
def running(user: User, d25: LabHost, applied: Path) -> User:
    """The specs applied: mvp4_lqd25 runs on lq-d25. The first test of a session applies, for the others it is kept."""
    state = user.folder.parent / "state"
    if applied.exists():
        shutil.copytree(applied, state)
    else:
        user.apply()
        lab("keep", "running")
        shutil.copytree(state, applied)
    assert d25.domains()["mvp4_lqd25"] == "running"
    return user


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A failing test shows the journal and the hosts' libvirtd log."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.when != "call" or not report.failed or "fleet" not in getattr(item, "fixturenames", ()):
        return
    folder = item.funcargs.get("tmp_path")  # type: ignore[attr-defined]
    for journal in sorted(folder.rglob("*.jsonl")) if folder else ():
        report.sections.append((f"journal {journal.name}", journal.read_text()[-8000:]))
    for name in ("lq-d25", "lq-d26"):
        try:
            log = hosts()[name].do("journalctl", "-u", "libvirtd", "-n", "30", "--no-pager", timeout=20).stdout
        except (subprocess.SubprocessError, OSError, StopIteration):
            log = "no answer"
        report.sections.append((f"libvirtd on {name}", log[-4000:]))
