"""What every Signer keeps to: one line for the key it was given, on its terms; no authority, no certificate.

ssh-keygen on this machine, and the one in memory that the fleets of tests/fakes use.
"""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.signer import KeygenSigner, command
from reconciler.ports import NoSigner
from reconciler.readings import CertificateTerms
from tests.fakes.fleets import Fleet

TERMS = CertificateTerms("reconciler-lease:a1b2c3d4e5f6.web", 0xA1B2C3D4E5F6, "root", "10.0.0.1", "proxy system", 900)


def keygen(path: Path, kind: str = "ed25519") -> str:
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", str(path)], check=True)
    return Path(f"{path}.pub").read_text(encoding="ascii")


@pytest.fixture(params=["ssh-keygen", "memory"])
def signer(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Any, str]:
    if request.param == "memory":
        return Fleet().tools.signer, "~/authority"
    keygen(tmp_path / "authority")
    return KeygenSigner(), str(tmp_path / "authority")


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_a_certificate_is_one_line_of_the_keys_own_type(signer: tuple[Any, str], tmp_path: Path, kind: str) -> None:
    public = keygen(tmp_path / "key", kind)
    text = signer[0].sign(signer[1], public, TERMS)
    assert text.count("\n") == 1
    assert text.split()[0] == f"{public.split()[0]}-cert-v01@openssh.com"


def test_no_authority_no_certificate(signer: tuple[Any, str], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No such file"):
        signer[0].sign(str(tmp_path / "nothing"), keygen(tmp_path / "key"), TERMS)


def test_the_signer_of_passes_that_change_nothing_refuses_in_the_contracts_word() -> None:
    with pytest.raises(ValueError, match="signs nothing"):
        NoSigner().sign("~/authority", "ssh-ed25519 AAAA", TERMS)


def test_what_the_real_one_permits(tmp_path: Path) -> None:
    keygen(tmp_path / "authority")
    text = KeygenSigner().sign(str(tmp_path / "authority"), keygen(tmp_path / "key"), TERMS)
    (tmp_path / "shown.pub").write_text(text)
    words = ["ssh-keygen", "-L", "-f", str(tmp_path / "shown.pub")]
    shown = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    lines = [line.strip() for line in shown.splitlines()]
    assert 'Key ID: "reconciler-lease:a1b2c3d4e5f6.web"' in lines
    assert f"Serial: {0xA1B2C3D4E5F6}" in lines
    assert lines[lines.index("Principals:") + 1] == "root"
    options = lines[lines.index("Critical Options:") + 1 :]
    assert options[:3] == ["force-command proxy system", "source-address 10.0.0.1/32", "Extensions: (none)"]


def test_an_authority_with_a_passphrase_is_refused_and_nobody_asked(tmp_path: Path) -> None:
    path = tmp_path / "authority"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(path)], check=True)
    with pytest.raises(ValueError, match="passphrase"):
        KeygenSigner().sign(str(path), keygen(tmp_path / "key"), TERMS)


def test_the_fixed_command() -> None:
    assert " ".join(command("CA", "key.pub", TERMS)) == (
        "ssh-keygen -q -s CA -I reconciler-lease:a1b2c3d4e5f6.web -n root -V -60s:+900s -z 177789161760246"
        " -O clear -O source-address=10.0.0.1/32 -O force-command=proxy system key.pub"
    )
