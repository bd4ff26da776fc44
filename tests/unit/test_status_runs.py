"""The ledger in the status: every run once, in order, with the right totals."""

from typing import Any

import pytest

from scheduledjob_operator.models import ConcurrencyPolicy
from scheduledjob_operator.status import MOST_RUNS
from tests.unit import bodies
from tests.unit.bodies import Body
from tests.unit.endings import report
from tests.unit.ledger import Ledger, observe
from tests.unit.moments import NOON, after_noon, text


def job(number: int, *, status: Body | None = None, **given: Any) -> Body:
    """The Job of the n-th minute after noon."""
    slot = after_noon(60 * number)
    return bodies.job(f"job-{number}", created=slot, slot=slot, status=status, **given)


def pod(number: int, exit_code: int, *, attempt: int = 1, seconds: float = 10, **given: Any) -> Body:
    start = 60 * number + 20 * (attempt - 1)
    status = bodies.ended(exit_code, started=after_noon(start), finished=after_noon(start + seconds), **given)
    name = f"job-{number}-p{attempt}"
    return bodies.pod(name, job_name=f"job-{number}", created=after_noon(start), status=status)


def ran(number: int, *exit_codes: int, seconds: float = 10) -> tuple[Body, list[Body]]:
    """The Job of the n-th minute, which ended with the last exit code, and its Pods."""
    codes = enumerate(exit_codes, start=1)
    pods = [pod(number, code, attempt=attempt, seconds=seconds) for attempt, code in codes]
    start = after_noon(60 * number)
    end = after_noon(60 * number + 20 * (len(pods) - 1) + seconds)
    if exit_codes[-1] == 0:
        status = {**bodies.complete(start, end), "failed": len(pods) - 1}
    else:
        status = bodies.failed(start, end, pods=len(pods))
    return job(number, status=status), pods


def see(ledger: Ledger, *runs: tuple[Body, list[Body]], **given: Any) -> Any:
    jobs, pods = [run[0] for run in runs], [body for run in runs for body in run[1]]
    return ledger.see(observe(jobs=jobs, pods=pods, **{"now": after_noon(3000), **given}))


# Active runs


def test_active_runs_are_listed_oldest_first() -> None:
    ledger = Ledger()
    ledger.see(observe(jobs=[job(2), job(1)], now=after_noon(150)))
    assert [run.id for run in ledger.status.active] == ["job-1", "job-2"]
    assert ledger.status.active_count == 2
    assert ledger.status.last_schedule_time == after_noon(120)
    assert ledger.written["active"][0] == {
        "id": "job-1",
        "jobName": "job-1",
        "slot": text(after_noon(60)),
        "trigger": "Schedule",
        "startTime": text(after_noon(60)),
    }


def test_of_very_many_active_runs_all_are_counted_and_a_hundred_listed() -> None:
    ledger = Ledger()
    ledger.see(observe(jobs=[job(number) for number in range(150)]))
    assert (len(ledger.status.active), ledger.status.active_count) == (100, 150)


def test_a_trouble_is_told_once_not_in_each_of_its_wordings() -> None:
    ledger = Ledger()

    def stuck(reason: str, message: str) -> Any:
        body = bodies.pod("p", job_name="job-1", status=bodies.waiting(reason, message))
        ledger.see(observe(jobs=[job(1)], pods=[body]))
        return ledger.status.active[0].reason, ledger.status.active[0].message

    assert stuck("ErrImagePull", "not found") == ("ImagePullBackOff", "not found")
    assert stuck("ImagePullBackOff", "Back-off 10s") == ("ImagePullBackOff", "not found")
    assert len(ledger.patches) == 1
    assert stuck("CreateContainerConfigError", "no Secret") == ("CreateContainerConfigError", "no Secret")


# Finished runs


def test_a_run_moves_from_active_to_the_ledger_and_is_counted_once() -> None:
    ledger = Ledger()
    ledger.see(observe(jobs=[job(1)], now=after_noon(61)))
    assert see(ledger, ran(1, 0)).new_runs[0].id == "job-1"
    assert ledger.status.active == []
    assert ledger.runs() == [("job-1", "Succeeded")]
    patches = len(ledger.patches)
    for now in (3000, 3001, 3299):
        assert see(ledger, ran(1, 0), now=after_noon(now)).new_runs == ()
    assert len(ledger.patches) == patches
    assert ledger.counts() == {"succeeded": 1}


def test_a_run_is_not_counted_again_when_its_pods_or_its_job_go() -> None:
    ledger = Ledger()
    finished, pods = ran(1, 3)
    see(ledger, (finished, pods))
    see(ledger, (finished, []))
    ledger.see(observe(gone=[finished], now=after_noon(3000)))
    ledger.see(observe(now=after_noon(3000)))
    assert ledger.counts() == {"failed": 1}
    assert ledger.runs() == [("job-1", "Failed")]


