"""The types of YAML fields that the kinds' specs share: names, sizes, durations, host selectors.

Shapes only; whether a name exists anywhere is asked in resolve.
"""

import ipaddress
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, PlainValidator, Tag, WithJsonSchema
from pydantic.alias_generators import to_camel

from reconciler.model import fleet
from reconciler.model.units import parse_duration, parse_rate, parse_size

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
_LABEL = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
FQDN = rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})+"
_PATH = r"(/[A-Za-z0-9._@:+-]+)+"


class Strict(BaseModel):
    """Base of all spec models: unknown fields and quiet conversions are errors; YAML names are camelCase."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel, frozen=True)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"write a text, not {value!r}")
    return value


def _matching(pattern: str, what: str) -> PlainValidator:
    def check(value: Any) -> str:
        text = _text(value)
        if not re.fullmatch(pattern, text) or ".." in text:
            raise ValueError(f"not {what}: {text[:80]!r}")
        return text

    return PlainValidator(check)


def _schema(pattern: str, description: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", "description": description})


Name = Annotated[
    str,
    _matching(NAME, "a name; use letters, digits, dot, dash and underscore, at most 63, no '..'"),
    _schema(NAME, "a name: letters, digits, dot, dash, underscore"),
]
Fqdn = Annotated[
    str, _matching(FQDN, "a fully qualified name such as a.example.com"), _schema(FQDN, "a fully qualified name")
]
AbsolutePath = Annotated[
    str, _matching(_PATH, "an absolute path of plain characters without '..'"), _schema(_PATH, "an absolute path")
]
User = Annotated[
    str,
    _matching(r"[a-z_][a-z0-9_-]{0,31}", "a Unix user name"),
    _schema(r"[a-z_][a-z0-9_-]{0,31}", "a Unix user name"),
]
Mac = Annotated[
    str,
    BeforeValidator(lambda value: _text(value).lower()),
    _matching(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", "a MAC address such as 52:54:00:12:34:56"),
    _schema(r"([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}", "a MAC address"),
]
Size = Annotated[
    int,
    PlainValidator(lambda value: parse_size(_text(value))),
    _schema(r"\d{1,15}(B|KiB|MiB|GiB|TiB)", "a size such as 2GiB"),
]
Rate = Annotated[
    int,
    PlainValidator(lambda value: parse_rate(_text(value))),
    _schema(r"\d{1,15}(B|KiB|MiB|GiB|TiB)/s", "a rate such as 100MiB/s"),
]
Duration = Annotated[
    float,
    PlainValidator(lambda value: parse_duration(_text(value))),
    _schema(r"\d{1,9}(ms|s|m|h|d)", "a duration such as 10m"),
]


def _watch(value: Any) -> float:
    seconds = parse_duration(_text(value))
    if seconds > 60:
        raise ValueError(f"not a time to watch a VM: {value[:40]!r}; at most 1m, and 0s to leave it out")
    return seconds


Watch = Annotated[float, PlainValidator(_watch), _schema(r"\d{1,9}(ms|s|m)", "a duration of at most 1m; 0s for none")]


def _address(value: Any) -> str:
    text = _text(value)
    if ":" in text:
        raise ValueError(f"IPv6 addresses are not supported yet: {text[:80]!r}; use the IPv4 address or a name")
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        if re.fullmatch(FQDN, text) or re.fullmatch(_LABEL, text):
            return text
        raise ValueError(f"neither an IP address nor a host name: {text[:80]!r}") from None


Address = Annotated[str, PlainValidator(_address), WithJsonSchema({"type": "string", "description": "an IP or a name"})]


def _port(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 65535:
        raise ValueError(f"not a port: {value!r}; ports are whole numbers from 1 to 65535")
    return value


Port = Annotated[int, PlainValidator(_port), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 65535})]


def port_range(text: str) -> tuple[int, int]:
    """`49152-49215` or `22` as first and last port; raises ValueError."""
    match = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= 65535:
        raise ValueError(f"not a port range: {text[:40]!r}; write first-last, from 1 to 65535")
    return first, last


def _zone_port(value: Any) -> str:
    text = _text(value)
    ports, slash, protocol = text.partition("/")
    port_range(ports)
    if not slash or protocol not in ("tcp", "udp", "sctp", "dccp"):
        raise ValueError(f"not a port with its protocol: {text[:40]!r}; write 49152-49216/tcp")
    return text


PortRange = Annotated[
    tuple[int, int],
    PlainValidator(lambda value: port_range(_text(value))),
    _schema(r"\d{1,5}(-\d{1,5})?", "a port range such as 49152-49215"),
]
ZonePort = Annotated[
    str, PlainValidator(_zone_port), _schema(r"\d{1,5}(-\d{1,5})?/(tcp|udp|sctp|dccp)", "a port such as 8080/tcp")
]


Connections = Annotated[int, Field(ge=0, le=16, description="parallel connections of one copy; 0 is off")]


class Overcommit(Strict):
    """How many times over memory and CPUs may be given to VMs, such as 1.5; vCPUs are not counted unless declared."""

    memory: Annotated[float, Field(ge=0.1, le=10)] | None = None
    vcpus: Annotated[float, Field(ge=0.1, le=100)] | None = None

    def value(self, default: fleet.Overcommit) -> fleet.Overcommit:
        """In percent; what is left out is the default's."""
        memory = default.memory if self.memory is None else round(self.memory * 100)
        return fleet.Overcommit(memory, default.vcpus if self.vcpus is None else round(self.vcpus * 100))


class MatchLabels(Strict):
    """Hosts whose labels hold all of these."""

    match_labels: dict[str, str]


def _selector(value: Any) -> str:
    return "all" if isinstance(value, str) else "names" if isinstance(value, list) else "labels"


Hosts = Annotated[
    Annotated[Literal["all"], Tag("all")] | Annotated[list[Name], Tag("names")] | Annotated[MatchLabels, Tag("labels")],
    Discriminator(_selector),
]
