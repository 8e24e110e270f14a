"""A world in text: Fleet, Hosts and Firewall documents to a view, and the pass from diff to effects."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from reconciler.engine.diff import diff
from reconciler.engine.load import load
from reconciler.engine.order import order
from reconciler.engine.plan import plan
from reconciler.engine.resolve import resolve
from reconciler.errors import Problem
from reconciler.kinds import firewall, fleet, host
from reconciler.kinds.firewall.state import FirewallState
from reconciler.model.action import Action, Refusal
from reconciler.model.desired import View
from reconciler.model.ref import Place
from reconciler.model.snapshot import Snapshot

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
HEAD = "---\napiVersion: reconciler/v1alpha1\nkind: Firewall\nmetadata: {name: %s}\nspec:\n"


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
        kinds = [firewall.KIND]
        actions, refusals = plan(diff(self.view, kinds), self.view, kinds)
        return order(actions), refusals

    def after(self) -> "World":
        """This world once every planned action took effect."""
        snapshot = self.view.snapshot
        for action in self.planned()[0]:
            snapshot = action.effect(snapshot)
        return World(View(self.view.fleet, self.view.desired, snapshot, self.view.now), self.problems)

    def seen(self, name: str) -> FirewallState:
        state = self.view.snapshot.get(Place("firewall", name, name))
        assert isinstance(state, FirewallState)
        return state

    def changes(self) -> list[str]:
        return [action.explain() for action in self.planned()[0]]


@pytest.fixture
def world() -> Callable[..., World]:
    def build(*specs: str, **states: FirewallState) -> World:
        documents = "".join(HEAD % f"fw{number}" + spec for number, spec in enumerate(specs))
        kinds = [fleet.KIND, host.KIND, firewall.KIND]
        loaded = load(Text(HOSTS + documents), kinds)
        cards, desired, more = resolve(loaded.documents, kinds)
        objects = {Place("firewall", name, name): state for name, state in states.items()}
        mine = tuple(item for item in desired if item.place.kind == "firewall")
        return World(View(cards, mine, Snapshot(0, objects), 0), (*loaded.problems, *more))

    return build
