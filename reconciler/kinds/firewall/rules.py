"""firewalld's rich rules in one canonical text, whether they come from a user, from D-Bus or from zone XML.

Form only: it opens nothing, and does not ask whether a service or an ipset exists.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

LEASE_PRIORITY = "-24242"
_LEASE = f'rule priority="{LEASE_PRIORITY}"'

_ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "rule": ("priority", "family"),
    "source": ("address", "mac", "ipset"),
    "destination": ("address", "ipset"),
    "service": ("name",),
    "port": ("port", "protocol"),
    "protocol": ("value",),
    "icmp-block": ("name",),
    "icmp-type": ("name",),
    "masquerade": (),
    "forward-port": ("port", "protocol", "to-port", "to-addr"),
    "source-port": ("port", "protocol"),
    "tcp-mss-clamp": ("value",),
    "log": ("prefix", "level"),
    "nflog": ("group", "prefix", "queue-size"),
    "audit": (),
    "accept": (),
    "reject": ("type",),
    "drop": (),
    "mark": ("set",),
    "limit": ("value", "burst"),
}
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "service": ("name",),
    "port": ("port", "protocol"),
    "source-port": ("port", "protocol"),
    "protocol": ("value",),
    "icmp-block": ("name",),
    "icmp-type": ("name",),
    "forward-port": ("port", "protocol"),
    "mark": ("set",),
    "limit": ("value",),
}
_SLOTS = ("rule", "source", "destination", "element", "log", "audit", "action")
_SLOT: Mapping[str, str] = {
    "rule": "rule",
    "source": "source",
    "destination": "destination",
    "log": "log",
    "nflog": "log",
    "audit": "audit",
    "accept": "action",
    "reject": "action",
    "drop": "action",
    "mark": "action",
}
_LIMITED = ("log", "audit", "action")
_BARE = ("set", "burst")


@dataclass(frozen=True, slots=True)
class Part:
    """One element of a rule with its attributes; `limit` is the limit inside a log, audit or action."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    inverted: bool = False
    limit: Mapping[str, str] = field(default_factory=dict)

    @property
    def slot(self) -> str:
        """Its place in the order firewalld prints in."""
        return _SLOT.get(self.name, "element")


def canonical_rule(text: str) -> str:
    """The rule as firewalld itself prints it; raises ValueError with what is wrong for text that is no rich rule."""
    try:
        tokens = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"not a rich rule: {error}: {text[:80]!r}") from None
    if not tokens or tokens[0] != "rule":
        raise ValueError(f"not a rich rule, it must begin with 'rule': {text[:80]!r}")
    return write_rule(_parts(tokens))


def is_lease_rule(text: str) -> bool:
    """Is this canonical rule one of our own leases?"""
    return text.startswith(_LEASE)


def write_rule(parts: Sequence[Part]) -> str:
    """Parts as canonical text; raises ValueError when they make no rule firewalld would take."""
    by_slot: dict[str, Part] = {}
    for part in parts:
        if part.slot in by_slot:
            raise ValueError(f"not a rich rule: {part.name!r} beside {by_slot[part.slot].name!r}")
        by_slot[part.slot] = part
        _check_part(part)
    _check(by_slot)
    return " ".join(_text(by_slot[slot]) for slot in _SLOTS if slot in by_slot)


def _parts(tokens: Sequence[str]) -> list[Part]:
    """Words to parts: a name opens a part, `name=value` belongs to the open one, a limit to the part before it."""
    parts: list[Part] = []
    inside = ""
    attributes: dict[str, str] = {}
    for word in tokens:
        key, equals, value = word.partition("=")
        if equals:
            if inside in ("source", "destination") and key == "invert":
                parts[-1] = Part(inside, attributes, value.lower() in ("yes", "true"))
            elif key in attributes or key not in _ATTRIBUTES[inside]:
                raise ValueError(f"not a rich rule: {key!r} does not belong there, after {inside!r}")
            else:
                attributes[key] = value
        elif word in ("not", "NOT") and inside in ("source", "destination"):
            parts[-1] = Part(inside, attributes, inverted=True)
        elif word == "limit" and parts and parts[-1].slot in _LIMITED and not parts[-1].limit:
            inside, attributes = word, {}
            parts[-1] = Part(parts[-1].name, parts[-1].attributes, limit=attributes)
        elif word in _ATTRIBUTES and word != "limit":
            inside, attributes = word, {}
            parts.append(Part(word, attributes))
        else:
            raise ValueError(f"not a rich rule: {word[:40]!r} is no word of firewalld's rule language there")
    return parts


