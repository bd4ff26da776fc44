"""How much of the past the status keeps, and what it says of Jobs that went."""

import pytest

from scheduledjob_operator.models import ConcurrencyPolicy
from scheduledjob_operator.totals import MOST_RUNS
from tests.unit import bodies
from tests.unit.ledger import Ledger, observe
from tests.unit.minutes import job, ran, see
from tests.unit.moments import NOON, after_noon

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
    assert ledger.counts() == {"succeeded": 1, "unknown": 1}


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
