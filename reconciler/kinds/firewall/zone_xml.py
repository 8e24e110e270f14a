"""A zone's XML file as firewalld writes it (or an administrator did), read safely.

Reads only: zones are changed by firewall-cmd, never by writing files.
"""

from lxml import etree

from reconciler.kinds.firewall.intervals import listed
from reconciler.kinds.firewall.rules import Part, is_lease_rule, write_rule
from reconciler.kinds.firewall.state import ZoneState


def read_zone(text: bytes) -> ZoneState:
    """The zone in one file; raises ValueError when it is no zone."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(text, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"a zone file is no XML: {error}") from None
    if root.tag != "zone":
        raise ValueError(f"a zone file begins with <{root.tag}>, not with <zone>")
    rules = {_rule(element) for element in root.iterfind("rule")}
    return ZoneState(
        interfaces=_names(root, "interface"),
        services=_names(root, "service"),
        ports=listed(f"{port.get('port', '')}/{port.get('protocol', '')}" for port in root.iterfind("port")),
        rich_rules=tuple(sorted(rule for rule in rules if not is_lease_rule(rule))),
        target=root.get("target", "default"),
    )


def _names(root: etree._Element, tag: str) -> tuple[str, ...]:
    return tuple(sorted({element.get("name", "") for element in root.iterfind(tag)}))


def _rule(element: etree._Element) -> str:
    """Canonical text; a rule with words we do not know is shown as its XML, so that nothing is hidden."""
    parts = [Part("rule", _attributes(element)), *(_part(child) for child in element)]
    try:
        return write_rule(parts)
    except ValueError:
        return " ".join(etree.tostring(element, encoding="unicode", with_tail=False).split())


def _part(element: etree._Element) -> Part:
    attributes = _attributes(element)
    inverted = attributes.pop("invert", "no").lower() in ("yes", "true")
    limit = element.find("limit")
    return Part(str(element.tag), attributes, inverted, {} if limit is None else _attributes(limit))


def _attributes(element: etree._Element) -> dict[str, str]:
    return {str(name): str(value) for name, value in element.attrib.items()}
