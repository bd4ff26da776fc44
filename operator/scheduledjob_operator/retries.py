"""Attempts that have Jobs of their own: what they make together, and whether another one follows. Pure."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from scheduledjob_operator.job_names import attempt_job
from scheduledjob_operator.models import (
    ActiveRun,
    Attempt,
    Backoff,
    PendingReason,
    PendingRun,
    Retry,
    Run,
    Trigger,
)
from scheduledjob_operator.models.runs import FAILURES
from scheduledjob_operator.names import RunReason
from scheduledjob_operator.observed import EndedAs, JobSeen
from scheduledjob_operator.runs import MAX_ATTEMPTS, asked


def delay(backoff: Backoff, *, attempt: int, run_id: str) -> timedelta:
    """How long to wait after the failure of attempt number `attempt`, in whole seconds.

    The random part is drawn from the run's identity, so that it is the same after a restart.
    """
    longest = backoff.max.total_seconds()
    # Beyond this exponent the wait is at its longest anyway, and a float would overflow.
    seconds = min(backoff.initial.total_seconds() * backoff.factor ** min(attempt - 1, 64), longest)
    drawn = int.from_bytes(hashlib.sha256(f"{run_id}/{attempt}".encode()).digest()[:4], "big") / 2**32
    return timedelta(seconds=round(seconds * (1 + backoff.jitter * drawn)))


def next_attempt(*, run: Run, job: JobSeen, retry: Retry, now: datetime) -> PendingRun | None:
    """The attempt that follows on a failed one; None when none does.

    `run` is the run as this attempt, its `job`, leaves it.
    """
    if retry.backoff is None or job.attempt > retry.limit or job.backoff_limit or job.adopted:
        return None  # with a back-off limit of its own, Kubernetes has tried again already
    if run.result not in FAILURES or run.trigger is Trigger.PROBE:
        return None
    if run.reason == RunReason.EXIT_CODE and run.exit_code in retry.never_on_exit_codes:
        return None
    number = job.attempt + 1
    attempts = [
        attempt.model_copy(update={"job_name": attempt.job_name or job.name})
        for attempt in run.attempts or [_attempt(run)]
    ]
    wait = delay(retry.backoff, attempt=job.attempt, run_id=run.id)
    return PendingRun(
        **{**asked(run), "job_name": attempt_job(run.id, number)},
        reason=PendingReason.BACKOFF,
        due_time=run.end_time + wait,
        since=now.replace(microsecond=0),
        attempt=number,
        attempts=attempts,
        start_time=run.start_time,
        result=run.result,
        message=run.message,
    )


def joined(run: Run, *, earlier: Sequence[Attempt], began: datetime | None) -> Run:
    """The run with the attempts before it, which had Jobs of their own."""
    if not earlier:
        return run
    start = began or run.start_time
    own = [
        attempt.model_copy(update={"number": len(earlier) + attempt.number, "job_name": run.job_name})
        for attempt in run.attempts or [_attempt(run)]
    ]
    seconds = (run.end_time - start).total_seconds() if start else None
    return run.model_copy(
        update={
            "attempts": [*earlier, *own][-MAX_ATTEMPTS:],
            "start_time": start,
            "duration_seconds": max(seconds, 0.0) if seconds is not None else None,
        }
    )


def _attempt(run: Run) -> Attempt:
    """An attempt of which no Pod was seen."""
    return Attempt(number=1, end_time=run.end_time, exit_code=run.exit_code, reason=run.reason)


def superseded(pending: PendingRun, *, by: Iterable[Run | ActiveRun]) -> bool:
    """Whether the run of a later slot has begun since the attempt before failed."""
    failed = pending.attempts[-1].end_time if pending.attempts else None
    since = pending.slot or failed or pending.since
    return any(run.slot is not None and run.slot > since and run.id != pending.id for run in by)


def given_up(pending: PendingRun, verdict: EndedAs, *, end: datetime) -> Run:
    """The end of a run whose next attempt will not be made."""
    last = pending.attempts[-1] if pending.attempts else None
    start, end = pending.start_time, end.replace(microsecond=0)
    return Run(
        **{**asked(pending), "job_name": (last.job_name if last else None) or pending.id},
        result=verdict.result,
        reason=verdict.reason,
        exit_code=last.exit_code if last else None,
        start_time=start,
        end_time=end,
        duration_seconds=max((end - start).total_seconds(), 0.0) if start else None,
        message=verdict.message or None,
        attempts=pending.attempts,
    )
