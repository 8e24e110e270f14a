"""The lock of one fleet on one machine: held by one, named to the other, gone with its holder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.adapters.lock import held
from reconciler.errors import Locked

HOLD = """
import sys, time
from pathlib import Path
from reconciler.adapters.lock import held
with held("vpd", "run-1", Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_the_second_is_told_who_has_it_and_another_fleet_is_free(tmp_path: Path) -> None:
    process = holder(tmp_path)
    try:
        with pytest.raises(Locked) as caught, held("vpd", "run-2", tmp_path):
            pass
        assert f"process {process.pid}" in caught.value.holder
        assert "run run-1" in caught.value.holder
        with held("other", "run-3", tmp_path):
            pass
    finally:
        process.kill()
        process.wait()


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    process = holder(tmp_path)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with held("vpd", "run-2", tmp_path):
        assert '"run": "run-2"' in (tmp_path / "locks/vpd.json").read_text()
    assert (tmp_path / "locks/vpd.json").read_text() == ""
