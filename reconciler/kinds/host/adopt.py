"""Host documents for hosts that are there: name, address, login, and the services that run. Pure.

Declares nothing that is not so already; what would still be changed is told by the plan that import makes.
"""

from collections.abc import Iterator
from typing import Any

from reconciler.kind import Adopted, Draft
from reconciler.kinds.host.plan import RUNS
from reconciler.kinds.host.state import HostState
from reconciler.model.desired import View
from reconciler.model.fleet import Fleet, HostCard
from reconciler.model.ref import Place

SERVICE = "libvirtd"


def adopt(view: View) -> Adopted:
    """A document for each host of the fleet."""
    drafts = []
    for card in view.fleet.hosts.values():
        seen: HostState | None = view.snapshot.get(Place("host", card.name, card.name))
        runs = seen is None or seen.services.get(SERVICE) == RUNS
        spec = dict(_spec(card, view.fleet, runs))
        remarks = () if runs else (f"{SERVICE} is not both active and enabled here, so it is not declared",)
        drafts.append(Draft("Host", card.name, spec, remarks))
    return Adopted(tuple(drafts))


def _spec(card: HostCard, fleet: Fleet, runs: bool) -> Iterator[tuple[str, Any]]:
    yield "fqdn", card.fqdn
    if card.address != card.fqdn:
        yield "address", card.address
    own, common = card.connection, fleet.connection
    names = {"user": "user", "port": "port", "identityFile": "identity_file", "knownHostsFile": "known_hosts_file"}
    connection: dict[str, Any] = {
        key: getattr(own, name) for key, name in names.items() if getattr(own, name) != getattr(common, name)
    }
    if own.host_keys:
        connection["hostKeys"] = list(own.host_keys)
    if connection:
        yield "connection", connection
    if not runs:
        yield "services", []
