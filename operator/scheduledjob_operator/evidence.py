"""What may have happened while nobody looked: Kubernetes deletes finished Jobs beyond a limit. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from scheduledjob_operator.models import ConcurrencyPolicy, PendingRun, Result, Run, ScheduledJobStatus
from scheduledjob_operator.models.policies import History
from scheduledjob_operator.names import RunReason
from scheduledjob_operator.observation import Observation
from scheduledjob_operator.observed import CronJobSeen, EndedAs, JobSeen
from scheduledjob_operator.pending import place
from scheduledjob_operator.retries import given_up


def boundaries(jobs: Sequence[JobSeen], *, kept: tuple[int, int], replacing: bool) -> list[JobSeen]:
    """The oldest Jobs that have been kept: one that was made before may be gone.

    Of the Jobs that succeeded, and of those that failed, as many as `kept` says stay, the youngest: where
    there are fewer, every Job is still there. `replacing`: each slot deletes the Job before it, so only the
    youngest is kept.
    """
    ended = [job for job in jobs if job.end]
    found = sorted(jobs, key=lambda job: (job.created, job.name))[-1:] if replacing else []
    for succeeded, most in zip((True, False), kept, strict=True):
        alike = [job for job in ended if job.end and job.end.succeeded is succeeded]
        if len(alike) >= most:
            found.append(sorted(alike, key=lambda job: (job.created, job.name))[-most])
    return found


def may_have_run(run: PendingRun, *, oldest_kept: Iterable[JobSeen], before: ScheduledJobStatus) -> bool:
    """Whether the Job of a run that waits may have been made, and be gone again.

    `oldest_kept` are the `boundaries`. A Job that was made before the run's would have been deleted before
    it: that of a run which was active in the status `before` while this one waited, and that of one which
    waited with it and was to be started first.
    """
    places = {other.id: place(other) for other in before.pending}
    active = {other.job_name for other in before.active} if run.id in places else set()
    for job in oldest_kept:
        earlier = job.name in active or (job.run_id in places and places[job.run_id] < place(run))
        if run.since <= job.created and run.due_time <= job.created and not earlier:
            return True
    return False


def lost(run: PendingRun, *, now: datetime) -> Run:
    """The end of a run of which nobody knows whether it was made. It is not made again."""
    message = "the operator was away when it was due, and its Job, if there was one, is gone"
    verdict = EndedAs(result=Result.UNKNOWN, reason=RunReason.JOB_DELETED, message=message)
    return given_up(run, verdict, end=now)


def unseen_of(seen: Observation) -> datetime | None:
    """Before when Jobs may have come and gone unseen; None while the operator was watching."""
    kept = max((job.created for job in oldest_kept(seen)), default=None)
    if seen.cron_job is not None and seen.cron_job.fired_by_operator:
        return kept
    last = seen.cron_job.last_schedule_time if seen.cron_job else None
    if kept is None or last is None:
        return None
    # Kubernetes notes the last slot that it started: what is later it has not.
    return min(kept, last + timedelta(seconds=1))


def oldest_kept(seen: Observation) -> list[JobSeen]:
    """The Jobs before which others may have come and gone unseen; none while the operator was watching."""
    if not seen.first_look:
        return []
    cron_job = seen.cron_job
    if cron_job is None:
        history = seen.spec.history if seen.spec else History()
        kept = history.succeeded_jobs, history.failed_jobs
        return boundaries(seen.jobs, kept=kept, replacing=False)
    kept = cron_job.kept_succeeded, cron_job.kept_failed
    return boundaries(seen.jobs, kept=kept, replacing=replaces_by_itself(cron_job))


def replaces_by_itself(cron_job: CronJobSeen) -> bool:
    """Whether each slot deletes the Job before it: one that the operator ends stays, as one that failed."""
    return cron_job.concurrency_policy == ConcurrencyPolicy.REPLACE and not cron_job.fired_by_operator
