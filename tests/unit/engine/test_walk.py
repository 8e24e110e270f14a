"""The walk through a plan: who waits, who is skipped, who runs in any case, and how many at once.

Actions here do nothing; see tests/fakes for whole passes.
"""

import signal

import pytest

from reconciler.model.action import Action
from reconciler.model.fleet import Limits, Link
from reconciler.model.outcome import Done, Report
from reconciler.ports import Hands
from tests.unit.engine.walking import Log, look, step, travel, undo, walk


def test_needs_come_first() -> None:
    log = Log()
    third, first = step("third", needs=("vm/second@b:do",)), step("first", "c")
    second = step("second", "b", needs=("vm/first@c:do",))
    done = walk([third, second, first], log)
    assert log.begun == ["first", "second", "third"]
    assert {o.status for o in done.values()} == {"done"}


def test_a_failure_skips_what_needs_it_and_nothing_else() -> None:
    log = Log()
    bad = step("bad", does="fail")
    child = step("child", needs=(bad.id,))
    done = walk([bad, child, step("grandchild", needs=(child.id,)), step("other", "b")], log)
    assert {name: o.status for name, o in done.items()} == {
        "bad": "failed",
        "child": "skipped",
        "grandchild": "skipped",
        "other": "done",
    }
    assert done["bad"].text == "a: said no"
    assert done["bad"].fix == "do something"
    assert done["child"].text == "because vm/bad@a:do was not done"
    assert "child" not in log.begun


def test_what_comes_after_runs_whatever_happened_before() -> None:
    log = Log()
    grant = step("grant", kind="lease", does="fail")
    move = travel("web", "a", "b", needs=(grant.id,))
    done = walk([grant, move, undo("revoke", after=(move.id,))], log)
    assert [done[name].status for name in ("grant", "web", "revoke")] == ["failed", "skipped", "done"]
    assert log.begun == ["grant", "revoke"]


def test_a_revocation_runs_after_a_move_that_failed() -> None:
    log = Log()
    move = travel("web", "a", "b", does="fail")
    done = walk([undo("revoke", after=(move.id,)), move], log)
    assert log.begun == ["web", "revoke"]
    assert done["revoke"].status == "done"


def test_needs_outside_the_plan_hinder_nothing() -> None:
    assert walk([step("one", needs=("vm/gone@a:do",), after=("vm/also@a:do",))], Log())["one"].status == "done"


def test_one_change_at_a_time_on_a_host() -> None:
    log = Log(pause=0.01, meet=2)
    walk([step(f"s{n}", host) for n in range(4) for host in "ab"], log)
    for together in log.together:
        hosts = [action.place.host for action in together]
        assert len(hosts) == len(set(hosts))
    assert max(len(together) for together in log.together) == 2


def test_work_on_two_hosts_keeps_both() -> None:
    """Two clones of one base, to two hosts, copy on the base's host: one after the other."""
    log = Log(pause=0.02)
    walk([step("v1", "a"), step("v2", "b", also="a")], log)
    assert max(len(together) for together in log.together) == 1


def test_moves_are_bounded_per_host() -> None:
    log = Log(pause=0.02, meet=2)
    walk([travel(f"v{n}", "a", "b") for n in range(5)], log, Limits(moves_per_host=2, moves=10))
    assert max(len(together) for together in log.together) == 2


def test_moves_between_other_hosts_do_not_wait_for_each_other() -> None:
    log = Log(pause=0.02, meet=2)
    walk([travel("v1", "a", "b"), travel("v2", "c", "d")], log, Limits(moves_per_host=1, moves=10))
    assert max(len(together) for together in log.together) == 2


def test_moves_are_bounded_per_fleet() -> None:
    log = Log(pause=0.02, meet=3)
    walk([travel(f"v{n}", f"from{n}", f"to{n}") for n in range(6)], log, Limits(moves_per_host=5, moves=3))
    assert max(len(together) for together in log.together) == 3


def test_moves_are_bounded_per_link_that_hosts_share() -> None:
    """Two by two into a and b, which share one; those between c and d do not go over it, and nobody waits for them."""
    log = Log(pause=0.02, meet=3)
    shared = [travel(f"v{n}", f"from{n}", "ab"[n % 2]) for n in range(4)]
    apart = [travel("w", "c", "d")]
    limits = Limits(moves_per_host=5, moves=10, links=(Link(frozenset("ab"), moves=2),))
    walk([*shared, *apart], log, limits)
    names = [[action.place.name for action in together] for together in log.together]
    assert max(len([n for n in together if n.startswith("v")]) for together in names) == 2
    assert max(len(together) for together in names) == 3


def test_a_move_within_an_uplinks_hosts_is_not_over_it() -> None:
    log = Log(pause=0.02, meet=2)
    limits = Limits(moves_per_host=5, moves=10, links=(Link(frozenset("ab"), moves=1, uplink=True),))
    walk([travel("v1", "a", "b"), travel("v2", "a", "b")], log, limits)
    assert max(len(together) for together in log.together) == 2
    log = Log(pause=0.02)
    walk([travel("v1", "a", "c"), travel("v2", "d", "b")], log, limits)
    assert max(len(together) for together in log.together) == 1


