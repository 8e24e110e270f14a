"""The laws on thousands of random fleets: properties of every plan, never of one.

Fleets come from a seed, so a failure names the number that shows it: `fleet(SEED)`.
"""

import json
import re
from collections import Counter
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.engine import planfile
from reconciler.engine.codec import dump_snapshot, read_snapshot
from reconciler.engine.once import think
from reconciler.kinds.lease.actions import ClosePort, GrantAccess, OpenPort, RevokeAccess
from reconciler.kinds.vm.actions import (
    CloneDomain,
    DefineDomain,
    FollowMove,
    MoveLive,
    ResumeDomain,
    SetResources,
    StartDomain,
    StopDomain,
)
from reconciler.kinds.vm.home_action import NoteHome
from reconciler.kinds.vm.offline_actions import DropArrival, FinishArrival, MoveOffline, ShutToMove
from reconciler.model.disruption import Disruption
from reconciler.model.fleet import Fleet
from reconciler.model.plan import Plan
from reconciler.model.ref import Place, Ref
from reconciler.model.snapshot import Snapshot
from reconciler.wiring import KINDS
from tests.laws.fleets import Made, fleet

SEEDS = st.integers(0, 2**32)
LAW = settings(max_examples=60, deadline=None)


@cache
def planned(seed: int) -> tuple[Made, Plan]:
    made = fleet(seed)
    return made, think(made.wanted, made.seen, KINDS)


def carried_out(plan: Plan, seen: Snapshot) -> Snapshot:
    """The fleet after all of it ended well."""
    for action in plan.actions:
        seen = action.effect(seen)
    return seen


@LAW
@given(SEEDS)
def test_effects_are_true(seed: int) -> None:
    made, plan = planned(seed)
    after = carried_out(plan, made.seen)
    again = think(made.wanted, after, KINDS)
    refused = {r.place.ref for r in plan.refusals} | _later(made, plan)
    assert {d.place.ref for d in again.differences} <= refused, "left to do, and was not refused"
    assert {r.place.ref for r in again.refusals} <= refused


def _later(made: Made, plan: Plan) -> set[Ref]:
    """What may be placed anew: said in the plan; or of a policy, when not all was as the plan took it to be.

    That is so where a VM was refused, was in the middle of something, or gets another size.
    """
    vms = {item.place.ref: item.value for item in made.wanted.desired if item.place.kind == "vm"}
    begun = any(state.migrating or state.coming or state.making for _, state in made.seen.of("vm"))
    resized = any(isinstance(action, SetResources) for action in plan.actions)
    if begun or resized or any(refusal.place.kind == "vm" for refusal in plan.refusals):
        return {ref for ref, want in vms.items() if want.policy}
    return {Ref("vm", name) for name in plan.forecast.later}


@LAW
@given(SEEDS)
def test_the_same_world_gives_the_same_plan(seed: int) -> None:
    made, plan = planned(seed)
    saved = read_snapshot(json.loads(json.dumps(dump_snapshot(made.seen))), KINDS)
    again = fleet(seed)
    assert again.text == made.text
    assert planfile.as_data(think(again.wanted, saved, KINDS)) == planfile.as_data(plan)


@LAW
@given(SEEDS)
def test_undeclared_vms_are_not_touched(seed: int) -> None:
    made, plan = planned(seed)
    untouchable = made.undeclared | {"base"}
    assert [a.id for a in plan.actions if a.place.kind == "vm" and a.place.name in untouchable] == []
    assert not any(isinstance(a, MoveLive) and a.place.name in untouchable for a in plan.actions)


