"""`make bench`: measure on the lab, print the table and write docs/benchmarks.md; exit 1 when a limit is not kept."""

import os
import platform
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.measure import CLONE_GIB, Row, clone, idle_plan, live_move
from tests.e2e.hosts import ROOT, lab
from tests.e2e.user import User


def table(rows: list[Row]) -> str:
    """Markdown."""
    lines = ["| what | reconciler | instead | ratio | limit | held |", "| --- | --- | --- | --- | --- | --- |"]
    lines += [
        f"| {r.what} | {r.ours} | {r.theirs} | {r.ratio} | {r.limit} | {'yes' if r.held else 'NO'} |" for r in rows
    ]
    return "\n".join(lines) + "\n"


def page(rows: list[Row]) -> str:
    """The documentation's page: the table, and what it was measured on and does not cover."""
    machine = f"{os.cpu_count()} cores, kernel {platform.release()}, Python {platform.python_version()}"
    return f"""# Benchmarks

Made by `make bench` on {time.strftime("%Y-%m-%d %H:%M")} UTC; {machine}; guests under emulation (no KVM). Times are
medians with their range; both sides of a row ran in turn in the same run, on the same lab.

{table(rows)}
- **Live move**: `reconciler apply` (observe, plan, prove the storage, lease, probe, migrate, close, revoke with proof,
  verify on both hosts with the TCP and SSH checks, observe again) against `tests/bench/by_hand.sh`, the practice as a
  shell script, which opens the whole port range to everyone and proves nothing.
- **Clone**: `reconciler apply --target vm/fat-copy` against `virt-clone` over ssh; {CLONE_GIB} GiB of random data,
  qcow2, from a local pool into the shared one; no `power`, so neither starts it.
- Where VMs run and in which order they move is planned: [a page of its own](benchmarks-planning.md) says how fast and
  how well, made by `make bench-planning`.
- Not covered: more than two hosts, many VMs, real hardware, NFS (see nfs-last-run.md for a run that is not timed).
"""


def main() -> int:
    lab("reset")
    with tempfile.TemporaryDirectory() as folder:
        user = User(Path(folder) / "specs")
        user.apply()
        rows = idle_plan(user, 9)
        rows += live_move(user, 8)
        rows += clone(user, 4)
    print(table(rows))
    (ROOT / "docs").mkdir(exist_ok=True)
    (ROOT / "docs/benchmarks.md").write_text(page(rows))
    lab("reset")
    return 0 if all(row.held for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
