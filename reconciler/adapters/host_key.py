"""The SSH host key a host shows, and whether known_hosts knows it; logs in nowhere and trusts nothing by itself."""

import os
import socket
from dataclasses import dataclass
from typing import Any

from reconciler.errors import Refused, Unreachable
from reconciler.model.fleet import Connection


@dataclass(frozen=True, slots=True)
class ShownKey:
    """`line` is `ssh-ed25519 AAAA...`, `fingerprint` as `ssh-keygen -l` prints it."""

    line: str
    fingerprint: str
    known: bool


def shown_key(address: str, said: Connection, timeout: float = 10.0) -> ShownKey:
    """The key of the type that is known, else the host's best; raises Refused when it is another than the known one."""
    import paramiko

    name = address if said.port == 22 else f"[{address}]:{said.port}"
    known = _known(paramiko, said, name)
    key = _shown(paramiko, address, said.port, list(known), timeout)
    line = f"{key.get_name()} {key.get_base64()}"
    if known and known.get(key.get_name()) != key:
        fix = f"somebody may be in between; if it was reinstalled, remove the old one: ssh-keygen -R {name}"
        raise Refused(address, f"its SSH host key is NOT the known one; it shows {key.fingerprint}", fix)
    return ShownKey(line, key.fingerprint, bool(known))


def _known(paramiko: Any, said: Connection, name: str) -> dict[str, Any]:
    path = os.path.expanduser(said.known_hosts_file or "~/.ssh/known_hosts")
    if not os.path.exists(path):
        return {}
    found = paramiko.HostKeys(path).lookup(name)
    return dict(found.items()) if found else {}


def _shown(paramiko: Any, address: str, port: int, types: list[str], timeout: float) -> Any:
    try:
        with socket.create_connection((address, port), timeout=timeout) as raw:
            transport = paramiko.Transport(raw)
            try:
                options = transport.get_security_options()
                wanted = [name for name in options.key_types if name in types or (name[:5] == "rsa-s" and _rsa(types))]
                options.key_types = wanted or options.key_types
                transport.banner_timeout = timeout
                transport.start_client(timeout=timeout)
                return transport.get_remote_server_key()
            finally:
                transport.close()
    except (OSError, paramiko.SSHException, EOFError) as error:
        reason = str(error) or type(error).__name__
        raise Unreachable(address, f"shows no SSH host key at port {port}: {reason}", "is it up?") from None


def _rsa(types: list[str]) -> bool:
    return "ssh-rsa" in types