def test_what_only_a_person_can_settle_is_the_verdict() -> None:
    outcomes = walk([step("web", does="human"), step("db", does="fail")], Log())
    assert outcomes["web"].human
    assert not outcomes["db"].human
    assert Report("run", tuple(outcomes.values())).verdict == "needs-human"


def test_access_left_open_is_the_verdict() -> None:
    outcomes = walk([undo("revoke", does="fail"), step("db", does="fail")], Log())
    assert Report("run", tuple(outcomes.values())).verdict == "revocation-pending"


def test_only_what_closes_is_tried_again() -> None:
    log = Log()
    outcomes = walk([undo("revoke", does="fail"), step("db", does="fail")], log)
    assert (log.begun.count("revoke"), log.begun.count("db")) == (2, 1)
    assert outcomes["revoke"].facts == {"pending": "revocation"}


def test_a_lost_lock_ends_the_walk_and_nothing_is_closed() -> None:
    """Another run is responsible by now, also for what this one opened."""
    first = step("web", does="lost")
    outcomes = walk([first, undo("revoke", after=(first.id,)), step("db", needs=(first.id,))], Log())
    assert outcomes["web"].text == "lost its lock on a to run other; nothing more was changed"
    assert outcomes["revoke"].status == outcomes["db"].status == "skipped"
    assert outcomes["revoke"].text == "the lock on a is lost"
    assert Report("run", tuple(outcomes.values())).verdict == "lock-lost"


def test_a_bug_in_one_action_does_not_end_the_walk() -> None:
    outcomes = walk([step("bug", does="bug"), step("other")], Log())
    assert outcomes["bug"].text == "unexpected KeyError: 'surprise'"
    assert outcomes["other"].status == "done"


def test_nothing_to_do_is_well() -> None:
    outcomes = walk([step("web", does="nothing")], Log())
    assert outcomes["web"].status == "nothing-to-do"
    assert Report("run", tuple(outcomes.values())).verdict == "ok"


def test_intent_is_in_the_journal_before_the_outcome() -> None:
    log = Log()
    bad = step("bad", does="fail")
    walk([bad, step("child", needs=(bad.id,))], log)
    assert [(event, fields["action"]) for event, fields in log.events] == [
        ("begin", "vm/bad@a:do"),
        ("end", "vm/bad@a:do"),
        ("skipped", "vm/child@a:do"),
    ]


def test_ctrl_c_lets_what_runs_end_and_closes_what_is_open() -> None:
    log = Log()
    grant = step("grant", kind="lease")
    move = travel("web", "a", "b", needs=(grant.id,), does="interrupt")
    later = [step("proof", "b", needs=(move.id,)), step("other", "b", after=(move.id,))]
    done = walk([grant, move, *later, undo("revoke", "b", after=(move.id,))], log)
    assert {name: o.status for name, o in done.items()} == {
        "grant": "done",
        "web": "done",
        "proof": "skipped",
        "other": "skipped",
        "revoke": "done",
    }


def test_the_second_ctrl_c_leaves_the_rest_and_the_old_listener_listens_again() -> None:
    before = signal.getsignal(signal.SIGINT)
    move = step("web", does="interrupt")
    close = undo("close", does="interrupt", after=(move.id,))
    with pytest.raises(KeyboardInterrupt):
        walk([move, close, undo("revoke", after=(close.id,))], Log())
    assert signal.getsignal(signal.SIGINT) is before


def test_nothing_gives_nothing() -> None:
    assert walk([], Log()) == {}


def test_a_look_holds_up_nobody_and_is_held_up_by_nobody() -> None:
    log = Log(pause=0.05, meet=4)
    walk([step("change"), look("one"), look("two"), step("elsewhere", "b")], log)
    assert {action.place.name for action in max(log.together, key=len)} == {"change", "one", "two", "elsewhere"}


def test_a_look_is_hurried_when_others_wait_for_it_alone() -> None:
    log = Log(pause=0.05)
    opening = step("opening", "b")
    before = look("before", does="until hurried")
    move = travel("web", "a", "b", needs=(opening.id,), after=(before.id,))
    done = walk([before, opening, move], log)
    assert done["before"].text == "hurried"
    assert log.begun[-1] == "web"
    assert done["before"].seconds == 0.0


def test_a_look_nobody_waits_for_is_not_hurried() -> None:
    seen: list[bool] = []

    class Watching(Log):
        def carry_out(self, action: Action, hands: Hands) -> Done:
            done = super().carry_out(action, hands)
            seen.append(hands.hurried())
            return done

    walk([look("alone"), step("change")], Watching(pause=0.02))
    assert seen == [False, False]


def test_a_failed_look_keeps_nobody_from_coming_after_it() -> None:
    before = look("before", does="fail")
    done = walk([before, travel("web", "a", "b", after=(before.id,))], Log())
    assert [done[name].status for name in ("before", "web")] == ["failed", "done"]


def test_facts_of_what_ended_can_be_read_and_of_nothing_else() -> None:
    before = look("before", does="until hurried")
    asking = step("asking", does="tell facts", after=(before.id, "vm/never@a:do"))
    assert walk([before, asking], Log())["asking"].text == "[{'found': 7}, {}]"
