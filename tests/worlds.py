"""The cases as worlds for other tests: specs and snapshot of one folder of tests/cases, read and resolved.

Reads only; the folder's expectations belong to its own runner.
"""

from dataclasses import dataclass
from pathlib import Path

from reconciler.adapters.spec_source import FolderSource
from reconciler.engine.codec import read_snapshot
from reconciler.engine.once import Wanted, think, want
from reconciler.engine.yaml_read import load_plain
from reconciler.model.plan import Plan, Source
from reconciler.model.snapshot import Snapshot
from reconciler.wiring import KINDS

CASES = Path(__file__).parent / "cases"
MOVE = "a_move_opens_a_port_and_closes_it_again"


@dataclass(frozen=True)
class World:
    """One case."""

    folder: Path
    wanted: Wanted
    seen: Snapshot

    @property
    def source(self) -> FolderSource:
        return FolderSource(str(self.folder))

    def plan(self, source: Source = Source()) -> Plan:
        return think(self.wanted, self.seen, KINDS, source)


def world(case: str) -> World:
    folder = CASES / case
    text = (folder / "snapshot.json").read_text(encoding="utf-8")
    return World(folder, want(FolderSource(str(folder)), KINDS), read_snapshot(load_plain(text), KINDS))
