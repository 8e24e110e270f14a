"""States and actions survive being saved and loaded again."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from reconciler.kinds.firewall.actions import AddToZone, Reload
from reconciler.kinds.firewall.state import FirewallDesired, FirewallState, ZoneDesired, ZoneState
from reconciler.model.disruption import Disruption
from reconciler.model.ref import Place

AT = Place("firewall", "alpha", "compute")
ZONE = ZoneState(("br0",), ("ssh",), ("80-81/tcp",), ('rule service name="http" accept',), "ACCEPT")
VALUES = [
    FirewallState(True, True, False, "public", {"public": ZONE}, {"public": ZONE}, "br0", True),
    FirewallDesired((ZoneDesired("public", None, ("ssh",), (), None, True),), True),
    AddToZone(place=AT, zone="public", item="rich-rule", value="rule x", permanent=True, needs=("a",)),
    Reload(place=AT, disruption=Disruption.LIVE),
]


@pytest.mark.parametrize("value", VALUES)
def test_saved_and_loaded_is_the_same(value: Any) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(type(value))
    assert adapter.validate_json(adapter.dump_json(value)) == value
