"""What the status says of the CronJob: ready or not and since when, what comes next, when to look again."""

from datetime import timedelta
from typing import Any

import pytest

from scheduledjob_operator.models import Scheduler
from scheduledjob_operator.names import ReadyReason
from scheduledjob_operator.observed import CronJobSeen
from scheduledjob_operator.status import Ready
from tests.unit import bodies
from tests.unit.bodies import NAME
from tests.unit.endings import COMPLETE, JOB, crashed, pod
from tests.unit.ledger import READY, SPEC, Ledger, observe
from tests.unit.moments import MIDNIGHT, NOON, after_noon, text

INVALID = Ready(reason=ReadyReason.INVALID_SCHEDULE, message="write something else")
UNREADABLE: dict[str, Any] = {"spec": None, "schedule": None}


def cron_job(**given: Any) -> CronJobSeen:
    return CronJobSeen.from_body(bodies.cron_job(**given))


def test_the_first_status_is_complete() -> None:
    ledger = Ledger()
    assessment = ledger.see(observe())
    assert ledger.written == {
        "observedGeneration": 1,
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "Reconciled",
                "message": "the CronJob is in sync",
                "observedGeneration": 1,
                "lastTransitionTime": text(after_noon(30)),
            },
            {
                "type": "Healthy",
                "status": "Unknown",
                "reason": "NeverRan",
                "message": "no run has succeeded or failed yet",
                "observedGeneration": 1,
                "lastTransitionTime": text(after_noon(30)),
            },
        ],
        "cronJobName": NAME,
        "scheduler": "CronJob",
        "resolvedSchedule": "*/5 * * * *",
        "nextRunTimes": [text(after_noon(300 * number)) for number in range(1, 6)],
        "accountedUntil": ledger.written["accountedUntil"],
        "scheduledSince": text(after_noon(30)),
        "active": [],
        "pending": [],
        "activeCount": 0,
        "consecutiveFailures": 0,
        "counts": dict.fromkeys(
            ["succeeded", "failed", "timedOut", "cancelled", "unknown", "retries", "skipped", "missed"], 0
        ),
        "recentRuns": [],
        "unstarted": [],
        "deadLetters": [],
        "deadLettersDropped": 0,
        "requests": [],
    }
    assert assessment.new_runs == ()


def test_the_same_again_is_no_change() -> None:
    ledger = Ledger()
    ledger.see(observe())
    ledger.see(observe())
    assert len(ledger.patches) == 1


def test_only_what_changed_is_written() -> None:
    ledger = Ledger()
    ledger.see(observe())
    ledger.see(observe(jobs=[bodies.job(JOB, slot=NOON)]))
    assert ledger.patches[-1].keys() == {"active", "activeCount", "lastScheduleTime"}


# The condition


def test_the_transition_time_is_that_of_the_change_between_true_and_false() -> None:
    ledger = Ledger()

    def since(ready: Ready = READY, *, seconds: float, generation: int = 1) -> Any:
        ledger.see(observe(now=after_noon(seconds)), generation=generation, ready=ready)
        return ledger.status.conditions[0].last_transition_time

    assert since(seconds=0) == after_noon(0)
    assert since(seconds=10, generation=2) == after_noon(0)
    assert since(INVALID, seconds=20, generation=3) == after_noon(20)
    other = Ready(reason=ReadyReason.NAME_CONFLICT, message="not ours")
    assert since(other, seconds=30, generation=4) == after_noon(20), "another reason is no transition"
    assert since(seconds=40, generation=5) == after_noon(40)


def test_what_is_wrong_is_said_for_the_generation_it_was_found_in() -> None:
    ledger = Ledger()
    ledger.see(observe())
    ledger.see(observe(**UNREADABLE), ready=INVALID, generation=2)
    condition = ledger.status.conditions[0]
    assert (condition.status, condition.reason, condition.message) == (
        "False",
        "InvalidSchedule",
        "write something else",
    )
    assert condition.observed_generation == ledger.status.observed_generation == 2


def test_a_failed_run_does_not_touch_ready() -> None:
    ledger = Ledger()
    failed = bodies.job(JOB, slot=NOON, status=bodies.failed(NOON, after_noon(13)))
    ledger.see(observe(jobs=[failed], pods=[crashed()]))
    assert (ledger.status.conditions[0].status, ledger.status.consecutive_failures) == ("True", 1)


def test_a_condition_of_somebody_else_is_not_ours_to_read() -> None:
    ledger = Ledger()
    ledger.written["conditions"] = [
        {"type": "Other", "status": "True", "reason": "X", "lastTransitionTime": text(MIDNIGHT)}
    ]
    ledger.see(observe())
    assert ledger.status.conditions[0].last_transition_time == after_noon(30)


# What comes next


