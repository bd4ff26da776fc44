"""One verdict a slot, never two Jobs for one, when the operator fires, alone or with others."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.unit.bodies import Body
from tests.unit.fake_cluster import LOST, UNREACHABLE
from tests.unit.life import EDITS, SECOND, Life, begun

NATIVE: list[Body] = [{"schedule": "*/5 * * * *"}, {"schedule": "0,20,21,22 * * * *"}]
OURS: list[Body] = [
    {"every": "90s"},
    {"every": "4m"},
    {"schedule": "*/20 * * * * *"},
    {"schedule": "30 */2 * * * *"},
    {"at": 100},
]
POLICIES: list[Body] = [
    {"concurrencyPolicy": "Forbid", "queueDepth": None},
    {"concurrencyPolicy": "Allow", "queueDepth": None},
    {"concurrencyPolicy": "Replace", "queueDepth": None},
    {"concurrencyPolicy": "Queue", "queueDepth": None},
    {"concurrencyPolicy": "Queue", "queueDepth": 2},
]


class FiringLife(Life):
    """One ScheduledJob that the operator fires, now and then or all the time, as does another operator."""

    timings = st.sampled_from([*OURS, *NATIVE])
    policies = st.sampled_from(POLICIES)
    edits = st.one_of(*EDITS, st.sampled_from(POLICIES))
    punctual = st.booleans()

    @precondition(lambda self: self.world.is_up and self.world.deposed is None)
    @rule()
    def depose(self) -> None:
        """Another operator takes over before the one that acts knows it."""
        self.world.depose()

    @precondition(lambda self: self._is_seen())
    @rule(seconds=st.sampled_from([1, 20, 90]))
    def put_the_clocks_back(self, seconds: float) -> None:
        super().put_the_clocks_back(seconds)

    def _is_seen(self) -> bool:
        """Whether every edit is in force."""
        body = self.world.scheduled_job
        return bool(body["status"].get("observedGeneration") == body["metadata"]["generation"])

    @rule(seconds=st.sampled_from([0, 0.4, 2, 30]))
    def change_lag(self, seconds: float) -> None:
        """Kubernetes' controller has more to do than before, or less."""
        self.world.lag = seconds * SECOND


class PunctualLife(FiringLife):
    """One ScheduledJob that Kubernetes and the operator fire both, most of the time."""

    timings = st.sampled_from([*NATIVE, *NATIVE, *OURS])
    policies = st.sampled_from([*POLICIES[:3], *POLICIES])
    punctual = st.just(value=True)


TestFiringLife = FiringLife.TestCase
TestFiringLife.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
TestPunctualLife = PunctualLife.TestCase
TestPunctualLife.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)


ALL: Body = {"policy": "All", "window": "24h"}


@pytest.mark.parametrize("after", range(4))
@pytest.mark.parametrize("how", [UNREACHABLE, LOST], ids=str)
def test_a_slot_at_which_the_operator_dies_is_started_once_by_the_next_one(after: int, how: Any) -> None:
    life = begun(timing={"every": "90s"}, seconds=7, catch_up=ALL)
    life.let_operator_die(after, how)
    life.pass_time(200)
    life.start_operator()
    life.pass_time(7)
    life.teardown()
    assert life.world.deaths
    assert life.world.unstarted() == []


@pytest.mark.parametrize("timing", [{"every": "90s"}, {"schedule": "*/20 * * * * *"}, {"at": 100}], ids=str)
@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_two_operators_at_once_start_each_slot_once(timing: Body, policy: Body) -> None:
    life = begun(timing=timing, policy=policy, seconds=1, catch_up=ALL, lateness=1)
    for seconds in (80, 17, 61):
        life.world.depose()
        life.pass_time(seconds)
    life.teardown()
    assert life.world.unstarted() == []


@pytest.mark.parametrize("policy", [*POLICIES[1:3], POLICIES[3]], ids=str)
def test_a_slot_that_kubernetes_started_unseen_is_not_started_by_the_operator_too(policy: Body) -> None:
    life = begun(punctual=True, lateness=2, seconds=1, catch_up=ALL)
    life.go_near_a_slot(-1, asks=False)
    life.world.is_up = False
    life.pass_time(2)
    life.world.is_up = True
    life.edit(policy)
    life.reschedule({"schedule": "*/20 * * * * *"}, [], dies=False)
    life.pass_time(61)
    life.reschedule({"schedule": "*/5 * * * *"}, [], dies=False)
    life.pass_time(305)
    life.teardown()
