"""The retries of the trading platform's manifests, on a schedule that is quicker than they are."""

from datetime import timedelta
from typing import Any

import pytest
import yaml

from scheduledjob_operator.job_names import slot_job
from scheduledjob_operator.models import Retry
from scheduledjob_operator.retries import delay
from tests.cluster.paths import CHECKOUT
from tests.unit.bodies import NAME
from tests.unit.moments import after_noon
from tests.unit.world import World

KUSTOMIZATION = CHECKOUT / "examples" / "trading-platform" / "kustomization.yaml"
UNAVAILABLE = 69
EVERY_MINUTE = 60


def retry() -> dict[str, Any]:
    """`spec.retry` of every job."""
    patch = yaml.safe_load(KUSTOMIZATION.read_text())["patches"][0]
    assert patch["target"] == {"kind": "ScheduledJob"}
    values = {each["path"]: each["value"] for each in yaml.safe_load(patch["patch"])}
    found: dict[str, Any] = values["/spec/retry"]
    return found


@pytest.mark.parametrize(
    ("attempt", "minutes"), [(1, 2), (2, 4), (3, 8), (4, 16), (5, 32), (6, 60), (60, 60)]
)
def test_the_waits_are_2_4_and_8_minutes_and_would_never_be_longer_than_an_hour(
    attempt: int, minutes: int
) -> None:
    backoff = Retry.model_validate(retry()).backoff
    assert backoff is not None
    assert delay(backoff, attempt=attempt, run_id="monitor-risk-1") == timedelta(minutes=minutes)


@pytest.mark.parametrize("minutes", [1, 2, 5])
def test_a_run_that_fails_is_a_dead_letter_after_its_four_attempts_though_later_slots_have_run(
    minutes: int,
) -> None:
    interval = minutes * EVERY_MINUTE
    world = World()
    world.create({"schedule": f"*/{minutes} * * * *", "handler": "monitor_risk", "retry": retry()})
    world.settle()
    first = slot_job(NAME, after_noon(interval))
    for second in range(interval, 20 * 60, 10):  # a run takes ten seconds
        world.go_to(second)
        for job in unfinished(world):
            world.finish(job, UNAVAILABLE if job.startswith(first) else 0)
        world.settle()
        world.fire()
    letters = {letter["id"]: letter["attempts"] for letter in world.status["deadLetters"]}
    assert letters == {first: 4}
    runs = dict(world.runs())
    assert runs.pop(first) == "Failed"
    assert set(runs.values()) == {"Succeeded"}
    assert len(runs) >= 20 // minutes - 3, "the slots meanwhile had their runs"


def unfinished(world: World) -> list[str]:
    """The Jobs that have not ended."""
    ended = {"Complete", "Failed"}
    return [
        name
        for name in world.job_names()
        if not any(each["type"] in ended for each in world.job(name).get("status", {}).get("conditions", []))
    ]
