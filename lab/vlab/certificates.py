"""Gives compute hosts certificates for QEMU's own TLS, from an authority of this lab; good ones, or broken on purpose.

It must not be part of the first state: `reset` takes all of it away again.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from vlab import nspawn
from vlab.errors import LabError
from vlab.places import Places
from vlab.process import run
from vlab.progress import step
from vlab.topology import Host, Topology

FOLDER = "/etc/pki/qemu"
STATES = ("on", "off", "expired", "foreign", "misnamed")
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
_INSTALL = f"""umask 027; mkdir -p {FOLDER}; chmod 755 /etc/pki {FOLDER}; cd {FOLDER}; cat >new
sed -n '/^authority/,/^end/p' new | sed '/^authority/d;/^end/d' >ca-cert.pem
for n in server client; do sed -n '/^certificate/,/^end/p' new | sed '/^certificate/d;/^end/d' >$n-cert.pem
sed -n '/^secret/,/^end/p' new | sed '/^secret/d;/^end/d' >$n-key.pem; chgrp libvirt-qemu $n-key.pem; done
rm new; chmod 644 *-cert.pem; chmod 640 *-key.pem"""


def put(topology: Topology, places: Places, state: str, names: list[str]) -> int:
    """On the named hosts, or all compute hosts: new certificates in that state, or none."""
    if topology.machines == "emulated":
        raise LabError("hosts with their own kernel get no certificates", "use the lab of containers")
    hosts = [topology.host(name) for name in names] or list(topology.compute)
    with step(f"certificates {state}: {', '.join(host.name for host in hosts)}"):
        for host in hosts:
            if state == "off":
                nspawn.inside(places.host(host.name), "rm", "-rf", FOLDER)
                continue
            nspawn.inside(places.host(host.name), "sh", "-eu", "-c", _INSTALL, stdin=_made(places, host, state))
    return 0


def _made(places: Places, host: Host, state: str) -> str:
    """The authority's certificate, the host's own and its key, as one text."""
    with tempfile.TemporaryDirectory(dir=places.run) as name:
        folder = Path(name)
        authority = _authority(folder / "foreign") if state == "foreign" else _authority(places.state / "migration-ca")
        called = f"elsewhere.{host.fqdn}" if state == "misnamed" else host.fqdn
        run("openssl", "req", *_KEY, "-keyout", folder / "key", "-subj", f"/CN={called}", "-out", folder / "request")
        (folder / "more").write_text(
            f"subjectAltName=DNS:{called}\nbasicConstraints=critical,CA:FALSE\n"
            "keyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n"
        )
        days = "-1" if state == "expired" else "30"
        made = run(
            *("openssl", "x509", "-req", "-in", folder / "request", "-days", days, "-extfile", folder / "more"),
            *("-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-set_serial", str(abs(hash(folder.name)))),
        ).out
        ca, key = Path(f"{authority}.pem").read_text(), (folder / "key").read_text()
    return f"authority\n{ca}end\ncertificate\n{made}end\nsecret\n{key}end\n"


def _authority(base: Path) -> Path:
    if not Path(f"{base}.key").exists():
        run(
            *("openssl", "req", "-x509", *_KEY, "-keyout", f"{base}.key", "-out", f"{base}.pem", "-days", "60"),
            *("-subj", "/CN=lab migration authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )
    return base
