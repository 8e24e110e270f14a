"""How the mount table names a pool's source, and whether what is mounted is what is declared. Pure.

Compares names only: it does not resolve hosts, so a server under another name is another server.
"""

import re

from reconciler.kinds.pool.state import Definition

FSTYPES = {"nfs": "nfs4", "glusterfs": "fuse.glusterfs", "cifs": "cifs"}
_SOURCE = re.compile(r"/*(\[[^\]]*\]|[^:/]*)[:/]+(.*)")


def source_of(definition: Definition) -> str:
    """What the mount table says of a pool once it is mounted, empty for a folder."""
    if not definition.host:
        return ""
    host = f"[{definition.host}]" if ":" in definition.host else definition.host
    return f"//{host}{definition.dir}" if definition.format == "cifs" else f"{host}:{definition.dir}"


def same_source(one: str, other: str) -> bool:
    """Slashes at the ends are written differently by mount, libvirt and people."""
    return _plain(one) == _plain(other)


def _plain(source: str) -> tuple[str, str]:
    match = _SOURCE.fullmatch(source)
    return (match[1].lower(), match[2].strip("/")) if match else (source, "")
