"""CP-SAT run so that the same model gives the same answer: one worker, a fixed seed, work counted and not timed.

Knows nothing of what a model means.
"""

from typing import Any


def solved(cp_model: Any, model: Any, work: float) -> tuple[Any | None, float]:
    """A solver that holds a solution, None where none was found, and the work that was used."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.max_deterministic_time = work
    status = solver.solve(model)
    used = float(solver.response_proto.deterministic_time)
    return (solver if status in (cp_model.OPTIMAL, cp_model.FEASIBLE) else None), used
