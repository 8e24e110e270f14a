"""`reconciler edit` changes a file, shows the difference, tells what comes next, and asks no host."""

import json
import stat
from pathlib import Path

from tests.fakes.fleets import Fleet
from tests.unit.commands.conftest import Run


def test_a_vm_is_placed_elsewhere(run: Run, fleet: Fleet, tmp_path: Path) -> None:
    run("validate", "specs")
    asked = len(fleet.world.calls)
    file = tmp_path / "specs/vm.yaml"
    head = "apiVersion: reconciler/v1alpha1\r\nkind: VirtualMachine\r\nmetadata: {name: db}\r\n"
    file.write_bytes(f"{head}spec:\r\n  # quiet\r\n  placement: {{host: lq-d25}}\r\n".encode())
    file.chmod(0o640)
    said = run("edit", "vm", "db", "specs", "--host", "lq-d26", "--power", "running")
    assert said.exit_code == 0, said.output
    assert file.read_bytes() == (
        f"{head}spec:\r\n  power: running\r\n  # quiet\r\n  placement: {{host: lq-d26}}\r\n".replace(
            "  power: running\r\n  # quiet\r\n", "  # quiet\r\n  power: running\r\n"
        ).encode()
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert "+  placement: {host: lq-d26}" in said.stdout
    assert "Next: `git commit -- specs/vm.yaml && reconciler plan specs`" in said.stderr
    assert len(fleet.world.calls) == asked
    again = run("edit", "vm", "db", "specs", "--host", "lq-d26")
    assert "it says so already; nothing was changed" in again.stderr


def test_maintenance_is_written_and_what_plan_says_is_told(run: Run, tmp_path: Path) -> None:
    said = run("edit", "host", "lq-d25", "specs", "--maintenance", "-o", "json")
    data = json.loads(said.stdout)
    assert data["changed"]
    assert "+spec: {fqdn: lq-d25.vpd.com, address: 10.77.0.11, maintenance: true}" in data["diff"]
    text = (tmp_path / "specs/fleet.yaml").read_text()
    assert text.count("maintenance: true") == 1


def test_a_wrong_host_changes_nothing(run: Run, fleet: Fleet, tmp_path: Path) -> None:
    said = run("edit", "vm", "web", "specs", "--host", "lq-d99")
    assert said.exit_code == 1
    assert "fleet.yaml:" in said.stderr
    assert "no Host named 'lq-d99' is declared (hosts: lq-d25, lq-d26)" in said.stderr
    assert (tmp_path / "specs/fleet.yaml").read_text() == fleet.specs.text


def test_what_cannot_be_edited(run: Run) -> None:
    assert "standard input cannot be edited in place" in run("edit", "vm", "web", "-", "--power", "stopped").stderr
    assert "nothing to change was said" in run("edit", "host", "lq-d25", "specs").stderr
