"""Runs on their way from the watches into the ledger, and the Events about them."""

from datetime import timedelta
from typing import Any

import pytest

from scheduledjob_operator.cluster import ApiError
from tests.unit import bodies
from tests.unit.bodies import NAMESPACE, Body
from tests.unit.endings import COMPLETE, GIVEN_UP, JOB, crashed, deleted, pod
from tests.unit.fake_cluster import OVERLOADED, refused
from tests.unit.moments import NOON, after_noon, text
from tests.unit.world import KEY, World, verbs


@pytest.fixture
def world() -> World:
    """One ScheduledJob, in sync."""
    world = World()
    world.create()
    world.settle()
    return world


def end(world: World, status: Body, *pods: Body) -> None:
    """The Job ends; its Pods are seen first."""
    for body in pods:
        world.put_pod(body)
    job = world.cluster.objects["Job", NAMESPACE, JOB]
    world.cluster.put("Job", {**job, "status": status})


def started(world: World) -> None:
    world.put_job(JOB, slot=NOON)
    world.put_pod(pod(status=bodies.running(after_noon(1))))
    world.settle()


# The order of the two watches


def test_a_pod_that_is_seen_before_its_job_is_not_lost(world: World) -> None:
    world.put_pod(crashed(exit_code=3))
    assert world.settle() == []
    world.put_job(JOB, slot=NOON, status=GIVEN_UP)
    world.settle()
    assert world.status["lastRun"]["exitCode"] == 3


def test_a_job_that_is_seen_to_end_before_its_pod_waits_for_it(world: World) -> None:
    started(world)
    world.now = after_noon(13.5)
    end(world, GIVEN_UP)
    assert world.settle() == []
    assert world.due[KEY] == after_noon(13.8)
    world.put_pod(crashed(exit_code=3))
    assert verbs(world.settle()) == ["status", "event"]
    assert world.status["lastRun"]["exitCode"] == 3


def test_it_does_not_wait_for_ever(world: World) -> None:
    started(world)
    world.now = after_noon(13.5)
    end(world, GIVEN_UP)
    world.settle()
    for _ in range(20):
        world.wait(0.3)
    assert world.runs() == [(JOB, "Failed")]
    assert world.status["lastRun"]["reason"] == "BackoffLimitExceeded"
    assert [write.verb for write in world.cluster.writes].count("status") == 3


# Once and only once


def test_a_run_is_counted_once_over_all_that_follows(world: World) -> None:
    started(world)
    end(world, COMPLETE, crashed(exit_code=0))
    world.settle()
    for follow in (
        lambda: world.put_pod(deleted(crashed(exit_code=0))),
        lambda: world.cluster.delete("Pod", NAMESPACE, f"{JOB}-p1"),
        world.restart,
        lambda: world.change(timeout="5m"),
        lambda: world.cluster.delete("Job", NAMESPACE, JOB),
        world.restart,
    ):
        follow()
        world.settle()
    assert world.status["counts"]["succeeded"] == 1
    assert world.runs() == [(JOB, "Succeeded")]


def test_a_run_that_does_not_fit_into_the_ledger_is_counted_once(world: World) -> None:
    world.change(history={"runs": 1})
    world.settle()
    for number in range(3):
        slot = after_noon(60 * number)
        world.put_job(f"job-{number}", slot=slot, created=slot, status=bodies.failed(slot, slot, pods=0))
        world.deliver()
        world.cluster.delete("Job", NAMESPACE, f"job-{number}")
    world.settle()
    assert world.reconcile() == world.reconcile() == []
    assert world.status["counts"]["failed"] == 3
    assert world.runs() == [("job-2", "Failed")]
    assert world.store.gone_jobs(KEY) == []


def test_a_status_that_could_not_be_written_is_written_later_with_the_same_run(world: World) -> None:
    started(world)
    end(world, GIVEN_UP, crashed(exit_code=3))
    world.deliver()
    world.cluster.outcomes.append(OVERLOADED)
    with pytest.raises(ApiError):
        world.reconcile()
    world.cluster.delete("Job", NAMESPACE, JOB)
    world.settle()
    assert world.runs() == [(JOB, "Failed")]
    assert world.status["lastRun"]["exitCode"] == 3


def test_nothing_is_kept_of_a_run_that_is_over(world: World) -> None:
    started(world)
    end(world, COMPLETE, crashed(exit_code=0))
    world.settle()
    assert world.store.pods(KEY) == []
    world.cluster.delete("Job", NAMESPACE, JOB)
    world.settle()
    assert (world.store.jobs(KEY), world.store.gone_jobs(KEY)) == ([], [])


def test_a_job_that_went_while_the_operator_was_down_is_told(world: World) -> None:
    started(world)
    world.cluster.delete("Job", NAMESPACE, JOB)
    world.restart()
    world.settle()
    assert world.runs() == [(JOB, "Unknown")]
    assert world.cluster.events() == []


# Short runs


def patient() -> World:
    """One in sync, whose operator holds a beginning back for three seconds."""
    world = World(start_patience=timedelta(seconds=3))
    world.create()
    world.settle()
    world.go_to(300)
    return world


