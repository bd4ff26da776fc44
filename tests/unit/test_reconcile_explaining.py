"""Why a run has no Pod: Kubernetes says it late, says something else later, and cannot always be asked."""

from typing import Any

import pytest

from scheduledjob_operator.job_names import slot_job
from tests.unit import bodies
from tests.unit.bodies import NAME
from tests.unit.fake_cluster import OVERLOADED, Request, refused
from tests.unit.moments import after_noon
from tests.unit.world import World, verbs

RUN = slot_job(NAME, after_noon(300))
QUOTA = 'Error creating: pods "x" is forbidden: exceeded quota: few, requested: pods=1, used: pods=5'
POD_SECURITY = 'Error creating: pods "x" is forbidden: violates PodSecurity "restricted:latest": privileged'
FORBIDDEN = refused(403, "events is forbidden", "Forbidden")


def world_with(*warnings: str, **fields: Any) -> World:
    """The run of the slot 300 s after noon has a Job and no Pod, and nothing else starts."""
    world = World()
    world.create({"schedule": "5 12 * * *", "handler": "sync", "pendingTimeout": "2h", **fields})
    world.settle()
    world.go_to(300)
    assert world.start_slot(300) == RUN
    world.settle()
    say(world, *warnings)
    return world


def say(world: World, *warnings: str) -> None:
    world.cluster.warnings[world.job(RUN)["metadata"]["uid"]] = list(warnings)


def active_reason(world: World) -> str | None:
    (run,) = world.status["active"]
    reason: str | None = run.get("reason")
    return reason


def questions(world: World, *, since: int = 0) -> int:
    return sum(
        (request.verb, request.kind) == ("list", "Event") for request in world.cluster.requests[since:]
    )


def broken(*errors: Any) -> Any:
    """The first questions are not answered."""
    left = list(errors)

    def rule(request: Request) -> Any:
        return left.pop(0) if (request.verb, request.kind) == ("list", "Event") and left else None

    return rule


def test_what_is_said_after_the_first_question_is_heard_half_a_minute_later() -> None:
    world = world_with()
    world.go_to(310)
    assert active_reason(world) is None
    say(world, QUOTA)
    world.go_to(340)
    assert active_reason(world) == "QuotaExceeded"
    assert questions(world) == 2


@pytest.mark.parametrize("error", [OVERLOADED, FORBIDDEN], ids=["500", "403"])
def test_a_question_that_cannot_be_answered_is_asked_again(error: Any) -> None:
    world = world_with(QUOTA)
    world.cluster.rule = broken(error)
    world.go_to(310)
    assert active_reason(world) is None
    world.go_to(340)
    assert active_reason(world) == "QuotaExceeded"


def test_another_reason_is_heard_within_minutes() -> None:
    world = world_with(QUOTA)
    world.go_to(310)
    assert active_reason(world) == "QuotaExceeded"
    say(world, QUOTA, POD_SECURITY)
    world.go_to(610)
    assert active_reason(world) == "PodSecurity"
    assert world.status["active"][0]["message"] == POD_SECURITY


def test_nothing_is_written_for_as_long_as_the_reason_is_the_same() -> None:
    world = world_with(QUOTA)
    world.go_to(310)
    before = len(world.cluster.requests)
    for seconds in range(600, 3600, 300):
        say(world, QUOTA, QUOTA.replace("used: pods=5", f"used: pods={seconds}"))
        world.go_to(seconds)
    assert set(verbs(world.cluster.requests[before:])) == {"list"}
    assert questions(world, since=before) <= 11, "one in five minutes"


def test_while_nothing_is_said_it_is_asked_less_and_less_often() -> None:
    world = world_with()
    world.go_to(1200)
    assert questions(world) == 6
    before = len(world.cluster.requests)
    world.go_to(4800)
    assert set(verbs(world.cluster.requests[before:])) == {"list"}
    assert questions(world, since=before) == 12


@pytest.mark.parametrize("silence", ["the Events are gone", "nobody answers"])
def test_what_was_said_stands_until_something_else_is_said(silence: str) -> None:
    world = world_with(QUOTA)
    world.go_to(310)
    if silence == "nobody answers":
        world.cluster.rule = broken(*[OVERLOADED] * 100)
    else:
        say(world)
    world.go_to(3600)
    assert active_reason(world) == "QuotaExceeded"
    world.go_to(7500)
    assert "QuotaExceeded" in world.job(RUN)["metadata"]["annotations"]["scheduledjob.dev/ended"]


def test_nothing_more_is_asked_once_there_is_a_pod() -> None:
    world = world_with(QUOTA)
    world.go_to(310)
    world.run_pod(RUN)
    world.settle()
    assert active_reason(world) is None
    before = len(world.cluster.requests)
    world.go_to(3600)
    assert questions(world, since=before) == 0


def test_of_many_jobs_without_a_pod_a_few_are_asked_about_at_a_time() -> None:
    world = world_with(concurrencyPolicy="Allow")
    for number in range(24):
        name = f"{RUN}-{number:02}"
        world.put_job(name, created=world.now)
        if number % 2:
            world.cluster.warnings[f"uid-of-{name}"] = [QUOTA]
    world.go_to(310)
    assert questions(world) == 10
    world.go_to(370)
    assert questions(world) == 30
    assert [run.get("reason") for run in world.status["active"]].count("QuotaExceeded") == 12


@pytest.mark.parametrize(
    "warning", [QUOTA, POD_SECURITY, "Error creating: no"], ids=["quota", "security", "other"]
)
def test_a_run_that_got_its_pod_while_nobody_looked_did_not_fail_for_want_of_one(warning: str) -> None:
    world = world_with(warning)
    world.go_to(310)
    assert active_reason(world) is not None
    world.now = after_noon(2000)
    killed = {"name": "job", "state": {"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown"}}}
    status = {"phase": "Failed", "reason": "DeadlineExceeded", "containerStatuses": [killed]}
    world.put_pod(bodies.pod(f"{RUN}-p1", job_name=RUN, created=after_noon(900), status=status))
    world.cluster.put("Job", {**world.job(RUN), "status": bodies.failed(after_noon(300), after_noon(1900))})
    world.restart()
    world.settle()
    run = world.status["lastRun"]
    assert run["reason"] == "NotStarted"
    assert [attempt["reason"] for attempt in run["attempts"]] == ["NotStarted"]
    assert "Error creating" not in run.get("message", "")