def _check_part(part: Part) -> None:
    known = _ATTRIBUTES.get(part.name)
    if known is None:
        raise ValueError(f"not a rich rule: unknown element {part.name!r}")
    for name, value in (*part.attributes.items(), *part.limit.items()):
        if not value or '"' in value or "=" in value or not value.isprintable():
            raise ValueError(f"not a rich rule: {name} has the value {value[:40]!r}")
    lacking = [name for name in _REQUIRED.get(part.name, ()) if name not in part.attributes]
    if lacking or part.attributes.keys() - set(known):
        raise ValueError(f"not a rich rule: {part.name!r} needs {' and '.join(_REQUIRED.get(part.name, known))}")
    if part.slot in ("source", "destination") and len(part.attributes) != 1:
        raise ValueError(f"not a rich rule: {part.name!r} needs exactly one of {', '.join(known)}")


def _check(by_slot: Mapping[str, Part]) -> None:
    """firewalld's own conditions, so that a mistake shows in `validate` and not on a host."""
    rule = by_slot.get("rule", Part("rule")).attributes
    family, priority = rule.get("family", ""), rule.get("priority", "0")
    if family not in ("", "ipv4", "ipv6"):
        raise ValueError(f"not a rich rule: family {family!r}; write ipv4 or ipv6")
    if not re.fullmatch(r"-?\d{1,5}", priority) or not -32768 <= int(priority) <= 32767:
        raise ValueError(f"not a rich rule: priority {priority!r}; write a whole number from -32768 to 32767")
    addressed = any("address" in by_slot[slot].attributes for slot in ("source", "destination") if slot in by_slot)
    if addressed and not family:
        raise ValueError('not a rich rule: an address needs family="ipv4" or family="ipv6" after \'rule\'')
    if not by_slot.keys() & {"element", "source", "destination"} and int(priority) == 0:
        raise ValueError("not a rich rule: it names no source, destination or element, and has no priority")
    acts = by_slot.get("element", Part("")).name in ("icmp-block", "forward-port", "masquerade", "tcp-mss-clamp")
    if not acts and not by_slot.keys() & {"log", "audit", "action"}:
        raise ValueError("not a rich rule: it neither accepts, rejects, drops, marks, logs nor audits")


def _text(part: Part) -> str:
    words = [part.name, *(["NOT"] if part.inverted else [])]
    attributes = dict(part.attributes)
    if part.name == "rule" and "priority" in attributes:
        attributes["priority"] = str(int(attributes["priority"]))
        if attributes["priority"] == "0":
            del attributes["priority"]
    words += _pairs(part.name, attributes)
    if part.limit:
        words += ["limit", *_pairs("limit", {**part.limit, "value": _rate(part.limit.get("value", ""))})]
    return " ".join(words)


def _pairs(name: str, attributes: Mapping[str, str]) -> list[str]:
    """`key="value"` in firewalld's order; two of its attributes are printed bare."""
    present = [key for key in _ATTRIBUTES[name] if key in attributes]
    return [f"{key}={attributes[key]}" if key in _BARE else f'{key}="{attributes[key]}"' for key in present]


def _rate(value: str) -> str:
    """`3/minute` as `3/m`."""
    match = re.fullmatch(r"([1-9]\d{0,8})/(s|second|m|minute|h|hour|d|day)", value)
    if not match:
        raise ValueError(f"not a rich rule: limit {value[:40]!r}; write a number per second, minute, hour or day: 3/m")
    return f"{match[1]}/{match[2][0]}"
