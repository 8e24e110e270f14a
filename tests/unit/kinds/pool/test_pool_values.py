"""States and actions survive being saved and loaded again."""

from dataclasses import fields
from typing import Any

import pytest
from pydantic import TypeAdapter

from reconciler.kinds.pool.actions import ProveShared, StartPool
from reconciler.kinds.pool.state import Definition, PoolDesired, PoolState, VolumeState
from reconciler.model.ref import Place

AT = Place("pool", "alpha", "comp")
VALUES = [
    PoolState("u", Definition("dir", "/x"), True, False, "", "", 3, 2, 1, (VolumeState("a", "/x/a", 2, 1),)),
    PoolDesired(Definition("netfs", "/x", "nas", "/e", "nfs", "4.2"), None, True, True, 5),
    StartPool(place=AT, target="/x", fstype="nfs4", source="nas:/e"),
    ProveShared(place=AT, hosts=("alpha", "beta"), target="/x", network=True, fleet="vpd"),
]


@pytest.mark.parametrize("value", VALUES)
def test_saved_and_loaded_is_the_same(value: Any) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(type(value))
    assert adapter.validate_json(adapter.dump_json(value)) == value


def test_what_changes_by_itself_is_no_part_of_a_fingerprint() -> None:
    volatile = {f.name for f in fields(PoolState) if f.metadata.get("volatile")}
    assert volatile == {"capacity", "allocation", "available", "volumes", "tokens"}
