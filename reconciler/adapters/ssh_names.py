"""What a person types to reach a host, `user@address` or a name in ~/.ssh/config, as what specs can say.

OpenSSH itself is asked (`ssh -G`), with fixed arguments; nothing is connected to.
"""

import os
import re
import subprocess

from reconciler.errors import PlanError
from reconciler.model.fleet import Connection

_PLAIN = r"[A-Za-z0-9][A-Za-z0-9._-]*"


def read_target(target: str, config: str = "") -> tuple[str, Connection]:
    """Address and login of a target; raises PlanError for what no spec can say. `config` is another ssh config file."""
    user, at, host = target.rpartition("@")
    if not re.fullmatch(_PLAIN, host) or (at and not re.fullmatch(r"[a-z_][a-z0-9_-]*", user)):
        raise PlanError(f"not a host to import: {target[:80]!r}", "write user@address, or a name of ~/.ssh/config")
    said = _ask(target, config)
    if said.get("proxyjump", ["none"]) != ["none"] or said.get("proxycommand", ["none"]) != ["none"]:
        fix = "import it from a machine that reaches it directly"
        raise PlanError(f"{target} is reached through another host, which specs cannot say", fix)
    keys = [path for path in said.get("identityfile", ()) if os.path.exists(os.path.expanduser(path))]
    own = [path for path in keys if not os.path.expanduser(path).startswith(os.path.expanduser("~/.ssh/id_"))]
    known = said.get("userknownhostsfile", [""])[0].split(" ")[0]
    return said.get("hostname", [host])[0], Connection(
        user=user or _user(target, config),
        port=int(said.get("port", ["22"])[0]),
        identity_file=own[0] if own else "",
        known_hosts_file="" if known.endswith("/.ssh/known_hosts") else known,
    )


def _user(target: str, config: str) -> str:
    """root, unless somebody wrote another user into the configuration: ssh's own default is who runs it."""
    said = _ask(target, config)["user"][0]
    return "root" if said == _ask("a.host.nobody.configures.invalid", config)["user"][0] else said


def _ask(target: str, config: str) -> dict[str, list[str]]:
    words = ["ssh", *(["-F", config] if config else []), "-G", "--", target]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=10, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PlanError(f"cannot ask ssh what {target} is: {error}", "is OpenSSH installed?") from None
    if done.returncode:
        raise PlanError(f"cannot ask ssh what {target} is: {done.stderr.strip()[:200]}", "is OpenSSH installed?")
    said: dict[str, list[str]] = {}
    for key, _, value in (line.partition(" ") for line in done.stdout.splitlines()):
        said.setdefault(key, []).append(value)
    return said
