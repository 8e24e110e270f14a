"""Plans with hostile words in them, as Hypothesis strategies and by hand. Values only; nothing here plans anything."""

from dataclasses import dataclass
from typing import Any, ClassVar

from hypothesis import strategies as st

from reconciler.engine.once import Wanted
from reconciler.kinds.pool.state import Definition, PoolState
from reconciler.kinds.vm.state import DomainState
from reconciler.model.action import Action, Refusal
from reconciler.model.change import Change, Comparison, Difference
from reconciler.model.disruption import Disruption
from reconciler.model.fleet import Fleet, HostCard
from reconciler.model.plan import Held, Plan, Source
from reconciler.model.ref import Place
from reconciler.model.snapshot import Snapshot

HOSTILE = (
    "<script>alert(1)</script>",
    "</summary></details><h1>x",
    "<!-- -->",
    "--> <b>",
    "`code` ``` and ~~~",
    "| a | b |\n| - | - |",
    "# heading\n\n- list",
    "1. one",
    "@everyone and @org/team, #12, gh-12, !3, ~label, a@b.example.com",
    "https://evil.example/x www.evil.example [click](javascript:alert(1)) ![](http://e/x.png)",
    "**bold** __b__ *i* $x$ :tada:",
    "/close",
    "\x00\x07\x1b[31mred\x1b[0m\x85\u2028\u202egnp.exe\u200b\ufeff",
    "&lt;b&gt; &amp; &#60;",
    "\\| \\` \\<",
    "'\"><svg onload=alert(1)>",
    "name with    spaces ",
    "www. www.) (www.,",
    "",
    "\ud800",
    "x" * 5000,
    "wörter 語 🙂",
)
WORDS = st.one_of(
    st.sampled_from(HOSTILE), st.text(max_size=40), st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
)


@dataclass(frozen=True, kw_only=True)
class Said(Action):
    """An action that says whatever the test wants."""

    verb: ClassVar[str] = "say"
    said: str = ""
    number: int = 0

    @property
    def detail(self) -> str:
        return f":{self.number}"

    def explain(self) -> str:
        return self.said


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Any plan: up to forty actions and refusals on objects with any names."""
    places = st.builds(Place, st.sampled_from(["vm", "pool", "host", "lease"]), WORDS, WORDS)
    said = st.builds(
        Said,
        place=places,
        disruption=st.sampled_from(Disruption),
        reason=WORDS,
        said=WORDS,
        expected_bytes=st.integers(0, 2**45),
        number=st.integers(0, 10**6),
    )
    refused = st.builds(Refusal, places, WORDS, WORDS, WORDS, st.integers(0, 999), st.booleans())
    held = st.builds(
        Held, places, WORDS, WORDS, WORDS, st.sampled_from([0, 1_795_445_941]), st.sampled_from(Disruption)
    )
    changes = st.builds(Change, places, st.just("update"), WORDS, WORDS, st.one_of(WORDS, st.none(), st.booleans()))
    differences = st.builds(
        lambda place, each: Difference(Comparison(place, None, None), tuple(each)),
        places,
        st.lists(changes, max_size=4),
    )
    source = st.builds(Source, WORDS, WORDS, st.booleans())
    return draw(
        st.builds(
            Plan,
            WORDS,
            st.just(1_795_445_941),
            source,
            st.lists(differences, max_size=6).map(tuple),
            st.lists(said, max_size=40).map(tuple),
            st.lists(refused, max_size=20).map(tuple),
            st.just({}),
            st.lists(held, max_size=8).map(tuple),
        )
    )


@dataclass(frozen=True, kw_only=True)
class Carry(Action):
    """A VM goes from `origin` to its place."""

    verb: ClassVar[str] = "carry"
    origin: str

    def effect(self, snapshot: Snapshot) -> Snapshot:
        there = Place("vm", self.origin, self.place.name)
        return snapshot.lacking(there).having(self.place, snapshot.get(there))

    def explain(self) -> str:
        return f"move live {self.origin} -> {self.place.host}"


def big(hosts: int, vms: int, moves: int, name: str = "") -> tuple[Plan, Wanted, Snapshot]:
    """That many hosts with that many VMs on each and a pool; that many VMs go to another host."""
    names = [f"host-{number:03}" for number in range(hosts)]
    pool = PoolState("u", Definition("dir", "/srv"), True, True, capacity=2**40, available=2**39)
    objects: dict[Place, Any] = {Place("pool", host, "shared"): pool for host in names}
    for host in names:
        for number in range(vms):
            place = Place("vm", host, f"{name or 'vm'}-{host}-{number}")
            objects[place] = DomainState(str(place), "running", vcpus=2, memory=2**31)
    actions = [
        Carry(
            place=Place(
                "vm", names[(7 * number + 3) % hosts], f"{name or 'vm'}-{names[number % hosts]}-{number // hosts}"
            ),
            origin=names[number % hosts],
            disruption=Disruption.MOVE_LIVE,
            expected_bytes=2**31,
        )
        for number in range(moves)
    ]
    touch = [Said(place=Place("host", host, host), said="write the hosts block") for host in names]
    cards = {host: HostCard(host, f"{host}.example.com", "10.0.0.1") for host in names}
    plan = Plan("big", 1_795_445_941, actions=tuple(a for a in actions if a.origin != a.place.host) + tuple(touch))
    return plan, Wanted(Fleet("big", hosts=cards), ()), Snapshot(1, objects)