@LAW
@example(632335806)
@given(SEEDS)
def test_no_vm_gets_a_second_owner(seed: int) -> None:
    """Created only where nobody has it, started only where it is, moved only from the one host it runs on."""
    made, plan = planned(seed)
    silent = {s.host for s in made.seen.silences if "vm" in s.kinds}
    for action in plan.actions:
        seen = {p.host: s for p, s in made.seen.of("vm") if p.name == action.place.name}
        match action:
            case CloneDomain(again=True):
                assert set(seen) == {action.place.host}
                assert seen[action.place.host].making
                assert not silent
            case CloneDomain() | DefineDomain(disruption=Disruption.NONE):
                assert seen == {}
                assert not silent
            case StartDomain():
                gone = {
                    a.origin for a in plan.actions if isinstance(a, MoveOffline | DropArrival) and a.id in action.needs
                }
                dropped = {a.place.host for a in plan.actions if isinstance(a, DropArrival) and a.uuid == action.uuid}
                assert set(seen) <= {action.place.host, *gone, *dropped}
                assert not silent
            case ResumeDomain():
                undone = {a.place.host for a in plan.actions if isinstance(a, DropArrival) and a.id in action.needs}
                assert set(seen) - undone == {action.place.host}
                assert (seen[action.place.host].power, seen[action.place.host].reason) == ("paused", "migrating")
                assert not silent
            case MoveOffline():
                stops = {a.id for a in plan.actions if isinstance(a, StopDomain | ShutToMove)}
                source, others = seen[action.origin], set(seen) - {action.origin}
                assert source.power == "stopped" or stops & set(action.needs)
                assert {h for h in others if (seen[h].coming, seen[h].power) != (action.origin, "stopped")} == set()
                assert not silent
            case FinishArrival():
                assert set(seen) == {action.place.host}
                assert seen[action.place.host].coming == action.origin
                assert action.origin not in silent
            case DropArrival():
                arrived, source = seen[action.place.host], seen[action.origin]
                assert (arrived.coming, arrived.power, arrived.uuid) == (action.origin, "stopped", source.uuid)
                assert len(seen) == 2
            case MoveLive():
                dropped = {a.place.host for a in plan.actions if isinstance(a, DropArrival) and a.uuid == action.uuid}
                assert set(seen) - dropped == {action.origin}
                resumed = {a.id for a in plan.actions if isinstance(a, ResumeDomain) and a.uuid == action.uuid}
                assert seen[action.origin].power == "running" or resumed & set(action.needs)
                assert not silent & {action.origin, action.place.host}


@LAW
@given(SEEDS)
def test_nothing_is_shut_down_that_is_not_moved_and_started_again(seed: int) -> None:
    _, plan = planned(seed)
    for stop in (a for a in plan.actions if isinstance(a, ShutToMove)):
        (move,) = [a for a in plan.actions if isinstance(a, MoveOffline) and stop.id in a.needs]
        (start,) = [a for a in plan.actions if isinstance(a, StartDomain) and move.id in a.needs]
        assert stop.disruption is Disruption.MOVE_COLD
        assert (stop.destination, stop.place.host) == (start.place.host, move.origin)
        proofs = {a.id for a in plan.actions if a.verb == "prove-shared"}
        assert not stop.pools or proofs & set(stop.needs), "shut down before its storage was proven"


@LAW
@given(SEEDS)
def test_who_is_drained_comes_home_or_the_plan_says_why_not(seed: int) -> None:
    """A host is drained, and is given back: VMs of a policy are noted when they leave, and none is forgotten."""
    made = fleet(seed)
    host = sorted(made.wanted.fleet.hosts)[seed % len(made.wanted.fleet.hosts)]
    during, after = (replace(made.wanted, fleet=_maintained(made.wanted.fleet, name)) for name in (host, ""))
    seen = carried_out(think(during, made.seen, KINDS), made.seen)
    back = think(after, seen, KINDS)
    ended = carried_out(back, seen)
    told = {r.place.name for r in back.refusals} | {name for name, _ in back.forecast.away} | set(back.forecast.later)
    ruled = {item.place.name for item in after.desired if item.place.kind == "vm" and item.value.policy}
    for name in {place.name for place, state in seen.of("vm") if state.home == host} & ruled - told:
        assert [(place.host, state.home) for place, state in ended.named("vm", name)] == [(host, "")]


