"""What the ScheduledJobs and their runs come to in numbers. Pure."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from scheduledjob_operator.cli.scheduled_jobs import Named
from scheduledjob_operator.models import Counts, PendingReason, Priority, Result
from scheduledjob_operator.models.types import Model

DUE_WITHIN = timedelta(minutes=1)


class PendingByPriority(Model):
    """Runs that wait to begin, by the priority of their ScheduledJobs."""

    critical: int = 0
    high: int = 0
    normal: int = 0
    """With those that name none."""
    low: int = 0


class Statistics(Model):
    """The numbers. Those of runs that have ended are of all times, as status.counts has them."""

    scheduled_jobs: int
    enabled: int
    """That are neither of the next two."""
    disabled: int
    """By enabled: false."""
    suspended: int
    """By anything else: paused, the master switch, bounds, environments."""
    scheduled: int
    """With a next run time."""
    due: int
    """Whose next run time has come, or comes within a minute."""
    pending: PendingByPriority
    retrying: int
    """Runs that wait for their next attempt."""
    processing: int
    """Runs that are active."""
    dead_letters: int
    processed: int
    """Runs that succeeded or failed."""
    succeeded: int
    failed: int
    """Those that timed out included."""
    timed_out: int
    cancelled: int
    skipped: int
    """Slots."""
    missed: int
    """Slots."""
    success_rate: float | None
    """The part of those processed that succeeded, from 0 to 1; null when none was."""
    average_duration_seconds: float | None
    """Of all succeeded runs that the ledgers still have; null when there is none."""


def statistics(jobs: Iterable[Named], *, now: datetime) -> Statistics:
    """The numbers of ScheduledJobs at a time."""
    every = list(jobs)
    standing = Counter(map(_standing, every))
    first = [job.status.next_run_times[0] for job in every if job.status.next_run_times]
    counts = [job.status.counts or Counts() for job in every]
    succeeded = sum(count.succeeded for count in counts)
    timed_out = sum(count.timed_out for count in counts)
    failed = sum(count.failed for count in counts) + timed_out
    processed = succeeded + failed
    return Statistics(
        scheduled_jobs=len(every),
        enabled=standing["enabled"],
        disabled=standing["disabled"],
        suspended=standing["suspended"],
        scheduled=len(first),
        due=sum(moment <= now + DUE_WITHIN for moment in first),
        pending=PendingByPriority(**_pending(every)),
        retrying=sum(run.reason is PendingReason.BACKOFF for job in every for run in job.status.pending),
        processing=sum(job.status.active_count for job in every),
        dead_letters=sum(len(job.status.dead_letters) for job in every),
        processed=processed,
        succeeded=succeeded,
        failed=failed,
        timed_out=timed_out,
        cancelled=sum(count.cancelled for count in counts),
        skipped=sum(count.skipped for count in counts),
        missed=sum(count.missed for count in counts),
        success_rate=round(succeeded / processed, 4) if processed else None,
        average_duration_seconds=_average_duration(every),
    )


def _standing(job: Named) -> str:
    if job.spec.get("enabled") is False:
        return "disabled"
    return "suspended" if job.status.suspended not in (None, "Disabled") else "enabled"


def _pending(jobs: Iterable[Named]) -> Counter[str]:
    """Priority -> how many runs of it wait to begin."""
    found: Counter[str] = Counter()
    for job in jobs:
        given = job.spec.get("priority")
        priority = given if given in list(Priority) else Priority.NORMAL
        found[str(priority)] += sum(run.reason is not PendingReason.BACKOFF for run in job.status.pending)
    return found


def _average_duration(jobs: Iterable[Named]) -> float | None:
    seconds = [
        run.duration_seconds
        for job in jobs
        for run in job.status.recent_runs
        if run.result is Result.SUCCEEDED and run.duration_seconds is not None
    ]
    return round(sum(seconds) / len(seconds), 1) if seconds else None
