"""Arguments and variables of a single run: every attempt has them, and nothing shows them."""

import json
from typing import Any

import pytest

from scheduledjob_operator.cluster import ApiError
from tests.unit.bodies import NAME, NAMESPACE, Body, cron_job
from tests.unit.fake_cluster import LOST, UNREACHABLE
from tests.unit.moments import after_noon
from tests.unit.requested import CANARY, OVERRIDES, answers, ask, variables, world_with
from tests.unit.world import World


def test_a_run_has_what_it_was_given_and_the_next_slot_does_not() -> None:
    world = world_with(args={"token": "usual"}, env=[{"name": "MODE", "value": "usual"}])
    ask(world, run={"id": "1", **OVERRIDES})
    (name,) = world.created()
    found = variables(world, name)
    assert json.loads(found["SCHEDULEDJOB_ARGS"]) == {"token": CANARY}
    assert found["MODE"] == CANARY
    template = world.cron_job["spec"]["jobTemplate"]
    assert CANARY not in json.dumps(template)


def test_every_attempt_of_a_run_has_what_it_was_given() -> None:
    world = world_with(retry={"limit": 2, "backoff": {"initial": "30s"}})
    ask(world, run={"id": "1", **OVERRIDES})
    (name,) = world.created()
    world.finish(name, 1)
    world.go_to(70)
    assert world.created() == [name, f"{name}-r2"]
    assert variables(world, f"{name}-r2")["MODE"] == CANARY


def test_a_retry_of_a_dead_letter_has_what_the_run_was_given() -> None:
    world = world_with(retry={"limit": 1, "backoff": {"initial": "1s"}})
    ask(world, run={"id": "1", **OVERRIDES})
    (name,) = world.created()
    world.finish(name, 65)
    world.settle()
    (letter,) = world.status["deadLetters"]
    assert letter["overridden"] is True
    ask(world, retry="all")
    assert variables(world, world.created()[-1])["MODE"] == CANARY


def test_what_a_run_was_given_is_forgotten_when_nothing_can_ask_for_it_again() -> None:
    world = world_with()
    ask(world, run={"id": "1", **OVERRIDES})
    assert CANARY in json.dumps(world.cron_job["metadata"]["annotations"])
    world.finish(world.created()[0])
    world.settle()
    assert CANARY not in json.dumps(world.cron_job)


@pytest.mark.parametrize("exit_code", [0, 1, 65])
def test_what_a_run_was_given_stands_in_no_status_and_no_event(exit_code: int) -> None:
    world = world_with(retry={"limit": 1, "backoff": {"initial": "1s"}})
    ask(world, run={"id": "1", **OVERRIDES})
    for _ in range(2):
        assert CANARY not in json.dumps(world.status)
        world.finish(world.created()[-1], exit_code)
        world.wait(1)
    told = [write.body for write in world.cluster.writes if write.verb in ("status", "event")]
    assert told
    assert CANARY not in json.dumps(told)


def test_it_does_not_stand_in_the_reason_of_a_refusal_either() -> None:
    world = world_with(pendingTimeout="1m")
    refusal = ApiError(status=422, reason="Invalid", message=f'env: Invalid value: "{CANARY}": no')
    world.cluster.rule = lambda request: refusal if request.verb == "create" else None
    ask(world, run={"id": "1", **OVERRIDES})
    world.go_to(120)
    (run,) = world.status["recentRuns"]
    assert (run["result"], run["message"]) == ("Failed", 'env: Invalid value: "[redacted]": no')


def test_a_run_that_is_asked_for_while_there_is_no_cron_job_has_what_it_was_given() -> None:
    world = world_with(args={"token": "usual"})
    world.cluster.delete("CronJob", NAMESPACE, NAME)
    world.now = after_noon(700)  # slots have passed
    world.annotate(run=json.dumps({"id": "1", **OVERRIDES}))
    world.restart()
    world.settle()
    (name,) = world.created()
    assert variables(world, name)["MODE"] == CANARY


def test_a_run_that_is_asked_for_while_the_name_is_taken_has_what_it_was_given() -> None:
    world = World()
    world.cluster.put("CronJob", cron_job(labels={}, ownerReferences=[]))
    world.create({"schedule": "*/5 * * * *", "handler": "sync"})
    ask(world, run={"id": "1", **OVERRIDES})
    assert world.ready == ("False", "NameConflict")
    world.cluster.delete("CronJob", NAMESPACE, NAME)
    world.settle()
    world.go_to(200)
    (name,) = world.created()
    assert variables(world, name)["MODE"] == CANARY


def test_a_run_whose_own_arguments_are_lost_does_not_run_with_the_usual_ones() -> None:
    world = world_with(args={"token": "usual"})
    world.go_to(300)
    active = world.start_slot(300)
    world.run_pod(active)
    ask(world, run={"id": "1", "ifActive": "Queue", **OVERRIDES})
    world.cluster.delete("CronJob", NAMESPACE, NAME)
    world.settle()
    world.wait(10)
    for name in world.created():
        assert variables(world, name)["MODE"] == CANARY
    assert world.has_cron_job


def story(world: World) -> list[Body]:
    world.annotate(run=json.dumps({"id": "1", **OVERRIDES}))
    world.settle()
    for _ in range(3):
        world.wait(1)
    return [{"name": name, "mode": variables(world, name).get("MODE")} for name in world.job_names()]


REFERENCE = world_with()
BEFORE = len(REFERENCE.cluster.requests)
JOBS = [{**job, "mode": CANARY} for job in story(REFERENCE)]
STEPS = len(REFERENCE.cluster.requests) - BEFORE


@pytest.mark.parametrize("outcome", [LOST, UNREACHABLE], ids=["after", "before"])
@pytest.mark.parametrize("step", range(STEPS))
@pytest.mark.parametrize("dies", [False, True], ids=["", "and died of it"])
def test_a_request_whose_way_broke_off_anywhere_makes_one_run_with_what_it_was_given(
    step: int, outcome: Any, dies: bool
) -> None:
    world = world_with()
    world.cluster.outcomes.extend([None] * step + [outcome])
    world.dies_of_errors = dies
    assert story(world) == JOBS
    assert answers(world) == [("run", "Accepted")]
    assert world.active() == [job["name"] for job in JOBS]
