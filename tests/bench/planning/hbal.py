"""hbal of Debian's ganeti-htools on the same fleet: what it takes to find its moves off hosts that drain.

It knows neither storage classes nor guests that must be apart, so the fleets have none; its memory and CPUs are ours.
"""

import re
import resource
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.placement.problem import Problem

GROUP = "one|u-1|preferred||"
LARGEST = 2**40
POLICY = f"128,1,1,1,1,1|128,1,1,1,1,1;{LARGEST},9999,{LARGEST},16,8,99|ext|9999.0|32.0"
MOVE = re.compile(r"^\s*\d+\.\s+(\S+)\s+\S+\s+=>", re.MULTILINE)


@dataclass(frozen=True)
class Found:
    """CPU seconds of the program; the guest of each of its moves, in order."""

    seconds: float
    moved: list[str]


def plain(problem: Problem) -> Problem:
    """The fleet without what hbal does not know: any guest may run anywhere, and beside any other."""
    guests = tuple(replace(guest, reach="", pinned=False) for guest in problem.guests)
    return replace(problem, guests=guests, rules=(), reaches={})


def there() -> bool:
    """`apt-get install ganeti-htools` brings it."""
    return shutil.which("hbal") is not None


def evacuated(problem: Problem, most: float) -> Found | None:
    """Its plan, or None where it has none after so many seconds."""
    draining = [word for host in problem.hosts if host.drain for word in ("-O", host.name)]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "cluster"
        data.write_text(_text(problem))
        before = _spent()
        try:
            command = ["hbal", "-t", str(data), "--evac-mode", "--no-disk-moves", *draining]
            done = subprocess.run(command, capture_output=True, text=True, timeout=most, check=True)
        except subprocess.TimeoutExpired:
            return None
    return Found(_spent() - before, MOVE.findall(done.stdout))


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _text(problem: Problem) -> str:
    """Ganeti's text format as `hspace --save` writes it."""
    taken = dict.fromkeys((host.name for host in problem.hosts), 0)
    for guest in problem.guests:
        taken[guest.at] += guest.memory
    nodes = [
        f"{h.name}|{h.memory}|0|{h.memory - taken[h.name]}|{LARGEST}|{LARGEST}|{h.vcpus}|N|u-1|1||N|0|1|1.0"
        for h in problem.hosts
    ]
    guests = [f"{g.name}|{g.memory}|1|{g.vcpus}|running|Y|{g.at}||ext||1|1|N" for g in problem.guests]
    return "\n\n".join((GROUP, "\n".join(nodes), "\n".join(guests), "", f"|{POLICY}\none|{POLICY}\n"))
