"""A pool's own language: libvirt's pool XML read and written, and the command that asks what is mounted. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from lxml import etree

from reconciler.kind import Sight
from reconciler.kinds.pool.state import Definition, PoolState, VolumeState
from reconciler.model.desired import Desired
from reconciler.model.fleet import Fleet, HostCard
from reconciler.model.ref import Place
from reconciler.readings import PoolReading

MARK = ".reconciler-token-"
_MOUNTS = r"""for target; do T="$target" awk '$2 == ENVIRON["T"] { f = $3 " " $1 }
END { print ENVIRON["T"] " " f }' /proc/self/mounts; done"""  # never waits for a server that is slow or gone
_TOKENS = f"""f=$1; shift; timeout -s KILL 3 find "$@" -maxdepth 1 -type f -name "{MARK}$f.????????-*" 2>/dev/null
exit 0"""
_SPACE = 'for target; do timeout -s KILL 2 stat -f -c "%a %S %n" -- "$target" 2>/dev/null; done; exit 0'


def facts(host: HostCard, fleet: Fleet, desired: Sequence[Desired]) -> Mapping[str, Sequence[str]]:
    """What is mounted at the declared targets, their free space, this fleet's tokens in shared ones."""
    pools = [item.value for item in desired if item.place.kind == "pool"]
    targets = sorted({pool.definition.target for pool in pools})
    shared = sorted({pool.definition.target for pool in pools if pool.shared})
    asked = {"mounts": ["sh", "-c", _MOUNTS, "sh", *targets], "space": ["sh", "-c", _SPACE, "sh", *targets]}
    if shared:
        asked["tokens"] = ["sh", "-c", _TOKENS, "sh", fleet.name, *shared]
    return asked if targets else {}


def read(sight: Sight) -> Sequence[tuple[Place, Any]]:
    """Every pool of the host, declared or not."""
    reply = sight.replies.get("mounts")
    mounts = read_mounts(reply.out) if reply else {}
    told = sight.replies.get("space")
    space = read_space(told.out) if told else {}
    pools = sight.inventory.pools if sight.inventory else ()
    said = sight.replies.get("tokens")
    tokens = sorted(said.out.split()) if said else []
    return [(Place("pool", sight.host.name, pool.name), _state(pool, mounts, space, tokens)) for pool in pools]


def read_mounts(text: str) -> dict[str, tuple[str, str]]:
    """File system type and source by target; the last mount of a stack is the one that is seen."""
    lines = [[*line.split(" "), "", ""][:3] for line in text.splitlines()]
    return {target: (fstype, source.replace("\\040", " ")) for target, fstype, source in lines if fstype}


def read_space(text: str) -> dict[str, int]:
    """Free bytes by path: libvirt's own number is of its last look and stays as it was until somebody refreshes."""
    lines = [line.split(" ", 2) for line in text.splitlines()]
    return {words[2]: int(words[0]) * int(words[1]) for words in lines if len(words) == 3}


def _state(
    pool: PoolReading, mounts: Mapping[str, tuple[str, str]], space: Mapping[str, int], tokens: Sequence[str]
) -> PoolState:
    _, uuid, definition = read_pool(pool.xml)
    fstype, source = mounts.get(definition.target, ("", ""))
    volumes = [
        VolumeState(volume.name, volume.path, volume.capacity, volume.allocation)
        for volume in sorted(pool.volumes, key=lambda volume: volume.name)
        if not volume.name.startswith(MARK)
    ]
    return PoolState(
        uuid,
        definition,
        pool.active,
        pool.autostart,
        fstype,
        source,
        pool.capacity,
        pool.allocation,
        space.get(definition.target, pool.available) if pool.active else 0,
        tuple(volumes),
        tuple(path for path in tokens if path.rpartition("/")[0] == definition.target),
    )


def read_pool(xml: str) -> tuple[str, str, Definition]:
    """Name, UUID and definition; what libvirt fills in is passed over. Raises ValueError on what is no pool."""
    root = _parse(xml)
    definition = Definition(
        type=root.get("type", ""),
        target=_path(root.findtext("target/path", "")),
        host=_attribute(root, "source/host", "name"),
        dir=_path(_attribute(root, "source/dir", "path")),
        format=_attribute(root, "source/format", "type"),
        protocol=_attribute(root, "source/protocol", "ver"),
    )
    return root.findtext("name", ""), root.findtext("uuid", ""), definition


def _parse(xml: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=True)
    try:
        root = etree.fromstring(xml.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"a pool's definition is no XML: {error}") from None
    if root.tag != "pool":
        raise ValueError(f"a pool's definition begins with <{root.tag}>, not with <pool>")
    return root


def _attribute(root: etree._Element, path: str, name: str) -> str:
    element = root.find(path)
    return "" if element is None else element.get(name, "")


def _path(text: str) -> str:
    return text.rstrip("/") or text


def write_pool(name: str, uuid: str, definition: Definition) -> str:
    """The XML to define; an existing pool keeps its UUID, or libvirt takes it for another pool of the same name."""
    root = etree.Element("pool", type=definition.type)
    _child(root, "name", text=name)
    if uuid:
        _child(root, "uuid", text=uuid)
    if definition.host:
        source = _child(root, "source")
        _child(source, "host", name=definition.host)
        _child(source, "dir", path=definition.dir)
        _child(source, "format", type=definition.format)
        if definition.protocol:
            _child(source, "protocol", ver=definition.protocol)
    _child(_child(root, "target"), "path", text=definition.target)
    return etree.tostring(root, encoding="unicode", pretty_print=True)


def amend_pool(old: str, new: str) -> str:
    """The old XML with the new type, source and target path; what nobody declares (permissions, features) stays."""
    root, wanted = _parse(old), _parse(new)
    root.set("type", wanted.get("type", ""))
    for path in ("source/host", "source/dir", "source/format", "source/protocol", "target/path"):
        section, _, tag = path.partition("/")
        parent = root.find(section)
        parent = _child(root, section) if parent is None else parent
        for element in parent.findall(tag):
            parent.remove(element)
        found = wanted.find(path)
        if found is not None:
            parent.append(found)
    return etree.tostring(root, encoding="unicode", pretty_print=True)


def _child(parent: etree._Element, tag: str, text: str = "", **attributes: str) -> etree._Element:
    child = etree.SubElement(parent, tag, attributes)
    child.text = text or None
    return child
