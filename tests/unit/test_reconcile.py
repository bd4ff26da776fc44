"""From a ScheduledJob to its CronJob and status, with as few writes as there are."""

import copy
from typing import Any

import pytest
from prometheus_client import REGISTRY

from scheduledjob_operator.cluster import ApiError
from scheduledjob_operator.store import Key
from tests.unit import bodies
from tests.unit.bodies import NAMESPACE
from tests.unit.endings import COMPLETE, JOB, crashed, pod
from tests.unit.fake_cluster import LOST, OVERLOADED, UNREACHABLE, refused
from tests.unit.moments import NOON, after_noon, text
from tests.unit.world import KEY, World, verbs


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def settled() -> World:
    """One ScheduledJob, in sync."""
    world = World()
    world.create()
    world.settle()
    return world


# The number of writes


def test_a_new_scheduled_job_takes_two_writes(world: World) -> None:
    world.create()
    assert verbs(world.settle()) == ["apply", "status"]
    assert world.ready == ("True", "Reconciled")
    assert world.cron_job["spec"]["schedule"] == "*/5 * * * *"


def test_a_second_look_takes_none(settled: World) -> None:
    assert settled.reconcile() == []


def test_what_the_operator_wrote_itself_wakes_nobody(settled: World) -> None:
    before = len(settled.cluster.requests)
    settled.settle()
    assert len(settled.cluster.requests) == before


def test_a_changed_spec_takes_two_writes(settled: World) -> None:
    settled.change(timeout="5m")
    assert verbs(settled.settle()) == ["apply", "status"]
    assert settled.status["observedGeneration"] == 2