def _maintained(fleet: Fleet, name: str) -> Fleet:
    return replace(fleet, hosts={host: replace(card, maintenance=host == name) for host, card in fleet.hosts.items()})


@LAW
@given(SEEDS)
def test_nobody_is_moved_to_let_another_go_home(seed: int) -> None:
    made, plan = planned(seed)
    drained = {place: state for place, state in made.seen.of("vm") if state.home}
    stayed = {place: replace(state, home="") for place, state in drained.items()}
    without = think(made.wanted, replace(made.seen, objects={**made.seen.objects, **stayed}), KINDS)
    assert _moving(plan) - _moving(without) <= {place.name for place in drained}


def _moving(plan: Plan) -> set[str]:
    return {action.place.name for action in plan.actions if action.place.kind == "vm" and action.between}


@LAW
@given(SEEDS)
def test_no_two_vms_share_an_identity_after_the_plan(seed: int) -> None:
    made, plan = planned(seed)
    for action in plan.actions:
        if isinstance(action, CloneDomain):
            others = [s for p, s in made.seen.of("vm") if p.name != action.place.name]
            assert action.uuid not in {s.uuid for s in others}
            assert not {n.mac for n in action.nics} & {n.mac for s in others for n in s.nics}
            assert not {d.path for d in action.disks} & {d.path for s in others for d in s.disks}


@LAW
@given(SEEDS)
def test_what_is_opened_is_closed_whatever_happens(seed: int) -> None:
    """Each grant and each open port has its end, which waits for the move and needs nothing of it."""
    _, plan = planned(seed)
    moves = {a.passage.lease: a for a in plan.actions if isinstance(a, MoveLive) and a.passage}
    for action in plan.actions:
        if not isinstance(action, GrantAccess | OpenPort):
            continue
        move = moves[action.way.lease]
        assert action.id in move.needs
        wanted = RevokeAccess if isinstance(action, GrantAccess) else ClosePort
        ends = [a for a in plan.actions if isinstance(a, wanted) and a.place == action.place]
        (end,) = [a for a in ends if getattr(a, "port", 0) == getattr(action, "port", 0)]
        assert (end.needs, end.after) == ((), (move.id,))
        assert end.closes
        assert plan.actions.index(action) < plan.actions.index(move) < plan.actions.index(end)


@LAW
@given(SEEDS)
def test_what_is_being_migrated_is_followed_or_left_alone(seed: int) -> None:
    """Nothing is done to it before its follower, and no piece of its lease is taken away while it runs."""
    made, plan = planned(seed)
    for migration in made.seen.migrations:
        mine = [a for a in plan.actions if a.place.kind == "vm" and a.place.name == migration.domain]
        followers = [a for a in mine if isinstance(a, FollowMove)]
        assert len(followers) <= 1
        assert all(a is followers[0] or followers[0].id in a.needs for a in mine)
        for action in plan.actions:
            if isinstance(action, RevokeAccess) and action.domain == migration.domain:
                assert followers
                assert followers[0].id in action.after
                assert action.during == (migration,)


@LAW
@given(SEEDS)
def test_no_two_moves_share_a_port(seed: int) -> None:
    made, plan = planned(seed)
    ways = [a.passage for a in plan.actions if isinstance(a, MoveLive) and a.passage]
    assert all(bool(way.port) != (way.channel == "tunnel") for way in ways)
    ports = [(way.destination, way.port) for way in ways if way.port]
    assert len(ports) == len(set(ports))
    for way in ways:
        gate = made.seen.get(next(p for p, _ in made.seen.of("gate") if p.host == way.destination))
        assert way.port not in gate.listening
        assert way.peer != way.target


@LAW
@given(SEEDS)
def test_the_order_is_an_order(seed: int) -> None:
    _, plan = planned(seed)
    position = {action.id: number for number, action in enumerate(plan.actions)}
    assert len(position) == len(plan.actions)
    for action in plan.actions:
        assert all(need in position for need in action.needs), "a need outside the plan"
        assert all(position[n] < position[action.id] for n in (*action.needs, *action.after) if n in position)
        for place in action.requires:
            done = [a for a in plan.actions if a.place == place and a.id != action.id]
            assert all(position[a.id] < position[action.id] for a in done)


