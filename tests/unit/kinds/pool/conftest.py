"""A world in text: Fleet, Hosts and StoragePool documents to a view, and the pass from diff to effects."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from reconciler.engine.diff import diff
from reconciler.engine.load import load
from reconciler.engine.order import order
from reconciler.engine.plan import plan
from reconciler.engine.resolve import resolve
from reconciler.errors import Problem
from reconciler.kinds import fleet, host, pool
from reconciler.kinds.pool.state import PoolState
from reconciler.model.action import Action, Refusal
from reconciler.model.desired import View
from reconciler.model.ref import Place
from reconciler.model.snapshot import Silence, Snapshot

HOSTS = """
apiVersion: reconciler/v1alpha1
kind: Host
metadata: {name: alpha, labels: {role: compute}}
spec: {fqdn: alpha.lab.test, address: 10.77.0.11}
---
apiVersion: reconciler/v1alpha1
kind: Host
metadata: {name: beta, labels: {role: compute}}
spec: {fqdn: beta.lab.test, address: 10.77.0.12}
"""
HEAD = "---\napiVersion: reconciler/v1alpha1\nkind: StoragePool\nmetadata: {name: %s}\nspec:\n"


@dataclass(frozen=True)
class Text:
    """A spec source of one text."""

    text: str

    def files(self) -> list[tuple[str, str]]:
        return [("fleet.yaml", self.text)]

    def read(self, beside: str, relative: str) -> str:
        raise ValueError(relative)

    def commit(self) -> tuple[str, bool]:
        return "", False


@dataclass(frozen=True)
class World:
    """A view with its problems; `planned` runs diff, plan and order."""

    view: View
    problems: tuple[Problem, ...]

    def planned(self) -> tuple[tuple[Action, ...], tuple[Refusal, ...]]:
        kinds = [pool.KIND]
        actions, refusals = plan(diff(self.view, kinds), self.view, kinds)
        return order(actions), refusals

    def after(self) -> "World":
        """This world once every planned action took effect."""
        snapshot = self.view.snapshot
        for action in self.planned()[0]:
            snapshot = action.effect(snapshot)
        return World(View(self.view.fleet, self.view.desired, snapshot, self.view.now), self.problems)

    def changes(self) -> list[str]:
        return [action.explain() for action in self.planned()[0]]


@pytest.fixture
def world() -> Callable[..., World]:
    def build(*specs: str, silent: tuple[str, ...] = (), **pools: PoolState) -> World:
        """Pools are given as `alpha__name=state`; documents are called p0, p1, ..."""
        documents = "".join(HEAD % f"p{number}" + spec for number, spec in enumerate(specs))
        kinds = [fleet.KIND, host.KIND, pool.KIND]
        loaded = load(Text(HOSTS + documents), kinds)
        cards, desired, more = resolve(loaded.documents, kinds)
        objects = {Place("pool", *name.split("__")): state for name, state in pools.items()}
        silences = tuple(Silence(name, ("pool",), "libvirtd does not answer") for name in silent)
        mine = tuple(item for item in desired if item.place.kind == "pool")
        return World(View(cards, mine, Snapshot(0, objects, silences), 0), (*loaded.problems, *more))

    return build