def test_runs_are_listed_newest_first_whatever_the_order_they_were_seen_in() -> None:
    ledger = Ledger()
    see(ledger, ran(3, 0), ran(1, 0))
    see(ledger, ran(3, 0), ran(1, 0), ran(2, 1))
    assert [name for name, _ in ledger.runs()] == ["job-3", "job-2", "job-1"]
    assert ledger.status.last_run is not None
    assert ledger.status.last_run.id == "job-3"


def test_every_result_has_its_count() -> None:
    ledger = Ledger()
    overdue = job(3, status=bodies.failed(after_noon(180), after_noon(240)))
    see(ledger, ran(1, 0), ran(2, 1), (overdue, [pod(3, 124, message=report("TimedOut"))]), (job(4), []))
    ledger.see(observe(gone=[job(4)], now=after_noon(3000)))
    assert ledger.counts() == {"succeeded": 1, "failed": 1, "timedOut": 1, "cancelled": 1}


@pytest.mark.parametrize(
    ("exit_codes", "retries"),
    [((0,), 0), ((1,), 0), ((1, 0), 1), ((1, 1, 1), 2)],
    ids=["went well", "failed", "went well at last", "failed for good"],
)
def test_attempts_beyond_the_first_are_retries(exit_codes: tuple[int, ...], retries: int) -> None:
    ledger = Ledger()
    see(ledger, ran(1, *exit_codes))
    assert ledger.written["counts"]["retries"] == retries


def test_an_attempt_that_was_disrupted_used_up_no_retry() -> None:
    ledger = Ledger()
    finished, _ = ran(1, 1, 0)
    pods = [pod(1, 143, disruption="EvictionByEvictionAPI"), pod(1, 0, attempt=2)]
    see(ledger, (finished, pods))
    assert ledger.written["counts"]["retries"] == 0


# Successes and failures in a row


@pytest.mark.parametrize(
    ("exit_codes", "in_a_row"),
    [("", 0), ("0", 0), ("1", 1), ("11", 2), ("110", 0), ("101", 1), ("1011", 2)],
)
def test_failures_in_a_row_are_counted_since_the_last_success(exit_codes: str, in_a_row: int) -> None:
    at_once, one_by_one = Ledger(), Ledger()
    runs = [ran(number, int(code)) for number, code in enumerate(exit_codes)]
    see(at_once, *runs)
    for number in range(len(runs) + 1):
        see(one_by_one, *runs[:number])
    assert at_once.status.consecutive_failures == one_by_one.status.consecutive_failures == in_a_row


def test_a_success_that_is_seen_late_does_not_hide_a_failure_after_it() -> None:
    ledger = Ledger()
    see(ledger, ran(2, 1))
    see(ledger, ran(2, 1), ran(1, 0))
    assert ledger.status.consecutive_failures == 1


def test_a_failure_that_is_seen_late_does_not_count_against_a_success_after_it() -> None:
    ledger = Ledger()
    see(ledger, ran(2, 0))
    see(ledger, ran(2, 0), ran(1, 1))
    assert ledger.status.consecutive_failures == 0
    assert ledger.status.last_failure_time == after_noon(70)


def test_a_cancelled_run_is_neither() -> None:
    ledger = Ledger()
    see(ledger, ran(1, 1), (job(2), []))
    ledger.see(observe(jobs=[ran(1, 1)[0]], gone=[job(2)], now=after_noon(3000)))
    assert ledger.status.consecutive_failures == 1
    assert ledger.status.last_failure_time == after_noon(70)
    assert ledger.status.last_success_time is None


def test_times_of_the_last_success_and_failure_do_not_go_back() -> None:
    ledger = Ledger()
    see(ledger, ran(3, 0), ran(4, 1))
    see(ledger, ran(1, 0), ran(2, 1))
    assert ledger.status.last_success_time == after_noon(190)
    assert ledger.status.last_failure_time == after_noon(250)
    assert ledger.status.last_schedule_time == after_noon(240)


def test_the_average_is_that_of_the_succeeded_runs_that_are_listed() -> None:
    ledger = Ledger()
    see(ledger, ran(1, 0, seconds=10), ran(2, 0, seconds=15), ran(3, 1, seconds=40))
    assert ledger.status.average_duration_seconds == 12.5
    see(ledger, ran(4, 0, seconds=30), runs_kept=1)
    assert ledger.status.average_duration_seconds == 30


def test_without_a_success_there_is_no_average() -> None:
    ledger = Ledger()
    see(ledger, ran(1, 1))
    assert ledger.status.average_duration_seconds is None


# What the last run says


def test_nothing_of_the_run_before_is_left_in_the_last_run() -> None:
    """A merge patch merges objects: what is not there any more has to be taken away by name."""
    ledger = Ledger()
    failed = job(1, status=bodies.failed(after_noon(60), after_noon(70)))
    message = report("Failed", error={"type": "E", "message": "boom"}, value={"a": 1})
    see(ledger, (failed, [pod(1, 70, message=message)]))
    see(ledger, ran(2, 0))
    last = ledger.written["lastRun"]
    assert last == ledger.written["recentRuns"][0]
    assert {"message", "value", "peakMemoryBytes"}.isdisjoint(last)


