"""What a run measured and how it ended, as docs/nfs-last-run.md.

It writes what happened, also when that is a failure.
"""

import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "docs/nfs-last-run.md"
HEAD = """# The practice on real NFS: the last run

Written by `make test-nfs` (tests/nfs), which nobody edits afterwards. Two hosts and the NFS server are emulated
machines with their own kernels (QEMU without KVM, `lab/lab --topology lab/topology-nfs.yaml up`); the guest is an
emulation inside an emulation. Only `reconciler` acts; what the second table says of the hosts was read there by ssh,
virsh, findmnt and nft. Times say that it works, not how fast it is: all is 10 to 20 times slower than on a real host.
"""


@dataclass
class Figures:
    """Steps with their time, and facts read on the hosts."""

    began: float = field(default_factory=time.time)
    steps: list[tuple[str, float, str]] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    say: Callable[[str], None] = print

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Time it; a failure is kept too, and goes on."""
        start = time.monotonic()
        self.say(f"[{time.strftime('%H:%M:%S')}] {what} ...")
        try:
            yield
        except BaseException as error:
            words = " ".join(str(error).split()) or type(error).__name__
            self.steps.append((what, time.monotonic() - start, f"**FAILED**: {words[:600]}"))
            raise
        self.steps.append((what, time.monotonic() - start, "ok"))

    def fact(self, what: str, seen: object) -> None:
        self.facts.append((what, " ".join(str(seen).split())))

    def write(self) -> None:
        """The file, whatever came of the run."""
        failed = [what for what, _, how in self.steps if how != "ok"]
        verdict = f"**failed** at: {failed[0]}" if failed else "**passed**"
        when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(self.began))
        machine = f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, no KVM used"
        total = f"{time.time() - self.began:.0f} s"
        lines = [HEAD, f"Run of {when}: {verdict}, {total} in all, on {machine}.", ""]
        lines += ["| step | seconds | result |", "| --- | ---: | --- |"]
        lines += [f"| {_cell(what)} | {seconds:.1f} | {_cell(how)} |" for what, seconds, how in self.steps]
        lines += ["", "| fact | seen |", "| --- | --- |"]
        lines += [f"| {_cell(what)} | {_cell(seen)} |" for what, seen in self.facts]
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
