"""The same answer in every process, and an answer also where ortools is not installed."""

import os
import subprocess
import sys

SEEDS = (3, 7, 11, 19, 23, 42)
PLAN = """
import sys
{before}
from reconciler.placement.solve import solve
from tests.placement.made import problem
for seed in {seeds}:
    print(solve(problem(seed)))
print("solver:", bool(sys.modules.get("ortools.sat.python.cp_model")))
"""


def _said(before: str, hash_seed: str) -> str:
    """What a process of its own plans for some fleets; solve raises where its replay refuses a plan."""
    program = PLAN.format(before=before, seeds=SEEDS)
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Solution(") == len(SEEDS)
    return done.stdout


def test_no_order_of_hashes_changes_a_plan() -> None:
    first = _said("", "1")
    assert "Move(" in first
    assert "solver: True" in first, "these fleets are easy enough to need no solver: take others"
    assert _said("", "2") == first


def test_without_ortools_it_plans_all_the_same() -> None:
    alone = _said("sys.modules['ortools'] = None", "1")
    assert "Move(" in alone
    assert "solver: False" in alone
