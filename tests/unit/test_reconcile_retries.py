"""Attempts with a back-off of the operator's own: each a Job, at its time."""

import pytest

from tests.unit.bodies import NAME, NAMESPACE
from tests.unit.fake_cluster import refused
from tests.unit.moments import after_noon, text
from tests.unit.retried import RUN, SECOND, THIRD, failed_once


def test_a_failed_attempt_waits_for_the_next_one_at_an_absolute_time() -> None:
    world = failed_once()
    assert world.pending() == [(RUN, "Backoff", text(after_noon(340)))]
    assert (world.active(), world.runs(), world.created()) == ([], [], [])
    (entry,) = world.status["pending"]
    assert (entry["jobName"], entry["attempt"], entry["trigger"]) == (SECOND, 2, "Schedule")
    assert (entry["result"], entry["startTime"]) == ("Failed", text(after_noon(300)))
    assert [attempt["exitCode"] for attempt in entry["attempts"]] == [1]
    assert world.status["counts"]["failed"] == world.status["consecutiveFailures"] == 0, "it is not over"


def test_it_is_written_down_before_its_job_is_made() -> None:
    world = failed_once()
    world.go_to(340)
    order = [(write.verb, write.body) for write in world.cluster.writes if write.verb in ("status", "create")]
    created = [verb for verb, _ in order].index("create")
    written = [entry for _, body in order[:created] for entry in body.get("pending") or []]
    assert (written[-1]["jobName"], written[-1]["dueTime"]) == (SECOND, text(after_noon(340)))


@pytest.mark.parametrize("seconds", [311, 339.9])
def test_nothing_starts_before_its_time(seconds: float) -> None:
    world = failed_once()
    world.go_to(seconds)
    world.restart()
    world.settle()
    assert world.created() == []


def test_no_request_is_made_while_it_waits() -> None:
    world = failed_once()
    before = len(world.cluster.requests)
    world.go_to(339)
    assert len(world.cluster.requests) == before


def test_the_next_attempt_is_a_job_of_its_own_at_its_time() -> None:
    world = failed_once()
    world.go_to(340)
    assert world.created() == [SECOND]
    assert world.job(SECOND)["metadata"]["creationTimestamp"] == text(after_noon(340))
    assert (world.active(), world.pending()) == ([RUN], [])
    (run,) = world.status["active"]
    assert (run["jobName"], run["attempt"], run["startTime"]) == (SECOND, 2, text(after_noon(300)))


def test_its_job_says_which_run_and_attempt_it_is_and_so_does_its_pod() -> None:
    world = failed_once()
    world.go_to(340)
    body = world.job(SECOND)
    told = {
        "scheduledjob.dev/run-id": RUN,
        "scheduledjob.dev/attempt": "2",
        "scheduledjob.dev/slot": text(after_noon(300)),
        "scheduledjob.dev/trigger": "Schedule",
    }
    assert body["metadata"]["annotations"] == told
    assert body["spec"]["template"]["metadata"]["annotations"].items() >= told.items()
    assert body["spec"]["backoffLimit"] == 0, "Kubernetes must not try again as well"


def test_its_job_is_the_cron_jobs_own_like_any_other() -> None:
    world = failed_once()
    world.go_to(340)
    metadata = world.job(SECOND)["metadata"]
    (owner,) = metadata["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("CronJob", NAME, True)
    assert owner["uid"] == world.cron_job["metadata"]["uid"]
    assert metadata["labels"] == world.cron_job["spec"]["jobTemplate"]["metadata"]["labels"]


@pytest.mark.parametrize(("policy", "told"), [("Forbid", [SECOND]), ("Replace", [SECOND]), ("Allow", [])])
def test_kubernetes_is_told_of_it_where_two_may_not_be_active(policy: str, told: list[str]) -> None:
    world = failed_once(concurrencyPolicy=policy)
    world.go_to(340)
    assert world.told_active() == told


def test_what_kubernetes_takes_for_active_already_stays() -> None:
    world = failed_once()
    status = {**world.cron_job["status"], "active": [{"kind": "Job", "name": "other", "uid": "x"}]}
    world.cluster.put("CronJob", {**world.cron_job, "status": status})
    world.go_to(340)
    assert world.told_active() == ["other", SECOND]


def test_an_entry_that_collides_with_kubernetes_own_is_written_again() -> None:
    world = failed_once()
    world.go_to(339)
    answers = iter([refused(409, "the object has been modified", "Conflict")])
    world.cluster.rule = lambda request: next(answers, None) if request.verb == "tell" else None
    world.go_to(340)
    assert world.told_active() == [SECOND]
    assert world.errors == []


def test_the_run_succeeds_when_a_later_attempt_does() -> None:
    world = failed_once()
    world.go_to(345)
    world.finish(SECOND)
    world.settle()
    assert world.runs() == [(RUN, "Succeeded")]
    last = world.status["lastRun"]
    assert (last["jobName"], last["startTime"], last["endTime"], last["durationSeconds"]) == (
        SECOND,
        text(after_noon(300)),
        text(after_noon(345)),
        45,
    )
    attempts = [(entry["number"], entry.get("exitCode")) for entry in last["attempts"]]
    assert attempts == [(1, 1), (2, 0)]
    assert {name: count for name, count in world.status["counts"].items() if count} == {
        "succeeded": 1,
        "retries": 1,
    }
    assert world.cluster.events() == []


def test_each_wait_is_longer_than_the_one_before_and_the_last_failure_ends_the_run() -> None:
    world = failed_once(schedule="5 12 * * *")
    world.go_to(345)
    world.finish(SECOND, 1)
    world.settle()
    assert world.pending() == [(RUN, "Backoff", text(after_noon(405)))]
    world.go_to(410)
    world.finish(THIRD, 2)
    world.settle()
    assert world.runs() == [(RUN, "Failed")]
    assert world.created() == [SECOND, THIRD]
    assert world.status["lastRun"]["exitCode"] == 2
    assert world.status["consecutiveFailures"] == 1
    assert [letter["attempts"] for letter in world.status["deadLetters"]] == [3]
    assert sorted(reason for reason, _ in world.cluster.events()) == ["DeadLetter", "RunFailed"]
    world.go_to(4000)
    assert world.created() == [SECOND, THIRD]


def test_the_jobs_of_all_attempts_may_go_without_a_trace() -> None:
    world = failed_once()
    world.cluster.delete("Job", NAMESPACE, RUN)
    world.settle()
    world.go_to(345)
    world.finish(SECOND)
    world.settle()
    world.cluster.delete("Job", NAMESPACE, SECOND)
    world.settle()
    assert world.runs() == [(RUN, "Succeeded")]
    assert [entry.get("exitCode") for entry in world.status["lastRun"]["attempts"]] == [1, 0]
