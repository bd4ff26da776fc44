"""Everything observed, and now -> the status. Pure.

The status is rebuilt from what exists. Only what exists nowhere else is carried over from the status
before: runs whose Jobs are gone, and the totals.
"""

import json
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from scheduledjob_operator.ledger import JobsObserved, sort_out
from scheduledjob_operator.models import (
    ActiveRun,
    Condition,
    Counts,
    Result,
    Run,
    ScheduledJobStatus,
    Scheduler,
    Trigger,
)
from scheduledjob_operator.names import ConditionType, ReadyReason
from scheduledjob_operator.observed import CronJobSeen
from scheduledjob_operator.runs import DISRUPTION_REASONS
from scheduledjob_operator.schedule import Schedule, ScheduleError

NEXT_RUN_TIMES = 5
OLD_VALUE_BYTES = 1024
"""Largest handler result that stays in recentRuns once it is not in lastRun any more."""
_FAILURES = (Result.FAILED, Result.TIMED_OUT)
MOST_RUNS = 200
"""Bound of status.recentRuns in the custom resource definition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What the `Ready` condition shall say."""

    reason: ReadyReason
    message: str

    @property
    def ok(self) -> bool:
        return self.reason is ReadyReason.RECONCILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation(JobsObserved):
    """All that a status is made of."""

    generation: int
    ready: Ready
    cron_job: CronJobSeen | None
    runs_kept: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The new status, what is new in it, and when to look again."""

    status: ScheduledJobStatus
    new_runs: tuple[Run, ...]
    look_again: datetime | None


def assess(*, previous: ScheduledJobStatus, seen: Observation) -> Assessment:
    """The status that says what `seen` shows."""
    found = sort_out(previous=previous, seen=seen)
    new_runs = tuple(sorted(found.ended, key=lambda run: (run.end_time, run.id)))
    status = _with_schedule(
        _with_runs(previous=previous, seen=seen, new_runs=new_runs, active=found.active),
        previous=previous,
        seen=seen,
    )
    return Assessment(
        status=status, new_runs=new_runs, look_again=_look_again(status, seen=seen, awaited=found.awaited)
    )


def changed_fields(
    *, previous: ScheduledJobStatus, written: Container[str], status: ScheduledJobStatus
) -> dict[str, Any]:
    """The JSON merge patch from `previous` to `status`; empty when they are equal.

    `written`: names of the fields that stand in the resource; the others are the model's defaults.
    """
    after = dump(status)
    before = {key: value for key, value in dump(previous).items() if key in written}
    return _difference(before, after)


def _difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The patch from one object to another; what is gone is named, for a merge would leave it."""
    patch: dict[str, Any] = dict.fromkeys(before.keys() - after.keys())
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            if inner := _difference(old, value):
                patch[key] = inner
        elif key not in before or value != old or isinstance(value, bool) is not isinstance(old, bool):
            patch[key] = value
    return patch


def dump(status: ScheduledJobStatus) -> dict[str, Any]:
    """The status as it stands in the resource; empty lists are kept, so that they are shown as empty."""
    return status.model_dump(by_alias=True, exclude_none=True, mode="json")


def _with_runs(
    *, previous: ScheduledJobStatus, seen: Observation, new_runs: tuple[Run, ...], active: list[ActiveRun]
) -> ScheduledJobStatus:
    """The ledger: what ran, how it ended, the totals."""
    recent = _recent(previous=previous, new_runs=new_runs, seen=seen)
    counts = previous.counts or Counts()
    success, failure = previous.last_success_time, previous.last_failure_time
    for run in new_runs:
        counts = _counted(counts, run)
        if run.result is Result.SUCCEEDED:
            success = _latest(success, run.end_time)
        elif run.result in _FAILURES:
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
    return count + sum(run.result in _FAILURES and (since is None or run.end_time > since) for run in known)


def _newest(*, previous: ScheduledJobStatus, new_runs: tuple[Run, ...]) -> Run | None:
    if not new_runs:
        return previous.last_run
    newest = new_runs[-1]
    before = previous.last_run
    return before if before and (before.end_time, before.id) > (newest.end_time, newest.id) else newest


def _recent(*, previous: ScheduledJobStatus, new_runs: tuple[Run, ...], seen: Observation) -> list[Run]:
    """Finished runs, newest first. One whose Job still exists is never dropped: it would be counted anew."""
    runs = sorted(
        (*previous.recent_runs, *(_compact(run) for run in new_runs)),
        key=lambda run: (run.end_time, run.id),
        reverse=True,
    )
    present = {job.name for job in seen.jobs}
    kept = [run for place, run in enumerate(runs) if place < seen.runs_kept or run.id in present]
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


def _with_schedule(
    status: ScheduledJobStatus, *, previous: ScheduledJobStatus, seen: Observation
) -> ScheduledJobStatus:
    """What comes next, as the CronJob that exists will fire it, and the conditions."""
    cron_job = seen.cron_job
    fires = cron_job is not None and not cron_job.suspended and not cron_job.deleting
    return status.model_copy(
        update={
            "observed_generation": seen.generation,
            "cron_job_name": cron_job.name if cron_job else None,
            "scheduler": Scheduler.CRON_JOB if fires else Scheduler.NONE,
            "resolved_schedule": cron_job.schedule if cron_job else None,
            "next_run_times": next_run_times(cron_job, now=seen.now) if fires and cron_job else [],
            "conditions": [_ready_condition(previous=previous, seen=seen)],
        }
    )


def next_run_times(cron_job: CronJobSeen, *, now: datetime) -> list[datetime]:
    """The next five times the CronJob will fire, in UTC."""
    try:
        schedule = Schedule.parse(cron_job.schedule, time_zone=cron_job.time_zone or "Etc/UTC")
    except ScheduleError:  # a hand-edited one, which is about to be put back
        return []
    return list(schedule.next_after(now, count=NEXT_RUN_TIMES))


def _ready_condition(*, previous: ScheduledJobStatus, seen: Observation) -> Condition:
    value = "True" if seen.ready.ok else "False"
    before = next((entry for entry in previous.conditions if entry.type == ConditionType.READY), None)
    return Condition(
        type=ConditionType.READY,
        status=value,
        reason=seen.ready.reason,
        message=seen.ready.message,
        observed_generation=seen.generation,
        last_transition_time=before.last_transition_time if before and before.status == value else seen.now,
    )


def _look_again(status: ScheduledJobStatus, *, seen: Observation, awaited: bool) -> datetime | None:
    """When the status would change by the passing of time alone."""
    if awaited:
        return seen.now + timedelta(milliseconds=300)
    # A slot's Job normally comes within seconds and brings the next times along with it, in one write.
    return status.next_run_times[0] + timedelta(seconds=20) if status.next_run_times else None
