"""The ledger in the status: every run once, in order, with the right totals."""

from typing import Any

import pytest

from tests.unit import bodies
from tests.unit.endings import report
from tests.unit.ledger import Ledger, observe
from tests.unit.minutes import job, pod, ran, see
from tests.unit.moments import after_noon, text

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
        "attempt": 1,
        "attempts": [],
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
