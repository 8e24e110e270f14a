"""How objects stand from pass to pass: over real plans of a fleet in memory, each look given the one before.

Nothing here is a host; what a host would say is changed in the fleet's world.
"""

from collections.abc import Mapping
from dataclasses import replace

from reconciler.engine.hold import hold
from reconciler.engine.once import see, think, want
from reconciler.engine.standing import standings, unhealed
from reconciler.model.outcome import Outcome
from reconciler.model.ref import Place
from reconciler.model.snapshot import Silence
from reconciler.model.standing import Standing
from reconciler.wiring import KINDS
from tests.fakes.fleets import Fleet, settled

Stood = Mapping[Place, Standing]


def _look(fleet: Fleet, before: Stood | None = None, now: int = 100, mode: str = "apply", silent: str = "") -> Stood:
    wanted = want(fleet.specs, KINDS)
    wanted = replace(wanted, fleet=replace(wanted.fleet, mode=mode))
    seen = see(wanted, KINDS, fleet.tools)
    if silent:
        gone = Silence(silent, ("host", "firewall", "pool", "vm", "lease"), "did not answer")
        kept = {place: state for place, state in seen.objects.items() if place.host != silent}
        seen = replace(seen, objects=kept, silences=(gone,))
    made = hold(think(wanted, seen, KINDS), wanted, now)
    return {s.place: s for s in standings(made, wanted, seen, before or {}, now)}


def _vm(stood: Stood) -> Standing:
    return next(s for place, s in stood.items() if place.kind == "vm")


def _drift(fleet: Fleet) -> None:
    """Somebody turns its autostart off by hand."""
    for host in fleet.world.hosts.values():
        for domain in host.domains.values():
            if domain.name == "web":
                domain.autostart = False


def test_all_is_in_sync() -> None:
    stood = _look(settled(web="lq-d25"))
    assert {standing.word for standing in stood.values()} == {"in-sync"}
    assert {place.kind for place in stood} == {"host", "pool", "firewall", "vm"}


def test_what_the_specs_ask_anew_is_pending_and_what_changed_by_itself_is_drifted() -> None:
    fleet = settled(web="lq-d25")
    first = _look(fleet)
    _drift(fleet)
    assert (_vm(_look(fleet)).word, _vm(_look(fleet)).fields) == ("pending", ("autostart",))
    drifted = _look(fleet, first, 200)
    assert (_vm(drifted).word, _vm(drifted).fields, _vm(drifted).since) == ("drifted", ("autostart",), 200)
    assert _vm(_look(fleet, drifted, 300)).since == 200
    fleet.placed["web"] = "lq-d26"
    moved = _look(fleet, drifted, 300)
    assert _vm(moved).word == "pending"
    assert "host" in _vm(moved).fields


def test_a_drift_that_comes_back_after_each_healing_is_a_fight() -> None:
    fleet = settled(web="lq-d25")
    stood = _look(fleet)
    healed = []
    for number in range(4):
        _drift(fleet)
        stood = _look(fleet, stood, number)
        healed.append((_vm(stood).healed, _vm(stood).fight))
    assert healed == [(0, False), (1, False), (2, False), (3, True)]
    fleet.apply()
    assert _vm(_look(fleet, stood, 9)).healed == 0


def test_a_drift_nobody_puts_right_is_no_fight() -> None:
    fleet = settled(web="lq-d25")
    stood = _look(fleet)
    _drift(fleet)
    for number in range(5):
        stood = _look(fleet, stood, number, mode="observe")
    assert (_vm(stood).word, _vm(stood).healed, _vm(stood).why) == ("drifted", 0, "the fleet's mode is observe")


def test_a_healing_that_failed_is_no_fight_and_says_why() -> None:
    fleet = settled(web="lq-d25")
    stood = _look(fleet)
    _drift(fleet)
    wanted = want(fleet.specs, KINDS)
    made = think(wanted, see(wanted, KINDS, fleet.tools), KINDS)
    outcomes = [Outcome(made.actions[0].id, "failed", "libvirt says no")]
    for number in range(5):
        stood = {s.place: s for s in unhealed(_look(fleet, stood, number).values(), made, outcomes)}
    assert (_vm(stood).word, _vm(stood).healed, _vm(stood).why) == ("drifted", 0, "libvirt says no")


def test_what_a_silent_host_has_is_unknown() -> None:
    stood = _look(settled(web="lq-d25"), silent="lq-d25")
    assert {place.host for place, s in stood.items() if s.word == "unknown"} == {"lq-d25"}
    assert _vm(stood).why == "lq-d25: did not answer"
    fleet = settled(web="lq-d25")
    fleet.placed["web"] = "lq-d26"
    assert _vm(_look(fleet, silent="lq-d25")).word == "unknown"


def test_a_refusal_comes_with_its_reason() -> None:
    fleet = settled(web="lq-d25")
    fleet.placed["other"] = "lq-d25"
    fleet.world.pass_time(1)
    stood = _look(fleet)
    other = next(s for place, s in stood.items() if place.name == "other")
    assert other.word in ("pending", "refused")
    assert other.fields == ("exists",)
    assert (other.why != "") == (other.word == "refused")