@pytest.mark.parametrize(
    ("seen", "scheduler"),
    [
        ({}, Scheduler.CRON_JOB),
        ({"cron_job": None}, Scheduler.NONE),
        ({"cron_job": cron_job(spec={"suspend": True})}, Scheduler.NONE),
        ({"cron_job": cron_job(deletionTimestamp=text(NOON))}, Scheduler.NONE),
        (UNREADABLE, Scheduler.CRON_JOB),
        ({**UNREADABLE, "cron_job": None}, Scheduler.NONE),
    ],
    ids=[
        "in sync",
        "no CronJob",
        "disabled",
        "being deleted",
        "invalid, last good one",
        "invalid from the start",
    ],
)
def test_next_runs_are_those_of_a_cron_job_that_fires(seen: dict[str, Any], scheduler: Scheduler) -> None:
    ledger = Ledger()
    ledger.see(observe(**seen))
    assert ledger.status.scheduler is scheduler
    assert len(ledger.status.next_run_times) == (5 if scheduler is Scheduler.CRON_JOB else 0)


def test_after_disabling_nothing_comes_next() -> None:
    ledger = Ledger()
    ledger.see(observe())
    disabled = SPEC.model_copy(update={"enabled": False})
    assessment = ledger.see(observe(spec=disabled, cron_job=cron_job(spec={"suspend": True})), generation=2)
    assert ledger.written["nextRunTimes"] == []
    assert assessment.look_again is None


def test_next_runs_follow_the_cron_job_that_is_there_not_the_spec_that_was_refused() -> None:
    ledger = Ledger()
    other = cron_job(spec={"schedule": "0 3 * * *"})
    ledger.see(observe(**UNREADABLE, cron_job=other), ready=INVALID)
    assert ledger.status.resolved_schedule == "0 3 * * *"
    assert ledger.status.next_run_times[0] == MIDNIGHT + timedelta(days=1, hours=3)


def test_next_runs_are_in_the_cron_jobs_zone() -> None:
    ledger = Ledger()
    spec = {"schedule": "0 3 * * *", "timeZone": "America/New_York"}
    ledger.see(observe(cron_job=cron_job(spec=spec)))
    assert ledger.status.next_run_times[0] == MIDNIGHT + timedelta(days=1, hours=8)


def test_a_cron_job_without_a_zone_runs_in_utc() -> None:
    ledger = Ledger()
    ledger.see(observe(cron_job=cron_job(spec={"schedule": "0 3 * * *", "timeZone": None})))
    assert ledger.status.next_run_times[0] == MIDNIGHT + timedelta(days=1, hours=3)


@pytest.mark.parametrize("spec", [{"schedule": "every day"}, {"timeZone": "Mars/Olympus"}], ids=str)
def test_a_schedule_that_somebody_broke_by_hand_has_no_next_runs(spec: dict[str, Any]) -> None:
    ledger = Ledger()
    ledger.see(observe(cron_job=cron_job(spec=spec)))
    assert ledger.status.next_run_times == []


def test_a_schedule_that_ends_has_fewer_next_runs() -> None:
    ledger = Ledger()
    ledger.see(observe(cron_job=cron_job(spec={"schedule": "0 0 29 2 *"})))
    assert 1 <= len(ledger.status.next_run_times) <= 5


# When to look again


def test_it_looks_again_when_the_next_run_should_have_come() -> None:
    ledger = Ledger()
    assert ledger.see(observe()).look_again == after_noon(300 + 20)
    again = ledger.see(observe(now=after_noon(320)))
    assert ledger.status.next_run_times[0] == after_noon(600)
    assert again.look_again == after_noon(620)


def test_it_looks_again_soon_while_the_pod_that_explains_an_end_is_awaited() -> None:
    ledger = Ledger()
    job = bodies.job(JOB, slot=NOON, status=COMPLETE)  # ended at 12:00:13
    running = pod(status=bodies.running(after_noon(1)))
    now = after_noon(14)
    assert ledger.see(observe(jobs=[job], pods=[running], now=now)).look_again == after_noon(14.3)
    assert ledger.status.active_count == 1, "until then it counts as active"
    assert ledger.runs() == []


@pytest.mark.parametrize(
    ("seconds", "pods", "done"),
    [
        (13, [], False),
        (15.9, [], False),
        (16, [], True),
        (3600, [], True),
        (12, [], True),
        (13, [crashed(exit_code=0)], True),
    ],
    ids=[
        "at once",
        "just before patience ends",
        "when patience ends",
        "long after",
        "by a clock that is behind",
        "with the Pod",
    ],
)
def test_the_end_of_a_job_waits_three_seconds_for_its_pod(seconds: float, pods: Any, done: bool) -> None:
    ledger = Ledger()
    job = bodies.job(JOB, slot=NOON, status=COMPLETE)
    ledger.see(observe(jobs=[job], pods=pods, now=after_noon(seconds)))
    assert ledger.runs() == ([(JOB, "Succeeded")] if done else [])
