"""What kustomize built is accepted by every command, on standard input too. `built.yaml` are its own outputs.

Made from the folders beside them by kustomize's library (PyPI pykustomize 0.1.4); `plain` adds namespace, labels,
annotations and a patch, `prefixed` a name prefix and suffix with packaging/kustomize/names.yaml.
"""

import json
import re
from pathlib import Path

import pytest

from reconciler.engine.load import load
from reconciler.wiring import KINDS
from tests.fakes.fleets import Fleet, Text
from tests.unit.commands.conftest import Run, fleet, run

__all__ = ["fleet", "run"]
HERE = Path(__file__).parent
LIST = "apiVersion: v1\nkind: List\nitems:\n"
COMMANDS = {
    "validate": ("validate", "-"),
    "plan": ("plan", "-", "--detailed-exitcode"),
    "apply": ("apply", "-", "--yes"),
    "status": ("status", "-"),
    "explain": ("explain", "vm/web", "-"),
    "doctor": ("doctor", "-"),
    "leases": ("leases", "list", "-"),
    "revoke": ("leases", "revoke", "-"),
    "snapshot": ("snapshot", "-"),
    "unlock": ("unlock", "20260101T000000Z-abcdef", "-"),
}


def as_list(text: str) -> str:
    """The same documents as the items of a List."""
    documents = [part for part in text.split("---\n") if part.strip()]
    return LIST + "".join("- " + part.replace("\n", "\n  ").rstrip() + "\n" for part in documents)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("form", ["stream", "list"])
def test_every_command_reads_standard_input(run: Run, fleet: Fleet, command: str, form: str) -> None:
    text = fleet.specs.text if form == "stream" else as_list(fleet.specs.text)
    said = run(*COMMANDS[command], input=text)
    folder = run(*[word if word != "-" else "specs" for word in COMMANDS[command]])
    assert said.exit_code == folder.exit_code, said.output
    assert "error" not in said.stderr
    if command not in ("snapshot", "revoke", "unlock"):
        assert _placeless(said.stdout.replace("specs -", "specs specs")) == _placeless(folder.stdout)


def _placeless(text: str) -> str:
    """Without the file and line of where something is declared."""
    return re.sub(r"\((<stdin>|specs/fleet.yaml):\d+\)", "(here)", text)


@pytest.mark.parametrize(("form", "named"), [("markdown", "plan: vpd -->"), ("html", "No plan for fleet vpd")])
def test_mistakes_on_standard_input_name_the_fleet_too(run: Run, form: str, named: str) -> None:
    text = "apiVersion: reconciler/v1alpha1\nkind: Fleet\nmetadata: {name: vpd}\nspec: {bogus: 1}\n"
    said = run("plan", "-", "-o", form, input=text)
    assert said.exit_code == 1
    assert named in said.stdout, "the comment under a pull request is found again by this name"


def test_edit_says_why_it_does_not(run: Run, fleet: Fleet) -> None:
    said = run("edit", "vm", "web", "-", "--host", "lq-d26", input=fleet.specs.text)
    assert said.exit_code == 1
    assert "standard input cannot be edited in place" in said.stderr


def test_a_build_means_what_its_parts_mean(run: Run) -> None:
    built = (HERE / "plain/built.yaml").read_text()
    said = run("validate", "-", "-o", "json", input=built)
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["documents"] == 6
    parts = load(Text("---\n".join((HERE / f"base/{name}.yaml").read_text() for name in ("fleet", "vms"))), KINDS)
    specs = {(d.kind, d.name): d.spec for d in parts.documents}
    found = {(d.kind, d.name): d.spec for d in load(Text(built), KINDS).documents}
    assert found.keys() == specs.keys()
    moved = found.pop(("VirtualMachine", "mvp4_lqd25"))
    assert moved.placement.host == "lq-d26"
    assert all(found[key] == specs[key] for key in found)
    labels = next(d.labels for d in load(Text(built), KINDS).documents if d.name == "lq-d25")
    assert labels["role"] == "compute"
    assert labels["app.kubernetes.io/part-of"] == "office"


def test_references_follow_a_prefix(run: Run) -> None:
    said = run("validate", "-", input=(HERE / "prefixed/built.yaml").read_text())
    assert said.exit_code == 0, said.output
    shipped = HERE.parents[2] / "packaging/kustomize/names.yaml"
    assert (HERE / "prefixed/names.yaml").read_text() == shipped.read_text()


def test_mistakes_in_a_list_have_their_line(run: Run) -> None:
    text = f"{LIST}- apiVersion: reconciler/v1alpha1\n  kind: Host\n  metadata: {{name: a}}\n  spec:\n    fqdn: 7\n"
    said = run("validate", "-", input=text)
    assert said.exit_code == 1
    assert "<stdin>:8: spec.fqdn" in said.stderr


VM = "apiVersion: reconciler/v1alpha1\nkind: VirtualMachine\nmetadata: {name: web}\nspec: {placement: {host: lq-d25}, "


def test_domain_xml_is_looked_for_in_the_current_folder(run: Run, fleet: Fleet, tmp_path: Path) -> None:
    text = f"{VM}source: {{domainXML: vms/web.xml}}}}\n"
    fleet.placed.clear()
    text = f"{fleet.specs.text}---\n{text}"
    said = run("validate", "-", input=text)
    assert f"<stdin>:{text.count(chr(10))}: vms/web.xml: no such file below {tmp_path}" in said.stderr
    (tmp_path / "vms").mkdir()
    xml = "<domain type='kvm'><name>web</name><memory>1</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>"
    (tmp_path / "vms/web.xml").write_text(xml)
    assert run("validate", "-", input=text).exit_code == 0
    outside = run("validate", "-", input=text.replace("vms/web.xml", "../web.xml"))
    assert "must lie inside" in outside.stderr
