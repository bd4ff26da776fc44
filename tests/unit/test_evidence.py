"""What may have happened while nobody looked."""

import pytest

from scheduledjob_operator.evidence import boundaries, lost, may_have_run
from scheduledjob_operator.models import ActiveRun, PendingReason, PendingRun, ScheduledJobStatus, Trigger
from scheduledjob_operator.models.policies import History
from scheduledjob_operator.observed import JobSeen
from tests.unit import bodies
from tests.unit.moments import NOON, after_noon

HISTORY = History(succeeded_jobs=2, failed_jobs=2)


def job(number: int, *, failed: bool = False, active: bool = False) -> JobSeen:
    """One that was made so many minutes after noon."""
    start, end = after_noon(60 * number), after_noon(60 * number + 5)
    status = bodies.failed(start, end) if failed else bodies.complete(start, end)
    given = {} if active else {"status": status}
    return JobSeen.from_body(bodies.job(f"job-{number}", created=start, slot=start, **given))


def waiting(name: str, *, since: float = 0, due: float = 0) -> PendingRun:
    return PendingRun(
        id=name,
        job_name=name,
        trigger=Trigger.BACKFILL,
        slot=after_noon(due - 3600),
        reason=PendingReason.QUEUED,
        due_time=after_noon(due),
        since=after_noon(since),
    )


@pytest.mark.parametrize(
    ("jobs", "replacing", "oldest"),
    [
        ([], False, []),
        ([job(1)], False, []),
        ([job(1), job(2)], False, ["job-1"]),
        ([job(1), job(2), job(3)], False, ["job-2"]),
        ([job(1), job(2, failed=True), job(3)], False, ["job-1"]),
        ([job(1, failed=True), job(2, failed=True), job(3)], False, ["job-1"]),
        ([job(1, active=True), job(2, active=True), job(3)], False, []),
        ([job(3, active=True)], True, ["job-3"]),
        ([], True, []),
    ],
    ids=[
        "no Job",
        "fewer than are kept",
        "as many as are kept",
        "more, which are about to be deleted",
        "they are counted by how they ended",
        "the failed ones count too",
        "what is active is not deleted",
        "unless each slot replaces the one before",
        "nothing to replace",
    ],
)
def test_the_oldest_that_is_kept_bounds_what_is_known(
    jobs: list[JobSeen], replacing: bool, oldest: list[str]
) -> None:
    found = boundaries(jobs, kept=(HISTORY.succeeded_jobs, HISTORY.failed_jobs), replacing=replacing)
    assert [seen.name for seen in found] == oldest


@pytest.mark.parametrize(
    ("run", "may"),
    [
        (waiting("a"), True),
        (waiting("a", since=61), False),
        (waiting("a", due=61), False),
    ],
    ids=["made before", "it had not been started after that", "it was not due by then"],
)
def test_a_run_that_would_have_been_deleted_may_have_run(run: PendingRun, may: bool) -> None:
    assert may_have_run(run, oldest_kept=[job(1)], before=ScheduledJobStatus(pending=[run])) is may


def test_what_is_started_later_would_have_been_deleted_later() -> None:
    first, second = waiting("job-1", due=-60), waiting("job-2", due=0)
    before = ScheduledJobStatus(pending=[first, second])
    assert not may_have_run(second, oldest_kept=[job(1)], before=before)
    assert may_have_run(first, oldest_kept=[job(2)], before=before)


@pytest.mark.parametrize(
    ("job_name", "may"), [("job-1", False), ("job-0", True)], ids=["it", "an earlier attempt of it"]
)
def test_it_did_not_run_before_a_job_that_was_active_while_it_waited(job_name: str, may: bool) -> None:
    """The two may be of the same second."""
    run = waiting("a", since=60)
    active = ActiveRun(id="job-0", job_name=job_name, trigger=Trigger.MANUAL, start_time=NOON)
    before = ScheduledJobStatus(pending=[run], active=[active])
    assert may_have_run(run, oldest_kept=[job(1)], before=before) is may
    unknown_then = ScheduledJobStatus(active=[active])
    assert may_have_run(run, oldest_kept=[job(1)], before=unknown_then)


def test_a_run_that_is_lost_says_so_and_has_no_other_verdict() -> None:
    run = lost(waiting("a"), now=NOON)
    assert (run.result, run.end_time) == ("Unknown", NOON)
    assert run.message is not None
    assert "away" in run.message
