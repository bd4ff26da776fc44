"""Replace: the CronJob controller deletes the old Job first, and the two are seen one after the other."""

from scheduledjob_operator.models import ConcurrencyPolicy
from tests.unit import bodies
from tests.unit.ledger import Ledger, observe
from tests.unit.moments import after_noon


def job(number: int) -> bodies.Body:
    return bodies.job(f"job-{number}", created=after_noon(60 * number))


def begun() -> Ledger:
    """The first of two runs is active, and the next slot is five minutes after noon."""
    ledger = Ledger()
    first = observe(jobs=[job(1)], concurrency_policy=ConcurrencyPolicy.REPLACE, now=after_noon(61))
    ledger.see(first)
    return ledger


def test_a_replaced_run_waits_for_its_successor_to_be_seen() -> None:
    ledger = begun()
    assert ledger.status.next_run_times[0] == after_noon(300)
    gone = observe(gone=[job(1)], concurrency_policy=ConcurrencyPolicy.REPLACE, now=after_noon(300))
    assert ledger.see(gone).look_again is not None
    assert ledger.runs() == []
    both = observe(
        gone=[job(1)], jobs=[job(5)], concurrency_policy=ConcurrencyPolicy.REPLACE, now=after_noon(301)
    )
    ledger.see(both)
    assert [(run.id, run.reason) for run in ledger.status.recent_runs] == [("job-1", "Replaced")]


def test_without_a_successor_it_was_deleted() -> None:
    ledger = begun()
    late = observe(gone=[job(1)], concurrency_policy=ConcurrencyPolicy.REPLACE, now=after_noon(100))
    ledger.see(late)
    assert [run.reason for run in ledger.status.recent_runs] == ["JobDeleted"]