def test_a_field_that_is_taken_away_goes_from_the_cron_job(settled: World) -> None:
    settled.change(queue="batch", priority="high")
    settled.settle()
    template = settled.cron_job["spec"]["jobTemplate"]
    assert template["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "batch"
    settled.change(queue=None, priority=None)
    settled.settle()
    template = settled.cron_job["spec"]["jobTemplate"]
    assert "kueue.x-k8s.io/queue-name" not in template["metadata"]["labels"]
    assert "priorityClassName" not in template["spec"]["template"]["spec"]


def test_whether_alerts_speak_of_it_is_switched_without_a_write_to_the_cron_job(settled: World) -> None:
    series = ("scheduledjob_alert_on_failure", {"namespace": NAMESPACE, "name": KEY.name})
    before = copy.deepcopy(settled.cron_job)
    assert REGISTRY.get_sample_value(*series) is None
    settled.change(alertOnFailure=False)
    assert verbs(settled.settle()) == ["status"]
    assert REGISTRY.get_sample_value(*series) == 0
    assert settled.cron_job == before


def test_a_restart_takes_none(settled: World) -> None:
    settled.put_job(JOB, slot=NOON, status=COMPLETE)
    settled.put_pod(crashed(exit_code=0))
    settled.settle()
    before = len(settled.cluster.requests)
    settled.restart()
    assert settled.settle() == []
    assert len(settled.cluster.requests) == before, "nor is anything read again"
    assert settled.runs() == [(JOB, "Succeeded")]


def test_a_deletion_takes_none(settled: World) -> None:
    settled.cluster.delete("ScheduledJob", *KEY)
    assert not settled.has_cron_job, "its owner reference collects it"
    assert settled.settle() == []


def test_a_run_takes_two(settled: World) -> None:
    settled.now = after_noon(300)
    settled.put_job(JOB, slot=after_noon(300), created=after_noon(300))
    assert verbs(settled.settle()) == ["status"]
    settled.put_pod(pod(status=bodies.running(after_noon(301))))
    assert settled.settle() == []
    settled.now = after_noon(313)
    settled.cluster.put("Pod", crashed(exit_code=0))
    job = settled.cluster.objects["Job", NAMESPACE, JOB]
    settled.cluster.put("Job", {**job, "status": COMPLETE})
    assert verbs(settled.settle()) == ["status"]
    assert settled.runs() == [(JOB, "Succeeded")]


def test_two_that_are_unlike_do_not_touch_each_other(settled: World) -> None:
    settled.create({"schedule": "@daily", "command": ["true"]}, name="vacuum", uid="uid-of-vacuum")
    writes = settled.settle()
    assert {write.name for write in writes} == {"vacuum"}
    assert settled.reconcile() == settled.reconcile(Key(NAMESPACE, "vacuum")) == []


# What is not there


def test_an_unknown_scheduled_job_is_nobodys_business(world: World) -> None:
    assert world.reconcile(Key("no", "where")) == []
    assert world.cluster.requests == []


def test_one_that_is_being_deleted_is_left_alone(world: World) -> None:
    world.create(deletionTimestamp=text(NOON), finalizers=["foregroundDeletion"])
    assert world.settle() == []
    assert world.cluster.requests == []


def test_one_that_went_before_its_status_was_written_is_forgotten(settled: World) -> None:
    settled.change(timeout="5m")
    settled.deliver()
    settled.cluster.rule = lambda request: refused(404) if request.verb == "status" else None
    assert verbs(settled.reconcile()) == ["apply"]
    assert settled.store.scheduled_job(KEY) is None
    assert KEY not in settled.due


def test_a_cron_job_is_not_made_again_for_one_that_went_unnoticed(settled: World) -> None:
    """A relist of kopf does not report what was deleted meanwhile; the deleted CronJob is what shows it."""
    settled.cluster.delete("ScheduledJob", *KEY)
    change = next(
        change for change in settled.cluster.changes if change.kind == "CronJob" and not change.after
    )
    assert change.before is not None
    settled.controller.deleted("CronJob", change.before)
    assert settled.reconcile() == []
    assert not settled.has_cron_job
    assert settled.store.scheduled_job(KEY) is None


def test_nor_for_one_whose_successor_is_not_known_yet(settled: World) -> None:
    settled.cluster.delete("ScheduledJob", *KEY)
    change = next(
        change for change in settled.cluster.changes if change.kind == "CronJob" and not change.after
    )
    assert change.before is not None
    settled.create(uid="successor")
    settled.controller.deleted("CronJob", change.before)
    assert settled.reconcile() == []
    assert verbs(settled.settle()) == ["apply", "status"]
    assert settled.cron_job["metadata"]["ownerReferences"][0]["uid"] == "successor"


# Views that are out of date


def test_the_status_of_a_predecessor_does_not_land_on_its_successor(settled: World) -> None:
    settled.change(schedule="61 * * * *")
    settled.deliver()
    settled.cluster.delete("ScheduledJob", *KEY)
    settled.create(uid="successor")
    with pytest.raises(ApiError) as caught:
        settled.reconcile()
    assert caught.value.status == 409
    assert settled.status == {"observedGeneration": -1}
    assert verbs(settled.settle()) == ["apply", "status"]
    assert settled.ready == ("True", "Reconciled")


def test_a_newer_spec_is_not_taken_for_reconciled(settled: World) -> None:
    settled.change(timeout="5m")
    settled.deliver()
    settled.change(timeout="6m")
    with pytest.raises(ApiError) as caught:
        settled.reconcile()
    assert caught.value.status == 409
    assert settled.status["observedGeneration"] == 1
    assert verbs(settled.settle()) == ["apply", "status"]
    assert settled.status["observedGeneration"] == 3


def test_what_somebody_else_wrote_into_the_status_is_put_right(settled: World) -> None:
    right = dict(settled.status)
    wrong = {**right, "activeCount": 7, "scheduler": "None", "counts": {**right["counts"], "succeeded": 0}}
    settled.cluster.put("ScheduledJob", {**settled.scheduled_job, "status": wrong})
    assert verbs(settled.settle()) == ["status"]
    assert settled.status == right


# Bad specs


@pytest.mark.parametrize(
    ("spec", "reason", "words"),
    [
        ({"schedule": "61 * * * *"}, "InvalidSchedule", "61"),
        ({"timeZone": "Mars/Olympus"}, "InvalidSchedule", "is not a time zone"),
        ({"timeout": "25d"}, "InvalidSpec", "spec.timeout: is not a duration: write"),
        ({"timeout": "1000h"}, "InvalidSpec", "spec.timeout: must be a duration from 1s to 720h"),
        ({"command": ["true"]}, "InvalidSpec", "spec: give either handler or command"),
        ({"handler": None}, "InvalidSpec", "spec: give either handler or command"),
        (
            {"retry": {"limit": -1}},
            "InvalidSpec",
            "spec.retry.limit: must be 0 or more",
        ),
        ({"history": {"failedJobs": 51}}, "InvalidSpec", "spec.history.failedJobs: must be 50 or less"),
        ({"retry": {"backoff": {"factor": 11}}}, "InvalidSpec", "factor: must be 10 or less"),
        ({"image": ""}, "InvalidSpec", "spec.image: must have at least 1 character"),
        ({"command": [], "handler": None}, "InvalidSpec", "spec.command: must have at least 1 item"),
        ({"command": "x" * 3}, "InvalidSpec", "spec.command: must be a list"),
        ({"env": [{}]}, "InvalidSpec", "spec.env.0.name: has to be given"),
    ],
    ids=str,
)
def test_a_bad_spec_is_a_status_and_the_last_good_cron_job_stays(
    settled: World, spec: dict[str, Any], reason: str, words: str
) -> None:
    before = settled.cron_job
    settled.change(**spec)
    assert verbs(settled.settle()) == ["status", "event"]
    assert settled.ready == ("False", reason)
    assert words in settled.message
    assert f"{words}s" not in settled.message
    assert settled.cron_job == before
    assert settled.status["scheduler"] == "CronJob"
    assert len(settled.status["nextRunTimes"]) == 5
    assert settled.reconcile() == []


def test_a_bad_spec_from_the_start_makes_no_cron_job(world: World) -> None:
    world.create({"schedule": "every day", "handler": "sync"})
    assert verbs(world.settle()) == ["status", "event"]
    assert not world.has_cron_job
    assert (world.status["scheduler"], world.status["nextRunTimes"]) == ("None", [])
    assert "cronJobName" not in world.status


def test_a_good_spec_after_a_bad_one_is_as_if_the_bad_one_had_never_been(settled: World) -> None:
    before = copy.deepcopy(settled.status)
    settled.change(schedule="61 * * * *")
    settled.settle()
    settled.change(schedule="*/5 * * * *")
    assert verbs(settled.settle()) == ["status", "event"], "the CronJob was good all the time"
    after = settled.status
    assert settled.condition("Ready")["lastTransitionTime"] == text(settled.now)
    for condition in after["conditions"]:
        condition["observedGeneration"] = 1
    after["observedGeneration"] = 1
    assert after == before


def test_a_bad_spec_does_not_shorten_the_ledger(settled: World) -> None:
    settled.change(history={"runs": 100})
    settled.settle()
    settled.now = after_noon(7200)
    for number in range(30):
        slot = after_noon(60 * number)
        status = bodies.failed(slot, slot, pods=0)
        settled.put_job(f"job-{number}", slot=slot, created=slot, status=status)
    settled.settle()
    for number in range(30):
        settled.cluster.delete("Job", NAMESPACE, f"job-{number}")
    settled.change(schedule="61 * * * *")
    settled.settle()
    assert len(settled.runs()) == 30


# The API server does not answer


@pytest.mark.parametrize(
    "error", [OVERLOADED, UNREACHABLE, refused(429, "slow down"), refused(503), refused(401)], ids=str
)
def test_a_call_that_failed_is_an_exception_and_no_status(world: World, error: ApiError) -> None:
    world.create()
    world.deliver()
    world.cluster.outcomes.append(error)
    with pytest.raises(ApiError):
        world.reconcile()
    assert world.status == {"observedGeneration": -1}
    assert verbs(world.settle()) == ["apply", "status"]


@pytest.mark.parametrize("step", range(2))
def test_a_write_whose_answer_was_lost_is_not_done_twice_in_effect(world: World, step: int) -> None:
    world.create()
    world.cluster.outcomes.extend([None] * step + [LOST])
    world.settle()
    assert world.cron_job["metadata"]["generation"] == 1
    assert world.ready == ("True", "Reconciled")
    assert world.reconcile() == []


@pytest.mark.parametrize("step", range(2))
def test_an_operator_that_dies_after_any_request_is_continued_by_the_next(world: World, step: int) -> None:
    reference = World()
    reference.create()
    reference.settle()
    world.create()
    world.deliver()
    world.cluster.outcomes.extend([None] * step + [LOST])
    with pytest.raises(ApiError):
        world.reconcile()
    world.restart()
    world.settle()
    assert world.status == reference.status
    assert world.cron_job["spec"] == reference.cron_job["spec"]
