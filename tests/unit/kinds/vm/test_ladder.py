"""The ladder of a copy that does not converge: which rung when, and what it never does."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds.vm.ladder import FIRST, GRACE, MOST, Climb, Step, begin, grace, step
from reconciler.model.fleet import MovePolicy
from reconciler.readings import JobNumbers, Nudge

MIB = 2**20


def job(iteration: int, remaining: int = 100, post_copy: bool = False) -> JobNumbers:
    """Remaining in MiB; dirtied at 40 MiB/s, copied at 8."""
    return JobNumbers(
        remaining=remaining * MIB, rate=8 * MIB, dirty_rate=40 * MIB, iteration=iteration, post_copy=post_copy
    )


def climbed(policy: MovePolicy, *remaining: int, seconds: float = 2.0) -> list[Step]:
    """One look at the beginning of each iteration."""
    climb, steps = begin(policy), []
    for number, left in enumerate(remaining, start=1):
        steps.append(step(climb, job(number, left), number * seconds))
        climb = steps[-1].climb
    return steps


def nudges(steps: list[Step]) -> list[Nudge]:
    return [s.nudge for s in steps if s.nudge]


def test_a_copy_that_converges_is_left_alone() -> None:
    assert nudges(climbed(MovePolicy(post_copy=True), 256, 128, 64, 32, 16)) == []


def test_each_stalled_iteration_allows_more_downtime_up_to_the_most() -> None:
    steps = climbed(MovePolicy(), 256, 100, 100, 98, 100, 100)
    assert nudges(steps) == [Nudge("downtime", 450), Nudge("downtime", MOST)]
    assert (
        steps[2].said == "does not converge: dirtied 40 MiB/s, copies 8 MiB/s, 100 MiB remain; downtime 300 -> 450 ms"
    )


def test_a_declared_most_is_gone_up_to_in_steps() -> None:
    asked = nudges(climbed(MovePolicy(max_downtime=2.0), *[100] * 12))
    assert [n.milliseconds for n in asked] == [450, 675, 1012, 1518, 2000]


def test_a_declared_most_below_libvirts_own_holds_from_the_start() -> None:
    assert begin(MovePolicy(max_downtime=0.1)).downtime == 100
    assert nudges(climbed(MovePolicy(max_downtime=0.1), *[100] * 6)) == []


def test_post_copy_comes_after_the_downtime_and_only_where_allowed() -> None:
    steps = climbed(MovePolicy(post_copy=True), *[100] * 4)
    assert [n.what for n in nudges(steps)] == ["downtime", "downtime", "post-copy"]
    assert steps[-1].climb.rungs == ("downtime 300 -> 450 ms", "downtime 450 -> 500 ms", "post-copy")


def test_a_rung_stands_a_second_before_the_next() -> None:
    quick = climbed(MovePolicy(), *[100] * 6, seconds=0.25)
    assert [n.milliseconds for n in nudges(quick)] == [450]


def test_looks_within_one_iteration_are_no_iterations() -> None:
    climb = begin(MovePolicy())
    for number in range(40):
        answer = step(climb, job(2), 2.0 + number / 4)
        climb = answer.climb
        assert answer.nudge is None


def test_at_the_timeout_the_declared_last_rung() -> None:
    for said, what in (("abort", "abort"), ("suspend", "suspend"), ("post-copy", "post-copy")):
        policy = MovePolicy(timeout=10, on_timeout=said, post_copy=said == "post-copy")
        answer = step(begin(policy), job(1), 10.0)
        assert answer.nudge == Nudge(what), said
        assert answer.said.startswith("not there after 10 s: dirtied 40 MiB/s")


def test_a_suspended_copy_that_does_not_end_is_aborted() -> None:
    policy = MovePolicy(timeout=10, on_timeout="suspend")
    climb = step(begin(policy), job(1), 10.0).climb
    assert step(climb, job(2), 10.0 + GRACE - 1).nudge is None
    assert step(climb, job(2), 10.0 + GRACE).nudge == Nudge("abort")


def test_post_copy_is_asked_for_again_until_it_has_begun_and_never_ended() -> None:
    policy = MovePolicy(timeout=10, on_timeout="post-copy", post_copy=True)
    climb = step(begin(policy), job(1), 10.0).climb
    assert step(climb, job(1), 11.0).nudge is None
    assert step(climb, job(1), 12.0).nudge == Nudge("post-copy")
    begun = step(climb, job(2, post_copy=True), 11.0)
    assert (begun.nudge, begun.climb.stage) == (None, "post-copy")
    assert step(begun.climb, job(2, post_copy=True), 10_000.0).nudge is None


POLICIES = st.builds(
    MovePolicy,
    post_copy=st.booleans(),
    max_downtime=st.sampled_from((0.0, 0.05, 0.3, 0.5, 3.0, 60.0)),
    timeout=st.floats(1, 2000),
    on_timeout=st.sampled_from(("abort", "suspend", "post-copy")),
)
LOOKS = st.lists(st.tuples(st.floats(0.1, 60), st.integers(0, 2), st.integers(0, 300), st.booleans()), max_size=200)


def _walk(policy: MovePolicy, looks: list[tuple[float, int, int, bool]]) -> Iterator[tuple[float, Climb, Step]]:
    """Looks in order of time; post-copy is seen only once it was asked for."""
    climb, elapsed, iteration, switched = begin(policy), 0.0, 0, False
    for later, more, left, begins in [*looks, *[(30.0, 1, 200, False)] * 300]:
        elapsed, iteration = elapsed + later, iteration + more
        switched = switched or (begins and climb.stage == "asked")
        answer = step(climb, job(iteration, left, switched), elapsed)
        yield elapsed, climb, answer
        climb = answer.climb


@given(POLICIES, LOOKS)
def test_it_never_goes_back_never_aborts_twice_and_always_ends(
    policy: MovePolicy, looks: list[tuple[float, int, int, bool]]
) -> None:
    allowed, aborts, most = begin(policy).downtime, 0, policy.max_downtime * 1000 or MOST
    ends = policy.timeout + grace(policy)
    assert allowed <= FIRST
    for elapsed, before, answer in _walk(policy, looks):
        match answer.nudge:
            case Nudge("downtime", milliseconds):
                assert allowed < milliseconds <= most
                allowed = milliseconds
            case Nudge("post-copy"):
                assert policy.post_copy
            case Nudge("suspend"):
                assert (policy.on_timeout, before.stage) == ("suspend", "copying")
            case Nudge("abort"):
                assert before.stage != "post-copy"
                aborts += 1
        assert aborts <= 1
        late = elapsed - 60 > ends if answer.climb.stage != "suspended" else elapsed - 120 > ends
        assert answer.climb.stage in ("post-copy", "aborted") or not late, (elapsed, answer.climb)
