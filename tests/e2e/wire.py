"""What goes over a host's NIC, listened to from inside its network: marks of unencrypted memory, and who spoke to whom.

Only listens, and hears to the end what came before it was asked. The marks are the head of QEMU's stream and words
that are in the memory of every Linux guest. A login may come from any port, from one that moves use as well: what has
22 at one end is SSH.
"""

import json
import subprocess
import sys

from tests.e2e.hosts import LabHost

_LISTEN = """
import json, select, socket, sys
PORTS, MARKS = range(49152, 49216), (b"QEVM", b"Linux version ")
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(0x0003))
sock.setsockopt(socket.SOL_SOCKET, 33, 256 * 2**20)
found, sizes, first = set(), {"data": 0, "ssh": 0}, ""
print("listening", flush=True)
asked = False
while True:
    ready = select.select([sock] if asked else [sock, sys.stdin], [], [], 0 if asked else None)[0]
    asked = asked or sys.stdin in ready
    if sock not in ready:
        if asked:
            break
        continue
    frame = sock.recv(2**17)
    if len(frame) < 54 or frame[12:14] != b"\\x08\\x00" or frame[23] != 6:
        continue
    tcp = 14 + (frame[14] & 15) * 4
    ends = {int.from_bytes(frame[tcp:tcp + 2], "big"), int.from_bytes(frame[tcp + 2:tcp + 4], "big")}
    payload = frame[tcp + (frame[tcp + 12] >> 4) * 4:]
    if ends.isdisjoint(PORTS) and 22 not in ends:
        continue
    what = "ssh" if 22 in ends else "data"
    sizes[what] += len(payload)
    if what == "data" and payload and not first and int.from_bytes(frame[tcp + 2:tcp + 4], "big") in PORTS:
        first = payload[:2].hex()
    found |= {mark.decode() for mark in MARKS if mark in payload}
print(json.dumps({"marks": sorted(found), "first": first, **sizes}))
"""


class Wire:
    """Listening on one host until `heard` is asked for: marks, payload bytes by kind, first two bytes of the data."""

    def __init__(self, host: LabHost) -> None:
        enter = ["nsenter", "-t", host.leader, "-n", "--", sys.executable, "-c", _LISTEN]
        self._process = subprocess.Popen(enter, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "listening\n"

    def heard(self) -> dict[str, object]:
        out, _ = self._process.communicate(input="stop\n", timeout=20)
        return dict(json.loads(out))
