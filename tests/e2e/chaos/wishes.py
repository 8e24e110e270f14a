"""What the specs of a random walk may say, and how one step changes them; YAML comes out, no host is asked."""

from dataclasses import dataclass, replace
from random import Random

HOSTS = ("lq-d25", "lq-d26")
_VM = """apiVersion: reconciler/v1alpha1
kind: VirtualMachine
metadata: {{name: {name}}}
spec:
  placement: {{host: {host}}}
  power: running
  autostart: {autostart}
  source:
    clone:
      from: mvp1
      disks: [{{target: vda, pool: CONT_VOL_COMP, volume: {name}.qcow2, format: qcow2}}]
  vcpus: 1
  memory: {memory}MiB
  interfaces: [{{mac: "{mac}", network: vpd}}]
  migration: {{bandwidth: {bandwidth}MiB/s, timeout: 90s}}
  checks: [{{tcp: 22, timeout: 60s}}]
"""


@dataclass(frozen=True)
class Wish:
    """One VM as it shall be: sizes in MiB, bandwidth in MiB/s."""

    name: str
    mac: str
    host: str = HOSTS[0]
    autostart: bool = True
    memory: int = 256
    bandwidth: int = 1024

    def yaml(self) -> str:
        words = {"autostart": str(self.autostart).lower()}
        return _VM.format(
            name=self.name,
            host=self.host,
            memory=self.memory,
            mac=self.mac,
            bandwidth=self.bandwidth,
            **words,
        )


FIRST = (Wish("chaos1", "00:16:3e:31:14:01"), Wish("chaos2", "00:16:3e:31:14:02", HOSTS[1]))


def text(wishes: tuple[Wish, ...]) -> str:
    """All of them as one file."""
    return "---\n".join(wish.yaml() for wish in wishes)


def changed(wishes: tuple[Wish, ...], random: Random) -> tuple[tuple[Wish, ...], str]:
    """The next commit, and what it changes in words."""
    number = random.randrange(len(wishes))
    wish = wishes[number]
    what = random.choices(("move", "slow move", "memory", "autostart", "nothing"), (5, 5, 1, 1, 1))[0]
    if what == "move" or what == "slow move":
        there = HOSTS[1 - HOSTS.index(wish.host)]
        new = replace(wish, host=there, bandwidth=1024 if what == "move" else 12)
    elif what == "memory":
        new = replace(wish, memory=256 if wish.memory != 256 else 288)
    else:
        new = replace(wish, autostart=not wish.autostart) if what == "autostart" else wish
    return (*wishes[:number], new, *wishes[number + 1 :]), f"{what} of {wish.name}"
