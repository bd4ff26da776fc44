"""What may have happened while nobody looked: Kubernetes deletes finished Jobs beyond a limit. Pure."""

from collections.abc import Iterable
from datetime import datetime

from scheduledjob_operator.models import PendingRun, Result, Run
from scheduledjob_operator.models.policies import History
from scheduledjob_operator.names import RunReason
from scheduledjob_operator.observed import JobSeen
from scheduledjob_operator.retries import given_up


def unseen_before(jobs: Iterable[JobSeen], *, history: History) -> datetime | None:
    """Jobs that were created before this moment may have ended and be gone; None: every Job is still there.

    Of the Jobs that ended alike as many are kept as the history says: where there are that many, there may
    have been more before the oldest of them.
    """
    ended = [job for job in jobs if job.end]
    moments = []
    for succeeded, kept in ((True, history.succeeded_jobs), (False, history.failed_jobs)):
        alike = sorted(job.created for job in ended if job.end and job.end.succeeded is succeeded)
        if len(alike) >= kept:
            moments.append(alike[-kept])
    return max(moments, default=None)


def may_have_run(run: PendingRun, *, unseen: datetime | None) -> bool:
    """Whether the Job of a run that waits may have been made, and be gone again."""
    return unseen is not None and run.since < unseen and run.due_time < unseen


def lost(run: PendingRun, *, now: datetime) -> Run:
    """The end of a run of which nobody knows whether it was made. It is not made again."""
    message = "the operator was away when it was due, and its Job, if there was one, is gone"
    return given_up(run, result=Result.UNKNOWN, reason=RunReason.JOB_DELETED, message=message, end=now)
