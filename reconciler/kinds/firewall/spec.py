"""The YAML of kind Firewall: firewalld's state and zones on a set of hosts."""

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from reconciler.fields import Hosts, Name, Strict, ZonePort
from reconciler.kinds.firewall.state import canonical_rule


def _rule(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"write a rich rule as text, not {value!r}")
    return canonical_rule(value)


RichRule = Annotated[
    str,
    PlainValidator(_rule),
    WithJsonSchema({"type": "string", "pattern": "^rule ", "description": "a firewalld rich rule"}),
]


class ZoneSpec(Strict):
    """A firewalld zone; a list left out is not managed. `exclusive` removes what is not listed."""

    name: Annotated[Name, Field(max_length=17)]
    interfaces: list[Name] | None = None
    services: list[Name] | None = None
    ports: list[ZonePort] | None = None
    rich_rules: list[RichRule] | None = None
    exclusive: bool = False


class FirewallSpec(Strict):
    """firewalld on the selected hosts; runtime and permanent configuration both."""

    hosts: Hosts
    state: Literal["running"] | None = None
    zones: list[ZoneSpec] = Field(default=[])
