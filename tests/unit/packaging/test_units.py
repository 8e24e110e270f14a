"""The shipped systemd units, as systemd itself reads them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[3] / "packaging" / "systemd"
FILES = sorted(path.name for path in UNITS.iterdir() if path.is_file())
SERVICES = ["reconciler.service", "reconciler-once.service"]


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """Copies whose program is one that this machine has."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd is not installed")
    for path in map(UNITS.joinpath, FILES):
        text = re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", path.read_text(encoding="utf-8"))
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    return tmp_path


def verified(units: Path, name: str) -> list[str]:
    """What systemd has to say against it."""
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(units / name)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return [line for line in done.stderr.splitlines() if str(units) in line or "reconciler" in line]


@pytest.mark.parametrize("name", FILES)
def test_systemd_finds_nothing_wrong(name: str, units: Path) -> None:
    assert verified(units, name) == []


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_optional_is_added_by_a_copied_file(name: str, units: Path) -> None:
    found = sorted(UNITS.glob("drop-ins/*"))
    assert [path.name for path in found] == ["pgpass.conf", "webhook.conf"]
    folder = units / f"{name}.d"
    folder.mkdir()
    for path in found:
        (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    assert verified(units, name) == []
    (folder / "wrong.conf").write_text("[Service]\nLoadCredential=not/a/name:/x\n", encoding="utf-8")
    assert len(verified(units, name)) == 1, "such files are read, so the line above says something"


@pytest.mark.parametrize("name", SERVICES)
def test_only_the_key_to_the_hosts_must_be_there(name: str) -> None:
    text = (UNITS / name).read_text(encoding="utf-8")
    loaded, defaults = (set(re.findall(rf"(?m)^{word}Credential=(\w+):", text)) for word in ("Load", "Set"))
    assert loaded - defaults == {"host_key"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_little(name: str, units: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(units / name)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    found = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found[1]) < 2.5, "systemd-analyze calls it not OK, or worse than it was"
