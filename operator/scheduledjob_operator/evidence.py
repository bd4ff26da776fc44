"""What may have happened while nobody looked: Kubernetes deletes finished Jobs beyond a limit. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from scheduledjob_operator.models import PendingRun, Result, Run
from scheduledjob_operator.names import RunReason
from scheduledjob_operator.observed import EndedAs, JobSeen
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


def may_have_run(run: PendingRun, *, oldest_kept: Iterable[JobSeen], pending: Iterable[PendingRun]) -> bool:
    """Whether the Job of a run that waits may have been made, and be gone again.

    `oldest_kept` are the `boundaries`; `pending`: all that waited with the run. They are started in order: a
    Job that was made before the run's would have been deleted before it.
    """
    places = {other.id: place(other) for other in pending}
    for job in oldest_kept:
        earlier = job.run_id in places and places[job.run_id] < place(run)
        if run.since <= job.created and run.due_time <= job.created and not earlier:
            return True
    return False


def lost(run: PendingRun, *, now: datetime) -> Run:
    """The end of a run of which nobody knows whether it was made. It is not made again."""
    message = "the operator was away when it was due, and its Job, if there was one, is gone"
    verdict = EndedAs(result=Result.UNKNOWN, reason=RunReason.JOB_DELETED, message=message)
    return given_up(run, verdict, end=now)
