"""Attempts with a back-off of the operator's own: each a Job, at its time, whatever happens in between."""

from typing import Any

import pytest

from scheduledjob_operator.cluster import ApiError
from scheduledjob_operator.job_names import slot_job
from tests.unit.bodies import NAME, NAMESPACE
from tests.unit.fake_cluster import LOST, OVERLOADED, UNREACHABLE, refused
from tests.unit.moments import after_noon, text
from tests.unit.world import KEY, World, verbs

RETRY: dict[str, Any] = {"limit": 2, "backoff": {"initial": "30s"}}
"""Attempts half a minute and then a minute after the end of the one before."""
RUN = slot_job(NAME, after_noon(300))
"""The run of the slot five minutes after noon."""
SECOND, THIRD = f"{RUN}-r2", f"{RUN}-r3"


def world_with(**fields: Any) -> World:
    """One in sync, every five minutes."""
    world = World()
    world.create({"schedule": "*/5 * * * *", "handler": "sync", **fields})
    world.settle()
    return world


def failed_once(*, exit_code: int = 1, **fields: Any) -> World:
    """The run of the first slot fails ten seconds after it."""
    world = world_with(**{"retry": RETRY, **fields})
    world.go_to(300)
    assert world.start_slot(300) == RUN
    world.settle()
    world.go_to(310)
    world.finish(RUN, exit_code)
    world.settle()
    return world


# Between two attempts


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


# The next attempt


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


# When there is none


@pytest.mark.parametrize(
    ("fields", "exit_code"),
    [
        ({}, 65),
        ({"retry": {**RETRY, "neverOnExitCodes": [3]}}, 3),
        ({"retry": {**RETRY, "limit": 0}}, 1),
        ({"retry": {"limit": 2}}, 1),
    ],
    ids=["an exit code of sysexits.h", "an exit code of its own", "no retries", "retries by Kubernetes"],
)
def test_a_failure_that_ends_the_run_is_not_tried_again(fields: dict[str, Any], exit_code: int) -> None:
    world = failed_once(exit_code=exit_code, **fields)
    assert world.runs() == [(RUN, "Failed")]
    world.go_to(599)
    assert (world.pending(), world.created()) == ([], [])


def test_a_success_is_not_tried_again() -> None:
    assert failed_once(exit_code=0).pending() == []


def test_a_job_that_somebody_deleted_is_not_tried_again() -> None:
    world = world_with(retry=RETRY)
    world.go_to(300)
    world.start_slot(300)
    world.settle()
    world.cluster.delete("Job", NAMESPACE, RUN)
    world.settle()
    assert (world.runs(), world.pending()) == ([(RUN, "Cancelled")], [])


def test_a_run_that_is_called_off_between_two_attempts_ends() -> None:
    world = failed_once()
    world.annotate(cancel=RUN)
    world.settle()
    assert (world.runs(), world.pending()) == ([(RUN, "Cancelled")], [])
    world.go_to(500)
    assert world.created() == []


def test_retries_that_are_taken_from_the_spec_do_not_keep_a_waiting_run_from_its_attempt() -> None:
    world = failed_once()
    world.change(retry={"limit": 2})
    world.settle()
    world.go_to(350)
    assert world.created() == [SECOND]


def test_an_attempt_is_dropped_when_the_run_of_a_later_slot_has_begun() -> None:
    world = failed_once(retry={"limit": 2, "backoff": {"initial": "10m"}})
    world.go_to(600)
    later = world.start_slot(600)
    world.settle()
    assert world.runs() == [(RUN, "Failed")]
    assert world.status["lastRun"]["reason"] == "Superseded"
    assert world.status["lastRun"]["endTime"] == text(after_noon(310))
    assert (world.active(), world.pending()) == ([later], [])
    world.go_to(620)
    world.finish(later)
    world.go_to(899)
    assert world.created() == []
    assert world.status.get("deadLetters") == []


def test_an_attempt_that_is_kept_waits_for_the_run_of_the_later_slot() -> None:
    world = failed_once(retry={"limit": 2, "backoff": {"initial": "10m"}, "keepAcrossSlots": True})
    world.go_to(600)
    world.start_slot(600)
    world.go_to(620)
    world.finish(slot_job(NAME, after_noon(600)))
    world.go_to(900)
    last = world.start_slot(900)
    world.go_to(930)
    assert world.created() == [], "one is active"
    world.finish(last)
    world.settle()
    assert world.created() == [SECOND]
    assert (world.active(), world.pending()) == ([RUN], [])


def test_nothing_starts_right_before_a_slot_that_kubernetes_will_start() -> None:
    world = failed_once(retry={"limit": 2, "backoff": {"initial": "288s"}})  # due two seconds before a slot
    world.go_to(599)
    assert world.created() == []
    assert world.pending() == [(RUN, "Backoff", text(after_noon(598)))]


# What goes wrong on the way


