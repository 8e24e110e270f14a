"""What is planned for pools, and that it makes the declaration true."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.kinds.pool.actions import DefinePool, ProveShared, StartPool
from reconciler.kinds.pool.mount import same_source
from reconciler.kinds.pool.state import Definition, PoolState
from reconciler.kinds.pool.wire import read_pool
from reconciler.model.disruption import Disruption

NFS = Definition("netfs", "/var/lib/comp", "nas.vpd.com", "/export/comp", "nfs", "4.2")
UP = PoolState("u-1", NFS, True, True, "nfs4", "nas.vpd.com:/export/comp", 10 * 2**30, 4 * 2**30, 6 * 2**30)
DOWN = PoolState("u-1", NFS)
SPEC = (
    "  hosts: %s\n  type: netfs\n  target: /var/lib/comp\n"
    "  source: {host: nas.vpd.com, dir: /export/comp, format: nfs, protocolVersion: '4.2'}\n"
)
World = Callable[..., Any]


def verbs(world: Any) -> list[str]:
    return [f"{action.place.host} {action.verb}" for action in world.planned()[0]]


def test_a_pool_as_declared_needs_nothing(world: World) -> None:
    one = world(
        SPEC % "[alpha]" + "  autostart: true\n  minFree: 5GiB\n",
        alpha__p0=UP,
        alpha__other=replace(UP, definition=Definition("dir", "/else")),
    )
    assert one.planned() == ((), ())


def test_a_new_shared_pool_is_defined_started_and_proven(world: World) -> None:
    one = world(SPEC % "all" + "  autostart: true\n  shared: true\n")
    for host in ("alpha", "beta"):
        steps = [verb for verb in verbs(one) if verb.startswith(host) and not verb.endswith("autostart")]
        assert steps[:3] == [f"{host} define", f"{host} build", f"{host} start"]
    assert verbs(one)[-1] == "alpha prove-shared"
    assert len(verbs(one)) == 9
    proof = next(action for action in one.planned()[0] if isinstance(action, ProveShared))
    assert proof.hosts == ("alpha", "beta")
    assert set(proof.needs) == {action.id for action in one.planned()[0] if isinstance(action, StartPool)}
    assert one.after().planned() == ((), ())


def test_the_proof_covers_hosts_that_are_up_and_answer(world: World) -> None:
    shared = SPEC % "all" + "  shared: true\n"
    assert verbs(world(shared, alpha__p0=DOWN, beta__p0=UP)) == ["alpha start", "alpha prove-shared"]
    assert verbs(world(shared, alpha__p0=DOWN, beta__p0=UP, silent=("beta",))) == ["alpha start"]
    assert verbs(world(shared, alpha__p0=UP, beta__p0=UP)) == []
    assert verbs(world(SPEC % "all", alpha__p0=DOWN, beta__p0=UP)) == ["alpha start"]


def test_a_silent_hypervisor_is_not_compared(world: World) -> None:
    actions, refusals = world(SPEC % "all", silent=("alpha", "beta"), alpha__p0=DOWN).planned()
    assert actions == ()
    assert [str(refusal.place) for refusal in refusals] == ["host/alpha", "host/beta"]


def test_an_inactive_pool_is_defined_anew_under_its_uuid(world: World) -> None:
    one = world(SPEC % "[alpha]", alpha__p0=replace(DOWN, definition=replace(NFS, dir="/old", protocol="")))
    define = one.planned()[0][0]
    assert isinstance(define, DefinePool)
    assert read_pool(define.xml) == ("p0", "u-1", NFS)
    assert verbs(one) == ["alpha define", "alpha build", "alpha start"]
    assert one.after().planned() == ((), ())


def test_an_undeclared_protocol_version_stays(world: World) -> None:
    spec = (SPEC % "[alpha]").replace(", protocolVersion: '4.2'", "")
    assert world(spec, alpha__p0=UP).planned() == ((), ())
    define = world(spec, alpha__p0=replace(DOWN, definition=replace(NFS, dir="/old"))).planned()[0][0]
    assert read_pool(define.xml)[2].protocol == "4.2"


def test_stopping_disturbs_and_allows_a_new_definition(world: World) -> None:
    seen = replace(UP, definition=replace(NFS, dir="/old"), mounted_source="nas.vpd.com:/old")
    one = world(SPEC % "[alpha]" + "  state: inactive\n", alpha__p0=seen)
    assert verbs(one) == ["alpha stop", "alpha define", "alpha build"]
    assert one.planned()[0][0].disruption is Disruption.LIVE
    assert one.after().planned() == ((), ())


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        ({"alpha__p0": replace(UP, definition=replace(NFS, dir="/old"))}, "only while inactive"),
        ({"alpha__p0": replace(UP, mounted_type="", mounted_source="")}, "nothing is mounted at /var/lib/comp"),
        ({"alpha__p0": replace(UP, mounted_source="nas2:/x")}, "nas2:/x (nfs4) is mounted at /var/lib/comp"),
        ({"alpha__p0": replace(DOWN, mounted_type="tmpfs", mounted_source="none")}, "none (tmpfs) is mounted"),
        ({"alpha__p0": replace(UP, available=3 * 2**30)}, "3 GiB of 10 GiB are free, at least 5 GiB are declared"),
        ({"alpha__old": DOWN}, "target /var/lib/comp is pool 'old''s"),
        ({"alpha__old": replace(DOWN, definition=replace(NFS, target="/x"))}, "source nas.vpd.com:/export/comp is"),
    ],
)
def test_refusals_carry_reason_and_fix(world: World, seen: dict[str, PoolState], reason: str) -> None:
    actions, refusals = world(SPEC % "[alpha]" + "  minFree: 5GiB\n", **seen).planned()
    assert actions == ()
    assert [reason in refusal.reason and bool(refusal.fix) for refusal in refusals] == [True]
    assert refusals[0].line


def test_problems_point_at_their_line(world: World) -> None:
    one = world(
        SPEC % "[alpha, gamma]",
        (SPEC % "all").replace("/export/comp", "/other"),
        (SPEC % "{matchLabels: {role: nobody}}"),
        "  hosts: [beta]\n  type: dir\n  target: /var/lib/comp\n",
    )
    texts = [str(problem) for problem in one.problems]
    assert any("no Host named 'gamma'" in text for text in texts)
    assert any("selects no host" in text for text in texts)
    assert sum("target /var/lib/comp is pool" in text for text in texts) == 2
    assert all(problem.line for problem in one.problems)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("nas.vpd.com:/comp", "NAS.vpd.com:comp/"),
        ("[fd00::1]:/x", "[fd00::1]:/x/"),
        ("//nas/share", "//nas/share/"),
    ],
)
def test_the_mount_table_writes_sources_its_own_way(one: str, other: str) -> None:
    assert same_source(one, other)
    assert not same_source(one, other + "else")


STATES = (
    st.none()
    | st.builds(
        PoolState,
        st.just("u"),
        st.sampled_from([NFS, replace(NFS, dir="/old"), Definition("dir", "/var/lib/comp")]),
        st.just(False),
        st.booleans(),
    )
    | st.just(UP)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80)
@given(
    STATES,
    STATES,
    st.sampled_from(["active", "inactive", "null"]),
    st.sampled_from(["true", "false", "null"]),
    st.booleans(),
)
def test_law_1_effects_are_true(
    world: World, alpha: PoolState | None, beta: PoolState | None, state: str, autostart: str, shared: bool
) -> None:
    pools = {name: seen for name, seen in (("alpha__p0", alpha), ("beta__p0", beta)) if seen}
    spec = SPEC % "all" + f"  state: {state}\n  autostart: {autostart}\n  shared: {str(shared).lower()}\n"
    one = world(spec, **pools)
    assert one.planned()[1] == ()
    assert one.after().planned() == ((), ())