@LAW
@given(SEEDS)
def test_nothing_above_the_cap(seed: int) -> None:
    made, plan = planned(seed)
    cap = Disruption(made.wanted.fleet.limits.disruption)
    assert not any(action.disruption.exceeds(cap) for action in plan.actions)


@LAW
@given(SEEDS)
def test_a_saved_plan_is_the_plan(seed: int) -> None:
    made, plan = planned(seed)
    text = planfile.write(plan, [("fleet.yaml", made.text)], {})
    read, texts, attached = planfile.read(text, KINDS)
    assert (read.actions, read.refusals, read.touched) == (plan.actions, plan.refusals, plan.touched)
    assert (texts, attached) == ([("fleet.yaml", made.text)], {})
    assert planfile.differences(read, made.seen.taken, plan.source, made.seen) == [
        f"{s.host}: {s.reason}"
        for s in made.seen.silences
        if any(p.host == s.host and p.kind in s.kinds for p in plan.touched)
    ]


@LAW
@example(531)
@example(588)
@given(st.integers(0, 2**30).map(lambda number: 3 * number))
def test_who_moved_a_short_while_ago_is_moved_by_a_persons_word_only(seed: int) -> None:
    """By a drain or by hosts that its policy names no more; or because its host is too full."""
    made, plan = planned(seed)
    fleet = made.wanted.fleet
    assert fleet.limits.cool_down == 3600
    policies = {i.place.name: i.value.policy for i in made.wanted.desired if i.place.kind == "vm" and i.value.policy}
    rooms = {place.host: room.memory for place, room in made.seen.of("room")}
    load = Counter[str]()
    for place, state in made.seen.of("vm"):
        load[place.host] += state.memory
    for action in plan.actions:
        if isinstance(action, MoveLive | MoveOffline) and action.place.name in policies:
            source = Place("vm", action.origin, action.place.name)
            state = made.seen.get(source)
            if state is not None and state.moved and load[action.origin] <= rooms.get(action.origin, 0):
                allowed = action.origin in policies[action.place.name].hosts
                assert fleet.hosts[action.origin].maintenance or not allowed


@LAW
@example(2)
@example(3580)
@given(SEEDS)
def test_no_move_is_made_without_a_cause_that_is_said(seed: int) -> None:
    """Of one that was begun before and is on two hosts that is cause enough."""
    made, plan = planned(seed)
    policies = {i.place.name for i in made.wanted.desired if i.place.kind == "vm" and i.value.policy}
    mine = [a for a in plan.actions if isinstance(a, MoveLive | MoveOffline) and a.place.name in policies]
    for action in mine:
        if len(made.seen.named("vm", action.place.name)) == 1:
            assert re.match(
                "its policy puts it on h[0-9]+: .|h[0-9]+ is in maintenance|only to make room|it comes home to h[0-9]+",
                action.reason,
            )


@LAW
@given(SEEDS)
def test_silent_hosts_get_no_action_of_what_is_unknown(seed: int) -> None:
    made, plan = planned(seed)
    for silence in made.seen.silences:
        touched = [a.id for a in plan.actions if a.place.host == silence.host and a.place.kind in silence.kinds]
        assert touched == []
        assert any(r.place.host == silence.host and r.place.kind == "host" for r in plan.refusals)


@pytest.mark.parametrize("kind", [MoveLive, CloneDomain, StartDomain, OpenPort, FollowMove, MoveOffline, NoteHome])
def test_the_random_fleets_are_not_dull(kind: type) -> None:
    """A law nobody can break proves nothing: the seeds make every kind of action."""
    assert sum(isinstance(action, kind) for seed in range(150) for action in planned(seed)[1].actions) > 5
