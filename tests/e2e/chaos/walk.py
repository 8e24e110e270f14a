"""One random walk: edit, apply, break something meanwhile, then passes until all is true; checked after each step.

The same seed gives the same edits and faults; what they hit depends on the machine's speed.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from tests.e2e.chaos.checks import Pulse, add_bystander, at_rest, outside, quiet
from tests.e2e.chaos.faults import pick
from tests.e2e.chaos.wishes import FIRST, Wish, changed, text
from tests.e2e.hosts import LabHost, lab
from tests.e2e.user import User

PASSES = 4


@dataclass
class Walk:
    """`told` hears a line per step."""

    user: User
    hosts: Mapping[str, LabHost]
    random: Random
    told: Callable[[str], None]
    wishes: tuple[Wish, ...] = FIRST

    def walk(self, steps: int) -> None:
        """Raises AssertionError at the first broken invariant, with what was done before it."""
        hosts = list(self.hosts.values())
        add_bystander(self.hosts["lq-d26"])
        self.user.write("vms.yaml", text(self.wishes))
        self.user.apply()
        others = outside(hosts)
        with Pulse([wish.name for wish in self.wishes], list(self.hosts)) as pulse:
            for number in range(1, steps + 1):
                up = {wish.name: pulse.uptime(wish.name) for wish in self.wishes}
                said = self._step(number)
                for vm, seconds in up.items():
                    assert pulse.uptime(vm) >= seconds, f"{said}: {vm} was rebooted"
                assert not pulse.twice, f"{said}: ran on two hosts: {pulse.twice}"
                broken = at_rest(hosts, {wish.name: wish.host for wish in self.wishes})
                assert not broken, f"{said}:\n" + "\n".join(broken)
                assert outside(hosts) == others, f"{said}: something that no plan was about has changed"

    def _step(self, number: int) -> str:
        self.wishes, edit = changed(self.wishes, self.random)
        self.user.write("vms.yaml", text(self.wishes))
        fault, strike = pick(self.random)
        host = self.hosts[self.random.choice(list(self.hosts))]
        delay = self.random.uniform(0.5, 8.0)
        said = f"step {number}: {edit}; {fault} ({host.name}) after {delay:.1f} s"
        started = time.monotonic()
        process = self.user.start("apply", str(self.user.folder), "--yes")
        time.sleep(delay)
        strike(process, host)
        out, err = process.communicate(timeout=300)
        quiet(list(self.hosts.values()))
        passes = self._until_true(said, f"first apply ended with {process.returncode}:\n{out}{err}")
        self.told(f"{said}: exit {process.returncode}, {passes} more, {time.monotonic() - started:.0f} s")
        return said

    def _until_true(self, said: str, first: str) -> int:
        """Passes until one ends well; then the plan must be empty."""
        heard = [first]
        lab("heal")
        for number in range(1, PASSES + 1):
            done = self.user.run("apply", str(self.user.folder), "--yes")
            heard.append(f"exit {done.code}:\n{done.text}")
            if done.code == 0:
                self.user.in_sync()
                return number
            assert done.code in (1, 6, 7), f"{said}\n" + "\n".join(heard)
            time.sleep(2)
        raise AssertionError(f"{said}: not true after {PASSES} passes\n" + "\n".join(heard))
