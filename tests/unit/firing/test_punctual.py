"""What Kubernetes fires too is fired by the operator, punctually and once."""

from datetime import timedelta
from typing import Any

import pytest

from scheduledjob_operator.job_names import slot_job
from tests.unit.bodies import NAME
from tests.unit.fake_cluster import UNREACHABLE
from tests.unit.firing.own_slots import world_with
from tests.unit.moments import after_noon, text
from tests.unit.native import CronJobController
from tests.unit.world import World, verbs


def punctual(**fields: Any) -> World:
    return world_with(punctual=True, schedule="*/5 * * * *", **fields)


def test_a_slot_that_kubernetes_fires_too_is_started_under_its_name() -> None:
    world = punctual()
    world.go_to(300)
    name = slot_job(NAME, after_noon(300))
    assert world.created() == [name]
    native = CronJobController(world)
    assert native.sync() is None, "it is told"
    assert world.told_active() == [name]
    assert world.cron_job["status"]["lastScheduleTime"] == text(after_noon(300))
    world.go_to(310)
    world.finish(name)
    world.settle()
    (ended,) = world.status["recentRuns"]
    assert (ended["trigger"], ended["result"]) == ("Schedule", "Succeeded")
    assert world.unstarted() == []


def test_a_punctual_slot_costs_its_job_a_word_to_kubernetes_and_one_status() -> None:
    world = World(start_patience=timedelta(seconds=3))
    world.punctual = True
    world.restart()
    world.create({"schedule": "*/5 * * * *", "handler": "sync"})
    world.settle()
    writes = world.go_to(301)
    assert verbs(writes) == ["create", "tell"]
    world.finish(slot_job(NAME, after_noon(300)))
    assert verbs(world.settle()) == ["status"]


def test_kubernetes_learns_of_a_slot_that_was_started_right_before_the_operator_died() -> None:
    world = punctual()
    world.cluster.rule = lambda request: UNREACHABLE if request.verb == "tell" else None
    world.dies_of_errors = True
    world.now = after_noon(300)
    world.deliver()
    world._fire()
    world.cluster.rule = lambda _request: None
    world.restart()
    world.settle()
    assert world.cron_job["status"]["lastScheduleTime"] == text(after_noon(300))
    assert world.told_active() == [slot_job(NAME, after_noon(300))]


def test_kubernetes_starts_what_the_operator_has_not() -> None:
    world = punctual()
    native = CronJobController(world)
    world.now = after_noon(301)
    name = native.sync()
    assert name == slot_job(NAME, after_noon(300))
    world.restart()
    world.settle()
    assert world.created() == [], "what is past is left to Kubernetes"


@pytest.mark.parametrize("policy", ["Forbid", "Replace"])
def test_while_a_run_is_active_kubernetes_decides(policy: str) -> None:
    world = punctual(concurrencyPolicy=policy)
    world.go_to(300)
    world.go_to(610)
    assert world.created() == [slot_job(NAME, after_noon(300))]


def test_under_allow_it_is_punctual_all_the_same() -> None:
    world = punctual(concurrencyPolicy="Allow")
    world.go_to(610)
    assert world.created() == [slot_job(NAME, after_noon(seconds)) for seconds in (300, 600)]


def test_kubernetes_is_told_of_a_slot_before_another_run_may_make_its_job_go() -> None:
    """With a history of one, the next run that ends takes its place, and the slot would be started again."""
    world = punctual(history={"succeededJobs": 1}, concurrencyPolicy="Allow")
    world.go_to(300)
    name = slot_job(NAME, after_noon(300))
    world.finish(name)
    world.annotate(run="now")
    world.settle()
    (asked,) = [job for job in world.created() if job != name]
    world.now += timedelta(seconds=1)
    world.finish(asked)
    world.settle()
    native = CronJobController(world)
    native.sync()
    native.sync()
    assert world.created() == [name, asked]
    assert [job for job in world.job_names() if job == name] == [], "it has been collected"


@pytest.mark.parametrize("fields", [{"punctualFiring": False}, {"enabled": False}])
def test_it_leaves_alone_what_it_is_not_to_fire(fields: dict[str, Any]) -> None:
    world = punctual(**fields)
    world.go_to(700)
    assert world.created() == []
