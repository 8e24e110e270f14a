"""Pages stay short, their links lead somewhere, their pictures are XML, and every YAML in them is a valid spec."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from reconciler.cli.app import app
from tests.docs.pages import DOCS, LENGTHS, ROOT, case_outputs, headings, links, name, pages, yaml_blocks

AROUND = {
    "Fleet": "metadata: {name: around}\nspec: {}",
    "Host": "metadata: {name: lq-d25, labels: {role: compute}}\nspec: {fqdn: lq-d25.vpd.com}",
    "Host ": "metadata: {name: lq-d26, labels: {role: compute}}\nspec: {fqdn: lq-d26.vpd.com}",
    "StoragePool": "metadata: {name: CONT_VOL_COMP}\nspec: {type: dir, target: /srv/comp, shared: true}",
}
DOMAIN = "<domain type='kvm'><name>web</name><memory>1</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>"
BLOCKS = [(page, block) for page in pages() for block in yaml_blocks(page)]


@pytest.mark.parametrize("page", pages(), ids=name)
def test_a_page_is_short(page: Path) -> None:
    assert len(page.read_text(encoding="utf-8").splitlines()) <= LENGTHS.get(name(page), 150)


@pytest.mark.parametrize("page", pages(), ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in links(page):
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{name(page)} links to {target}"
        if anchor and there.suffix == ".md":
            assert anchor in headings(there), f"{name(page)} links to {target}, which has no such heading"


@pytest.mark.parametrize("number", range(len(BLOCKS)), ids=lambda n: f"{name(BLOCKS[n][0])}-{n}")
def test_yaml_is_valid(number: int, tmp_path: Path) -> None:
    _, block = BLOCKS[number]
    (tmp_path / "example.yaml").write_text(block, encoding="utf-8")
    (tmp_path / "vms").mkdir()
    (tmp_path / "vms/web.xml").write_text(DOMAIN, encoding="utf-8")
    for place, (kind, text) in enumerate(AROUND.items()):
        if f"kind: {kind.strip()}\n" not in block:
            document = f"apiVersion: reconciler/v1alpha1\nkind: {kind.strip()}\n{text}\n"
            (tmp_path / f"around{place}.yaml").write_text(document, encoding="utf-8")
    result = CliRunner().invoke(app, ["validate", str(tmp_path)])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("page", [page for page in pages() if list(case_outputs(page))], ids=name)
def test_outputs_are_those_of_the_cases(page: Path) -> None:
    """Whole lines of the case's plan, in its order; lines may be left out."""
    for case, lines in case_outputs(page):
        said = iter((ROOT / "tests/cases" / case / "plan.txt").read_text(encoding="utf-8").splitlines())
        for line in lines:
            assert line in said, f"{name(page)}: {case} does not say {line!r} there"


def test_there_are_examples() -> None:
    assert len(BLOCKS) >= 10


@pytest.mark.parametrize("picture", sorted(DOCS.glob("pictures/*.svg")), ids=lambda path: path.name)
def test_pictures_are_drawings_with_a_description(picture: Path) -> None:
    root = ElementTree.fromstring(picture.read_text(encoding="utf-8"))  # noqa: S314
    assert root.tag.endswith("svg")
    assert root.find("{http://www.w3.org/2000/svg}title") is not None
    assert any(picture.name in page.read_text(encoding="utf-8") for page in pages()), "no page shows it"


def test_every_page_can_be_found() -> None:
    """From README.md, link by link."""
    seen, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        for target in links(page):
            there = (page.parent / target.partition("#")[0]).resolve()
            waiting += sorted(there.glob("*.md")) if there.is_dir() else [there] if there.suffix == ".md" else []
    assert {name(page) for page in pages()} <= {name(page) for page in seen}
