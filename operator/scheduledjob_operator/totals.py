"""What the finished runs amount to: the list of them, the counts, the averages. Pure."""

import json
from collections.abc import Container, Sequence
from datetime import datetime

from scheduledjob_operator.causes import DISRUPTION_REASONS
from scheduledjob_operator.models import ActiveRun, Counts, Result, Run, ScheduledJobStatus, Trigger
from scheduledjob_operator.models.runs import FAILURES

OLD_VALUE_BYTES = 1024
"""Largest handler result that stays in recentRuns once it is not in lastRun any more."""
MOST_RUNS = 200
"""Bound of status.recentRuns in the custom resource definition."""


def with_runs(
    previous: ScheduledJobStatus,
    *,
    new_runs: tuple[Run, ...],
    active: list[ActiveRun],
    runs_kept: int,
    present: Container[str],
) -> ScheduledJobStatus:
    """The status with the runs that ended since, and the totals. `present`: runs whose Jobs still exist."""
    recent = _recent(previous=previous, new_runs=new_runs, runs_kept=runs_kept, present=present)
    counts = previous.counts or Counts()
    success, failure = previous.last_success_time, previous.last_failure_time
    for run in new_runs:
        counts = _counted(counts, run)
        if run.result is Result.SUCCEEDED:
            success = _latest(success, run.end_time)
        elif run.result in FAILURES:
            failure = _latest(failure, run.end_time)
    durations = [
        run.duration_seconds
        for run in recent
        if run.result is Result.SUCCEEDED and run.duration_seconds is not None
    ]
    return previous.model_copy(
        update={
            "active": active[:100],
            "active_count": len(active),
            "last_run": _newest(previous=previous, new_runs=new_runs),
            "last_schedule_time": _last_schedule_time(previous=previous, runs=[*active, *new_runs]),
            "last_success_time": success,
            "last_failure_time": failure,
            "consecutive_failures": _failures_in_a_row(previous=previous, new_runs=new_runs, since=success),
            "counts": counts,
            "average_duration_seconds": round(sum(durations) / len(durations), 1) if durations else None,
            "recent_runs": recent,
        }
    )


def _failures_in_a_row(
    *, previous: ScheduledJobStatus, new_runs: tuple[Run, ...], since: datetime | None
) -> int:
    """Failures after the last success. Runs that overlap are not seen in the order of their ends."""
    known, count = new_runs, previous.consecutive_failures
    if since != previous.last_success_time:
        known, count = (*previous.recent_runs, *new_runs), 0
    return count + sum(run.result in FAILURES and (since is None or run.end_time > since) for run in known)


def _newest(*, previous: ScheduledJobStatus, new_runs: tuple[Run, ...]) -> Run | None:
    if not new_runs:
        return previous.last_run
    newest = new_runs[-1]
    before = previous.last_run
    return before if before and (before.end_time, before.id) > (newest.end_time, newest.id) else newest


def _recent(
    *, previous: ScheduledJobStatus, new_runs: tuple[Run, ...], runs_kept: int, present: Container[str]
) -> list[Run]:
    """Finished runs, newest first. One whose Job still exists is never dropped: it would be counted anew."""
    runs = sorted(
        (*previous.recent_runs, *(_compact(run) for run in new_runs)),
        key=lambda run: (run.end_time, run.id),
        reverse=True,
    )
    kept = [run for place, run in enumerate(runs) if place < runs_kept or run.id in present]
    return kept[:MOST_RUNS]


def _compact(run: Run) -> Run:
    if run.value is None or len(json.dumps(run.value)) <= OLD_VALUE_BYTES:
        return run
    return run.model_copy(update={"value": None})


def _counted(counts: Counts, run: Run) -> Counts:
    field = {
        Result.SUCCEEDED: "succeeded",
        Result.FAILED: "failed",
        Result.TIMED_OUT: "timed_out",
        Result.CANCELLED: "cancelled",
        Result.UNKNOWN: "unknown",
    }.get(run.result)
    used = [attempt for attempt in run.attempts if attempt.reason not in DISRUPTION_REASONS]
    update = {"retries": counts.retries + max(len(used) - 1, 0)}
    if field:
        update[field] = getattr(counts, field) + 1
    return counts.model_copy(update=update)


def _latest(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else max(one, other)


def _last_schedule_time(*, previous: ScheduledJobStatus, runs: Sequence[ActiveRun | Run]) -> datetime | None:
    slots = [run.slot for run in runs if run.slot and run.trigger is Trigger.SCHEDULE]
    return max([*slots, *filter(None, [previous.last_schedule_time])], default=None)