def test_an_attempt_whose_job_is_refused_waits_and_is_tried_again() -> None:
    world = failed_once()
    quota = refused(403, 'jobs.batch "x" is forbidden: exceeded quota: few, requested: 1, used: 1')
    world.cluster.rule = lambda request: quota if request.verb == "create" else None
    world.go_to(350)
    assert world.pending() == [(RUN, "Backoff", text(after_noon(340)))]
    world.cluster.rule = lambda _: None
    world.go_to(370)
    assert world.created() == [SECOND]
    assert world.active() == [RUN]


def test_one_that_is_refused_for_too_long_fails_with_the_reason() -> None:
    world = failed_once(pendingTimeout="1m")
    quota = refused(403, 'jobs.batch "x" is forbidden: exceeded quota: few, requested: 1, used: 1')
    world.cluster.rule = lambda request: quota if request.verb == "create" else None
    world.go_to(420)
    assert world.runs() == [(RUN, "Failed")]
    assert world.status["lastRun"]["reason"] == "QuotaExceeded"
    assert "exceeded quota: few" in world.status["lastRun"]["message"]
    assert world.pending() == []


def test_a_job_of_that_name_that_is_not_ours_is_left_alone() -> None:
    world = failed_once(pendingTimeout="1m")
    world.put_job(SECOND, labels={}, annotations={})
    body = world.job(SECOND)
    foreign = {
        **body["metadata"],
        "ownerReferences": [{**body["metadata"]["ownerReferences"][0], "uid": "x"}],
    }
    world.cluster.objects["Job", NAMESPACE, SECOND] = {**body, "metadata": foreign}
    world.go_to(420)
    assert world.runs() == [(RUN, "Failed")]
    assert world.status["lastRun"]["reason"] == "NameConflict"
    assert [write.verb for write in world.cluster.writes if write.name == SECOND] == []


@pytest.mark.parametrize("outcome", [LOST, OVERLOADED, UNREACHABLE], ids=["lost answer", "500", "no answer"])
@pytest.mark.parametrize("restarted", [False, True], ids=["", "and restarted"])
def test_a_creation_that_broke_off_makes_one_job(outcome: Any, restarted: bool) -> None:
    world = failed_once()
    world.go_to(339)
    answers = iter([outcome])

    def once(request: Any) -> ApiError | None:
        if request.verb == "create" and (answer := next(answers, None)):
            if answer == LOST:
                world.cluster.outcomes.append(LOST)
                return None
            return answer  # type: ignore[no-any-return]
        return None

    world.cluster.rule = once
    world.now = after_noon(340)
    world.deliver()
    with pytest.raises(ApiError):
        world.reconcile()
    if restarted:
        world.restart()
    world.settle()
    assert world.job_names() == [RUN, SECOND]
    assert world.active() == [RUN]
    world.go_to(345)
    world.finish(SECOND)
    world.settle()
    assert world.runs() == [(RUN, "Succeeded")]
    assert world.created() == [SECOND]


def whole_story(world: World, *, until: float = 420) -> None:
    """Fails, fails again, succeeds at the third attempt."""
    world.go_to(300)
    world.start_slot(300)
    for seconds, name, exit_code in ((310, RUN, 1), (345, SECOND, 1), (410, THIRD, 0)):
        world.go_to(seconds)
        world.finish(name, exit_code)
    world.go_to(until)


def told(world: World) -> tuple[Any, ...]:
    status = {key: value for key, value in world.status.items() if key != "pending"}
    return status, world.job_names(), world.pending(), world.told_active()


REFERENCE = world_with(retry=RETRY)
STEPS_BEFORE = len(REFERENCE.cluster.requests)
whole_story(REFERENCE)
STEPS = len(REFERENCE.cluster.requests) - STEPS_BEFORE


@pytest.mark.parametrize("outcome", [LOST, UNREACHABLE], ids=["after", "before"])
@pytest.mark.parametrize("step", range(STEPS))
def test_an_operator_that_dies_at_any_request_is_continued_by_the_next(step: int, outcome: Any) -> None:
    world = world_with(retry=RETRY)
    world.cluster.outcomes.extend([None] * step + [outcome])
    world.dies_of_errors = True
    whole_story(world)
    assert world.created() == [SECOND, THIRD]
    assert told(world) == told(REFERENCE)


@pytest.mark.parametrize("seconds", [305, 311, 339, 341, 346, 404, 406, 411])
def test_an_operator_that_is_started_anew_at_any_time_goes_on(seconds: float) -> None:
    world = world_with(retry=RETRY)
    world.go_to(300)
    world.start_slot(300)
    moments = [(310, RUN, 1), (345, SECOND, 1), (410, THIRD, 0)]
    for at, name, exit_code in moments:
        if world.now <= after_noon(seconds) <= after_noon(at):
            world.go_to(seconds)
            world.restart()
            world.settle()
        world.go_to(at)
        world.finish(name, exit_code)
    world.go_to(420)
    assert told(world) == told(REFERENCE)


def test_an_attempt_that_fell_due_while_the_operator_was_away_is_made_when_it_is_back() -> None:
    world = failed_once(schedule="5 12 * * *")
    world.now = after_noon(2000)
    world.restart()
    assert "create" in verbs(world.settle())
    assert world.created() == [SECOND]
    assert world.active() == [RUN]
    assert KEY in world.due
