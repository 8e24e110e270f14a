"""What is imported is what is there: the next plan is empty, over the fleet in memory and over random fleets."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.engine.adopt import Import, adopt
from reconciler.engine.load import load
from reconciler.engine.once import see, think, want
from reconciler.engine.yaml_text import write
from reconciler.kind import Draft
from reconciler.model.desired import View
from reconciler.model.fleet import Fleet as Hosts
from reconciler.model.snapshot import Snapshot
from reconciler.wiring import KINDS
from tests.fakes.fleets import Fleet, Text, settled
from tests.laws.fleets import fleet as random_fleet


def imported(fleet: Fleet, name: str = "") -> Import:
    return adopt(Hosts(hosts=fleet.wanted.fleet.hosts), KINDS, fleet.tools, name=name)


def specs(found: Import) -> Text:
    return Text("---\n".join(found.files.values()))


def test_a_fleet_of_ours_is_imported_with_its_mark() -> None:
    fleet = settled(web="lq-d25", db="lq-d26")
    found = imported(fleet)
    assert found.fleet == "vpd"
    assert found.plan.differences == ()
    assert set(found.files) == {
        "fleet.yaml", "hosts/lq-d25.yaml", "hosts/lq-d26.yaml", "firewalls/FedoraServer.yaml",
        "pools/CONT_VOL_COMP.yaml", "pools/default.yaml", "vms/web.yaml", "vms/db.yaml", "vms/mvp1.yaml",
    }  # fmt: skip
    wanted = want(specs(found), KINDS)
    assert think(wanted, see(wanted, KINDS, fleet.tools), KINDS).empty
    assert fleet.world.violations == []


def test_an_unmarked_vm_stays_unmarked_until_something_is_changed() -> None:
    fleet = settled()
    found = imported(fleet)
    assert "vms/mvp1.yaml" in found.files
    changed = specs(found).text.replace("autostart: false", "autostart: true")
    wanted = want(Text(changed), KINDS)
    plan = think(wanted, see(wanted, KINDS, fleet.tools), KINDS)
    assert {a.verb for a in plan.actions if a.place.name == "mvp1"} == {"adopt", "autostart"}


def test_an_imported_vm_that_is_gone_is_refused() -> None:
    fleet = settled(web="lq-d25")
    found = imported(fleet)
    wanted = want(specs(found), KINDS)
    seen = see(wanted, KINDS, fleet.tools)
    gone = seen.lacking(next(place for place, _ in seen.of("vm") if place.name == "web"))
    plan = think(wanted, gone, KINDS)
    assert plan.actions == ()
    assert [r.reason for r in plan.refusals] == ["is on no host, and the spec has no source to make it from"]


def test_a_vm_of_another_fleet_is_named_and_left_out() -> None:
    found = imported(settled(web="lq-d25"), name="other")
    assert "vms/web.yaml" not in found.files
    assert "vm/web@lq-d25: belongs to fleet 'vpd': not declared" in found.notes


def test_what_may_be_pruned_may_be_so_afterwards() -> None:
    fleet = settled(web="lq-d25")
    wanted = fleet.wanted
    seen = see(wanted, KINDS, fleet.tools)
    place = next(place for place, _ in seen.of("vm") if place.name == "web")
    seen = seen.changing(place, prune=True)
    text = _over(wanted.fleet, seen)
    assert text.count("prune: allowed") == 1
    assert not [d for d in think(want(Text(text), KINDS), seen, KINDS).differences if d.place.kind == "vm"]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_whatever_is_there_the_next_plan_leaves_it_alone(seed: int) -> None:
    """Over random worlds; what differs is only what no spec says: a host's own name, whom it can find, whom it had."""
    made = random_fleet(seed)
    seen = replace(made.seen, silences=(), objects={p: s for p, s in made.seen.objects.items() if p.kind != "lease"})
    hosts = {name: card for name, card in made.wanted.fleet.hosts.items() if name in {p.host for p in seen.objects}}
    found = _over(Hosts(name="laws", hosts=hosts), seen)
    wanted = want(Text(found), KINDS)
    plan = think(wanted, seen, KINDS)
    fields = {(d.place.kind, change.path.partition(".")[0]) for d in plan.differences for change in d.changes}
    unsaid = {("host", "fqdn"), ("host", "names"), ("host", "block"), ("pool", "mounted"), ("vm", "drained from")}
    assert fields <= unsaid, found
    assert not [r for r in plan.refusals if r.place.kind == "vm"]
    vms = [place.name for place, _ in seen.of("vm")]
    ours = [(place, vm) for place, vm in seen.of("vm") if vms.count(place.name) == 1 and vm.fleet in ("", "laws")]
    whole = {p for p, vm in ours if not (vm.making or vm.copying or vm.coming or vm.resume or vm.migrating)}
    assert {item.place for item in wanted.desired if item.place.kind == "vm"} == whole


def _over(fleet: Hosts, seen: Snapshot) -> str:
    drafts = [draft for kind in KINDS for draft in kind.adopt(View(fleet, (), seen, seen.taken)).drafts]
    return "".join(f"---\n{write(draft)}" for draft in drafts)


TEXTS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=20)


@given(TEXTS, st.lists(TEXTS, max_size=3), st.lists(TEXTS, max_size=2))
def test_what_is_written_is_read_back(text: str, labels: list[str], remarks: list[str]) -> None:
    """Texts that look like numbers, truths or YAML stay texts, and no remark becomes more than a comment."""
    spec = {"fqdn": "a.example.com", "connection": {"identityFile": text, "knownHostsFile": "".join(labels)}}
    draft = Draft("Host", "1e3", spec, tuple(remarks))
    loaded = load(Text(write(draft)), KINDS)
    if loaded.problems:
        assert all("character" in problem.message for problem in loaded.problems)
        return
    (document,) = loaded.documents
    assert document.name == "1e3"
    assert document.spec.connection.identity_file == text
    assert document.spec.connection.known_hosts_file == "".join(labels)