def test_a_large_value_stays_in_the_last_run_only() -> None:
    ledger = Ledger()
    value = {"rows": ["x" * 100] * 15}
    finished = job(1, status=bodies.complete(after_noon(60), after_noon(70)))
    see(ledger, (finished, [pod(1, 0, message=report("Succeeded", value=value))]))
    assert ledger.written["lastRun"]["value"] == value
    assert "value" not in ledger.written["recentRuns"][0]


# The length of the ledger


def test_the_oldest_runs_whose_jobs_are_gone_are_dropped() -> None:
    ledger = Ledger()
    see(ledger, *(ran(number, 0) for number in range(6)))
    see(ledger, ran(6, 0), ran(7, 0), runs_kept=3)
    assert [name for name, _ in ledger.runs()] == ["job-7", "job-6", "job-5"]
    assert ledger.counts() == {"succeeded": 8}


def test_a_run_whose_job_exists_is_never_dropped() -> None:
    """It would be counted anew."""
    ledger = Ledger()
    runs = [ran(number, 0) for number in range(6)]
    for _ in range(3):
        see(ledger, *runs, runs_kept=1)
    assert len(ledger.runs()) == 6
    assert ledger.counts() == {"succeeded": 6}
    see(ledger, runs[0], runs_kept=1)
    assert [name for name, _ in ledger.runs()] == ["job-5", "job-0"]


def test_the_ledger_is_never_longer_than_the_definition_allows() -> None:
    ledger = Ledger()
    see(ledger, *(ran(number, 0) for number in range(MOST_RUNS + 20)), now=after_noon(90_000))
    assert len(ledger.runs()) == MOST_RUNS


# Jobs that went


def test_a_job_deleted_by_hand_was_cancelled() -> None:
    ledger = Ledger()
    ledger.see(observe(jobs=[job(1)], now=after_noon(70)))
    ledger.see(observe(gone=[job(1)], now=after_noon(80)))
    assert ledger.runs() == [("job-1", "Cancelled")]
    assert ledger.status.recent_runs[0].reason == "JobDeleted"
    assert ledger.status.active == []


@pytest.mark.parametrize(
    ("policy", "now", "reason"),
    [
        (ConcurrencyPolicy.REPLACE, 121, "Replaced"),
        (ConcurrencyPolicy.REPLACE, 200, "JobDeleted"),
        (ConcurrencyPolicy.FORBID, 121, "JobDeleted"),
    ],
    ids=["as the next one came", "long after", "nothing replaces"],
)
def test_a_job_that_went_when_the_next_one_came_was_replaced(
    policy: ConcurrencyPolicy, now: int, reason: str
) -> None:
    ledger = Ledger()
    seen = observe(gone=[job(1)], jobs=[job(2)], concurrency_policy=policy, now=after_noon(now))
    ledger.see(seen)
    assert ledger.status.recent_runs[0].reason == reason


def test_a_job_that_ended_and_went_before_it_was_assessed_has_its_true_result() -> None:
    ledger = Ledger()
    finished, pods = ran(1, 3)
    ledger.see(observe(gone=[finished], pods=pods, now=after_noon(3000)))
    assert ledger.runs() == [("job-1", "Failed")]
    assert ledger.status.recent_runs[0].exit_code == 3


def test_a_job_that_went_while_the_operator_was_down_has_an_unknown_end() -> None:
    ledger = Ledger()
    ledger.see(observe(jobs=[job(1), job(2)], now=after_noon(130)))
    see(ledger, ran(2, 0), now=after_noon(3000.5))
    assert ledger.runs() == [("job-1", "Unknown"), ("job-2", "Succeeded")]
    assert ledger.status.recent_runs[0].end_time == after_noon(3000), "that is when it was missed"
    assert ledger.counts() == {"succeeded": 1}


def test_a_job_that_went_and_came_again_under_its_name_is_the_one_that_exists() -> None:
    ledger = Ledger()
    ledger.see(observe(jobs=[job(1)], gone=[job(1, uid="another")], now=after_noon(70)))
    assert ledger.runs() == []
    assert ledger.status.active_count == 1


def test_a_manual_run_has_no_slot_and_does_not_move_the_last_schedule_time() -> None:
    ledger = Ledger()
    by_hand = bodies.job("by-hand", created=NOON, status=bodies.complete(NOON, after_noon(5)))
    ledger.see(observe(jobs=[by_hand], now=after_noon(60)))
    (run,) = ledger.written["recentRuns"]
    assert run["trigger"] == "Manual"
    assert "slot" not in run
    assert "lastScheduleTime" not in ledger.written
