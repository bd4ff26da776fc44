"""Jobs and Pods seen -> runs with result, cause and attempts. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from scheduledjob_operator.causes import Cause, cause_of, head, left_message, stuck
from scheduledjob_operator.models import ActiveRun, Attempt, PendingRun, Result, Run
from scheduledjob_operator.names import RunReason
from scheduledjob_operator.observed import JobSeen, PodSeen

MAX_ATTEMPTS = 20


def active_run(
    *,
    job: JobSeen,
    pods: list[PodSeen],
    earlier: Sequence[Attempt] = (),
    began: datetime | None = None,
    unmade: tuple[str, str] | None = None,
) -> ActiveRun:
    """The run of a Job that has not ended. `earlier`: attempts that had Jobs of their own.

    `unmade`: why there is no Pod, as (reason, message).
    """
    trouble = stuck(pods) if pods else unmade
    return ActiveRun(
        **asked(job),
        start_time=began or job.created,
        attempt=job.attempt,
        attempts=list(earlier),
        reason=trouble[0] if trouble else None,
        message=trouble[1] if trouble else None,
    )


def evidence_is_complete(*, job: JobSeen, pods: list[PodSeen]) -> bool:
    """Whether the Pods' ends that led to the Job's end have been seen too: the two come by two watches."""
    if job.end is None:
        return False
    if not pods:
        return job.ended_pods == 0 or job.adopted
    return sum(cause_of(pod) is not None for pod in pods) >= max(job.ended_pods, 1)


def finished_run(*, job: JobSeen, pods: list[PodSeen]) -> Run:
    """The run of a Job that ended. `pods` are its Pods, oldest first."""
    assert job.end is not None
    causes = [(pod, cause) for pod in pods if (cause := cause_of(pod))]
    if job.end.succeeded:
        ended = next(
            ((pod, cause) for pod, cause in reversed(causes) if cause.result is Result.SUCCEEDED), None
        )
        verdict = ended[1] if ended else Cause(result=Result.SUCCEEDED, reason=RunReason.COMPLETED)
    else:
        ended = causes[-1] if causes else None
        verdict = _failure(job=job, pods=pods, last=ended[1] if ended else None)
    pod = ended[0] if ended else None
    return _run(
        job=job, pods=pods, pod=pod, verdict=verdict, end=(pod.ended if pod else None) or job.end.time
    )


def deleted_run(*, job: JobSeen, pods: list[PodSeen], replaced: bool, now: datetime) -> Run:
    """The run of a Job that was seen to go before its end."""
    pod = pods[-1] if pods else None
    if decided := _decided(job, last=cause_of(pod) if pod else None):
        verdict = decided
    else:
        reason = RunReason.REPLACED if replaced else RunReason.JOB_DELETED
        message = "the next run replaced this one" if replaced else "the Job was deleted while it was running"
        verdict = Cause(result=Result.CANCELLED, reason=reason, message=message)
    end = (pod.ended if pod else None) or now.replace(microsecond=0)
    return _run(job=job, pods=pods, pod=pod, verdict=verdict, end=end)


def vanished_run(*, active: ActiveRun, now: datetime) -> Run:
    """A run that was active when the operator last looked, and whose Job is gone since."""
    return Run(
        **asked(active),
        result=Result.UNKNOWN,
        reason=RunReason.JOB_DELETED,
        start_time=active.start_time,
        end_time=now.replace(microsecond=0),
        message="the Job was gone before the operator saw how it ended",
        attempts=active.attempts,
    )


def _decided(job: JobSeen, *, last: Cause | None) -> Cause | None:
    """The verdict with which a Job was ended on purpose, with what its Pod left."""
    if job.ended_as is None:
        return None
    left = last or Cause(result=Result.CANCELLED, reason="")
    return replace(
        left, result=job.ended_as.result, reason=job.ended_as.reason, message=head(job.ended_as.message)
    )


def _failure(*, job: JobSeen, pods: list[PodSeen], last: Cause | None) -> Cause:
    """The verdict on a failed Job: its last attempt's, unless something else ended it."""
    assert job.end is not None
    started = any(pod.started for pod in pods)
    if job.ended_as and (job.ended_as.result is Result.CANCELLED or not started):
        return _decided(job, last=last) or Cause(result=Result.CANCELLED, reason=RunReason.CANCELLED)
    if job.end.reason == RunReason.DEADLINE_EXCEEDED and not (last and last.result is Result.TIMED_OUT):
        if started or job.adopted:
            message = next(filter(None, map(left_message, reversed(pods))), job.end.message)
            return Cause(result=Result.TIMED_OUT, reason=RunReason.DEADLINE_EXCEEDED, message=message)
        trouble = stuck(pods) or (RunReason.NOT_STARTED, job.end.message)
        return Cause(result=Result.FAILED, reason=trouble[0], message=trouble[1])
    if last is None or last.result is Result.SUCCEEDED:
        return Cause(
            result=Result.FAILED, reason=job.end.reason or RunReason.UNKNOWN, message=head(job.end.message)
        )
    return last


def _run(*, job: JobSeen, pods: list[PodSeen], pod: PodSeen | None, verdict: Cause, end: datetime) -> Run:
    start = next((seen.started for seen in pods if seen.started), None) or job.started or job.created
    seconds = max((end - start).total_seconds(), 0.0)
    if len(pods) == 1 and verdict.duration_seconds is not None:
        seconds = verdict.duration_seconds
    return Run(
        **asked(job),
        result=verdict.result,
        reason=str(verdict.reason),
        exit_code=pod.exit_code if pod else None,
        start_time=start,
        end_time=end,
        duration_seconds=round(seconds, 1),
        message=verdict.message or None,
        value=verdict.value,
        peak_memory_bytes=verdict.peak_memory_bytes,
        attempts=_attempts(job, pods, verdict=verdict),
    )


def _attempts(job: JobSeen, pods: list[PodSeen], *, verdict: Cause) -> list[Attempt]:
    attempts = [
        Attempt(
            number=number,
            job_name=job.name if job.name != job.run_id else None,
            pod_name=pod.name,
            start_time=pod.started,
            end_time=pod.ended,
            exit_code=pod.exit_code,
            reason=str(cause.reason) if (cause := cause_of(pod)) else "",
        )
        for number, pod in enumerate(pods, start=1)
    ]
    if attempts and job.ended_as:  # its Pod only shows that it was deleted
        attempts[-1] = attempts[-1].model_copy(update={"reason": str(verdict.reason)})
    return attempts[-MAX_ATTEMPTS:]


def asked(run: JobSeen | ActiveRun | PendingRun | Run) -> dict[str, Any]:
    """Which run it is and who asked for it, as fields of another record of the same run."""
    run_id, job_name = (run.run_id, run.name) if isinstance(run, JobSeen) else (run.id, run.job_name)
    return {
        "id": run_id,
        "job_name": job_name,
        "slot": run.slot,
        "trigger": run.trigger,
        "requested_by": run.requested_by,
        "request": run.request,
        "retry_of": run.retry_of,
        "overridden": run.overridden,
    }
