"""Memory on the wire: in the clear where that is declared, in a tunnel without certificates, by TLS with them."""

from tests.e2e.hosts import LabHost, lab
from tests.e2e.test_crashes import VM
from tests.e2e.user import User
from tests.e2e.wire import Wire

CLEAR = ["Linux version ", "QEVM"]
DROPPING = """add table inet reconciler_lab
add chain inet reconciler_lab in {{ type filter hook input priority -300; }}
add rule inet reconciler_lab in ip saddr {peer} tcp dport {{ 22, 49152 }} drop
"""


def _moved(user: User, d26: LabHost, here: str, there: str) -> tuple[str, dict[str, object]]:
    user.edit("vms.yaml", f"placement: {{host: {here}}}", f"placement: {{host: {there}}}")
    wire = Wire(d26)
    try:
        said = user.apply()
    finally:
        heard = wire.heard()
    user.in_sync()
    return said.text, heard


def test_memory_is_seen_on_the_wire_only_where_that_is_declared(running: User, d25: LabHost, d26: LabHost) -> None:
    running.unencrypted()
    said, heard = _moved(running, d26, "lq-d25", "lq-d26")
    assert "(NOT ENCRYPTED)" in said
    assert heard["marks"] == CLEAR, "the listener hears what is in the clear"
    assert int(str(heard["data"])) > 50 * 2**20

    running.edit("fleet.yaml", "encrypt: off", "encrypt: required")
    said, heard = _moved(running, d26, "lq-d26", "lq-d25")
    assert "(tunnelled)" in said
    assert "open 49152" not in said
    assert (heard["marks"], heard["data"]) == ([], 0), "nothing but SSH, and that tells nothing"
    assert int(str(heard["ssh"])) > 50 * 2**20

    lab("certificates", "on")
    said, heard = _moved(running, d26, "lq-d25", "lq-d26")
    assert "(TLS)" in said
    assert (heard["marks"], heard["first"]) == ([], "1603"), "a TLS handshake, then nothing readable"
    assert int(str(heard["data"])) > 50 * 2**20
    assert d26.domains()[VM] == "running"
    assert VM not in d25.domains()


def test_certificates_that_do_not_hold_are_named_and_not_used(running: User, d25: LabHost, d26: LabHost) -> None:
    lab("certificates", "on")
    running.edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    for state, why in (
        ("expired", "a certificate of lq-d26 expired on"),
        ("foreign", "lq-d25 and lq-d26 trust different authorities"),
        ("misnamed", f"the certificate of lq-d26 is neither for {d26.address} nor for lq-d26.vpd.com"),
        ("off", "lq-d26 has no /etc/pki/qemu/ca-cert.pem"),
    ):
        lab("certificates", state, "lq-d26")
        said = running.run("explain", f"vm/{VM}", str(running.folder))
        assert "move live lq-d25 -> lq-d26 (tunnelled)" in said.out, said.text
        assert why in said.out, said.text
    assert "no certificates" in running.run("doctor", str(running.folder)).out
    d26.do("nft", "-f", "-", stdin=DROPPING.format(peer=d25.address))
    told = running.run("explain", f"vm/{VM}", str(running.folder)).out
    lab("heal")
    assert f"not live: lq-d25 does not reach sshd of lq-d26 at {d26.address}:22: no answer" in told
    assert f"? lq-d25 gets no answer from {d26.address}, port 49152" in told

    lab("certificates", "on", "lq-d26")
    process = running.start("apply", str(running.folder), "--yes", RECONCILER_FAILPOINT="move.ready=sleep:5")
    d25.sh("until ls /run/reconciler/leases/*/key 2>/dev/null; do sleep 0.2; done")
    lab("certificates", "foreign", "lq-d26")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1, out + err
    assert "the move failed" in err
    assert "it still runs on lq-d25" in err
    assert d25.domains()[VM] == "running"
    assert VM not in d26.domains()
