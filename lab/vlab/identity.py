"""Keys of a lab: one login key for all hosts and guests, one SSH host key per host, and what pins them.

It must not leave a private key readable by others, nor inside the repository.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from vlab.base_image import flavour
from vlab.places import Places
from vlab.process import run
from vlab.topology import Host, Topology


def prepare(topology: Topology, places: Places) -> None:
    """Make the keys that are missing; the login key is kept in the state and handed out in the runtime folder."""
    _generate(places.kept_key, f"lab-{topology.name}")
    for suffix in ("", ".pub"):
        shutil.copy(str(places.kept_key) + suffix, str(places.key) + suffix)
    places.key.chmod(0o600)
    for host in topology.hosts:
        _generate(places.host(host.name).ssh_key, f"root@{host.fqdn}")


def public_key(places: Places) -> str:
    """The login key's public half."""
    return Path(str(places.kept_key) + ".pub").read_text().strip()


def host_key(places: Places, host: Host) -> str:
    """A host's public SSH key without the comment."""
    return " ".join(Path(str(places.host(host.name).ssh_key) + ".pub").read_text().split()[:2])


def publish(topology: Topology, places: Places, leaders: dict[str, int | None]) -> None:
    """Write known_hosts and topology.json for whoever works with the lab."""
    lines = [f"{name} {host_key(places, host)}\n" for host in topology.hosts for name in (host.address, host.fqdn)]
    places.known_hosts.write_text("".join(lines))
    facts = {
        "name": topology.name,
        "subnet": str(topology.subnet),
        "bridge": places.bridge,
        "identityFile": str(places.key),
        "knownHosts": str(places.known_hosts),
        "network": topology.network,
        "zone": topology.zone,
        "baseVm": {"name": topology.base.name, "host": topology.base.host},
        "pool": pool_spec(topology),
        "hosts": [
            {
                "name": host.name,
                "fqdn": host.fqdn,
                "address": host.address,
                "role": host.role,
                "hostkey": host_key(places, host),
                "leader": leaders.get(host.name),
            }
            for host in topology.hosts
        ],
    }
    fresh = places.facts.with_suffix(".new")
    fresh.write_text(json.dumps(facts, indent=2) + "\n")
    fresh.rename(places.facts)


def pool_spec(topology: Topology) -> dict[str, object]:
    """The shared pool of this lab as the spec of a StoragePool says it."""
    source: dict[str, object]
    if topology.machines == "emulated" or flavour() == "nfs":
        source = {"host": topology.storage.fqdn, "dir": f"/export/{topology.volume}", "format": "nfs"}
        source["protocolVersion"] = "4.2"
    else:
        source = {"host": topology.storage.fqdn, "dir": f"/{topology.volume}", "format": "glusterfs"}
    return {"name": topology.pool, "type": "netfs", "source": source, "target": topology.target}


def _generate(path: Path, comment: str) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path)