def test_a_run_that_is_over_in_a_moment_costs_one_write() -> None:
    world = patient()
    name = world.start_slot(300)
    assert world.settle() == []
    world.go_to(302)
    world.finish(name)
    assert verbs(world.settle()) == ["status"]
    assert world.runs() == [(name, "Succeeded")]
    assert world.status["active"] == []
    assert world.status["accountedUntil"] == text(after_noon(300))


def test_one_that_lasts_is_shown_as_active_when_the_moment_is_over() -> None:
    world = patient()
    name = world.start_slot(300)
    world.settle()
    assert world.active() == []
    assert verbs(world.go_to(303)) == ["status"]
    assert world.active() == [name]


def test_one_of_that_moment_is_told_along_with_whatever_else_there_is() -> None:
    world = patient()
    name = world.start_slot(300)
    world.settle()
    world.change(timeout="5m")
    assert verbs(world.settle()) == ["apply", "status"]
    assert world.active() == [name]


def test_one_of_that_moment_is_not_lost_with_the_operator() -> None:
    world = patient()
    name = world.start_slot(300)
    world.settle()
    world.restart()
    world.go_to(304)
    assert world.active() == [name]
    assert world.status["counts"]["missed"] == 0


# Events


@pytest.mark.parametrize(
    ("status", "body", "event"),
    [
        (COMPLETE, crashed(exit_code=0), None),
        (
            GIVEN_UP,
            crashed(exit_code=3, message="secret in a log"),
            ("RunFailed", "Failed: ExitCode, exit code 3"),
        ),
        (
            GIVEN_UP,
            crashed(exit_code=137, reason="OOMKilled"),
            ("RunFailed", "Failed: OOMKilled, exit code 137"),
        ),
        (
            GIVEN_UP,
            pod(
                status={
                    **bodies.ended(137, started=NOON, finished=after_noon(9)),
                    "reason": "DeadlineExceeded",
                }
            ),
            ("RunTimedOut", "TimedOut: DeadlineExceeded, exit code 137"),
        ),
    ],
    ids=["went well", "failed", "out of memory", "timed out"],
)
def test_a_run_that_did_not_succeed_is_told_once(world: World, status: Body, body: Body, event: Any) -> None:
    started(world)
    end(world, status, body)
    world.settle()
    told = [(reason, f"run {JOB} ended as {ending}") for reason, ending in filter(None, [event])]
    assert world.cluster.events() == told
    world.restart()
    world.settle()
    assert world.cluster.events() == told


def test_how_many_attempts_it_took_is_told(world: World) -> None:
    started(world)
    end(world, bodies.failed(NOON, after_noon(73), pods=2), crashed(1), crashed(2))
    world.settle()
    assert world.cluster.events() == [
        ("RunFailed", f"run {JOB} ended as Failed after 2 attempts: ExitCode, exit code 1")
    ]


def test_a_cancelled_run_is_told(world: World) -> None:
    started(world)
    world.cluster.delete("Job", NAMESPACE, JOB)
    world.settle()
    assert world.cluster.events() == [("RunCancelled", f"run {JOB} ended as Cancelled: JobDeleted")]


def test_turning_false_and_true_again_is_told_and_nothing_between(world: World) -> None:
    def told() -> list[str]:
        world.settle()
        return [reason for reason, _ in world.cluster.events()]

    assert told() == [], "that a new one is in sync is no news"
    world.change(schedule="61 * * * *")
    assert told() == ["InvalidSchedule"]
    world.change(timeout="5m")
    assert told() == ["InvalidSchedule"]
    world.change(schedule="62 * * * *")
    assert told() == ["InvalidSchedule", "InvalidSchedule"], "another mistake is"
    world.restart()
    assert told() == ["InvalidSchedule", "InvalidSchedule"]
    world.change(schedule="@daily")
    assert told() == ["InvalidSchedule", "InvalidSchedule", "Reconciled"]


def test_an_event_says_what_it_is_about_and_who_says_it(world: World) -> None:
    world.change(schedule="61 * * * *")
    world.settle()
    (event,) = [write.body for write in world.cluster.writes if write.verb == "event"]
    assert event["regarding"] == {
        "apiVersion": "scheduledjob.dev/v1alpha1",
        "kind": "ScheduledJob",
        "namespace": NAMESPACE,
        "name": "portfolio-sync",
        "uid": world.scheduled_job["metadata"]["uid"],
    }
    assert (event["type"], event["action"]) == ("Warning", "Reconcile")
    assert event["reportingController"] == "scheduledjob.dev/scheduledjob-operator"
    assert event["metadata"]["namespace"] == NAMESPACE
    assert event["eventTime"] == "2026-11-22T12:00:30.000000Z"
    assert len(event["note"]) <= 1024


def test_an_event_that_is_refused_costs_nothing_else(world: World) -> None:
    world.cluster.rule = lambda request: refused(403) if request.verb == "event" else None
    started(world)
    end(world, GIVEN_UP, crashed(exit_code=3))
    assert verbs(world.settle()) == ["status"]
    assert world.errors == []
    assert world.runs() == [(JOB, "Failed")]
