"""Jobs and Pods seen -> runs with result, cause and attempts. Pure."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from scheduledjob_operator.models import ActiveRun, Attempt, PendingRun, Result, Run
from scheduledjob_operator.names import RunReason
from scheduledjob_operator.observed import JobSeen, PodSeen

MESSAGE_LENGTH = 1024
"""Longest message of a run, in characters: of an error its beginning, of a log its end."""
MAX_ATTEMPTS = 20
MAX_DEPTH = 32
"""Deepest nesting of a report: what is deeper cannot be written back."""

_DISRUPTIONS = {
    "EvictionByEvictionAPI": RunReason.EVICTED,
    "TerminationByKubelet": RunReason.EVICTED,
    "PreemptionByScheduler": RunReason.PREEMPTED,
    "DeletionByTaintManager": RunReason.NODE_LOST,
    "DeletionByPodGC": RunReason.NODE_LOST,
}
DISRUPTION_REASONS = frozenset(_DISRUPTIONS.values())
"""Reasons of attempts that ended through no fault of their own; they use up no retry."""

_STUCK = {
    "ErrImagePull": "ImagePullBackOff",
    "ImagePullBackOff": "ImagePullBackOff",
    "InvalidImageName": "InvalidImageName",
    "ErrImageNeverPull": "ErrImageNeverPull",
    "CreateContainerConfigError": "CreateContainerConfigError",
    "CreateContainerError": "CreateContainerError",
    "Unschedulable": "Unschedulable",
    "SchedulingGated": "SchedulingGated",
}
_NEVER_STARTED = {"StartError", "ContainerCannotRun"}
_SIGTERM, _SIGKILL = 143, 137


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """How one Pod ended, and what it left."""

    result: Result
    reason: str
    message: str = ""
    value: Any = None
    duration_seconds: float | None = None
    peak_memory_bytes: int | None = None


def stuck(pods: list[PodSeen]) -> tuple[str, str] | None:
    """Why a run cannot start, as (reason, message); None while nothing is known to be wrong."""
    if not pods or pods[-1].started is not None or pods[-1].ended is not None:
        return None
    reason = _STUCK.get(pods[-1].waiting_reason)
    return (reason, _head(pods[-1].waiting_message)) if reason else None


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


def cause_of(pod: PodSeen) -> Cause | None:
    """How the Pod ended; None while it has not."""
    report = _report(pod.termination_message)
    left: dict[str, Any] = {
        "value": report.get("value"),
        "duration_seconds": _number(report.get("durationSeconds")),
        "peak_memory_bytes": _integer(report.get("peakMemoryBytes")),
    }
    message = _left_message(pod)
    if pod.exit_code == 0 and pod.phase != "Failed":
        return Cause(result=Result.SUCCEEDED, reason=RunReason.COMPLETED, message=message, **left)
    if pod.phase not in ("Failed", "Succeeded") and pod.exit_code is None and not pod.deleting:
        return None
    if pod.reason == RunReason.DEADLINE_EXCEEDED and pod.started is None and pod.exit_code is None:
        reason = _STUCK.get(pod.waiting_reason, RunReason.NOT_STARTED)
        return Cause(result=Result.FAILED, reason=reason, message=_head(pod.waiting_message or pod.message))
    if pod.reason == RunReason.DEADLINE_EXCEEDED or report.get("result") == Result.TIMED_OUT:
        return Cause(
            result=Result.TIMED_OUT,
            reason=RunReason.DEADLINE_EXCEEDED,
            message=message or _head(pod.message),
            **left,
        )
    reason, explained = _failure_reason(pod)
    return Cause(result=Result.FAILED, reason=reason, message=_head(explained) or message, **left)


def _failure_reason(pod: PodSeen) -> tuple[str, str]:
    """(reason, a sentence of Kubernetes' own or nothing) of a Pod that failed."""
    if pod.reason == RunReason.EVICTED:
        return RunReason.EVICTED, pod.message
    if pod.disruption:
        return _DISRUPTIONS.get(pod.disruption, pod.disruption), pod.message
    if pod.terminated_reason == RunReason.OOM_KILLED:
        return RunReason.OOM_KILLED, ""
    if pod.deleting and pod.exit_code in (None, _SIGTERM, _SIGKILL):
        return RunReason.POD_DELETED, "the Pod was deleted while it was running"
    if pod.terminated_reason in _NEVER_STARTED:
        return pod.terminated_reason, ""
    if pod.exit_code is not None:
        return RunReason.EXIT_CODE, ""
    return pod.reason or RunReason.UNKNOWN, pod.message


def _decided(job: JobSeen, *, last: Cause | None) -> Cause | None:
    """The verdict with which a Job was ended on purpose, with what its Pod left."""
    if job.ended_as is None:
        return None
    left = last or Cause(result=Result.CANCELLED, reason="")
    return replace(
        left, result=job.ended_as.result, reason=job.ended_as.reason, message=_head(job.ended_as.message)
    )


def _failure(*, job: JobSeen, pods: list[PodSeen], last: Cause | None) -> Cause:
    """The verdict on a failed Job: its last attempt's, unless something else ended it."""
    assert job.end is not None
    started = any(pod.started for pod in pods)
    if job.ended_as and (job.ended_as.result is Result.CANCELLED or not started):
        return _decided(job, last=last) or Cause(result=Result.CANCELLED, reason=RunReason.CANCELLED)
    if job.end.reason == RunReason.DEADLINE_EXCEEDED and not (last and last.result is Result.TIMED_OUT):
        if started or job.adopted:
            message = next(filter(None, map(_left_message, reversed(pods))), job.end.message)
            return Cause(result=Result.TIMED_OUT, reason=RunReason.DEADLINE_EXCEEDED, message=message)
        trouble = stuck(pods) or (RunReason.NOT_STARTED, job.end.message)
        return Cause(result=Result.FAILED, reason=trouble[0], message=trouble[1])
    if last is None or last.result is Result.SUCCEEDED:
        return Cause(
            result=Result.FAILED, reason=job.end.reason or RunReason.UNKNOWN, message=_head(job.end.message)
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


def _left_message(pod: PodSeen) -> str:
    """What the container itself said last: the error it reported, or the end of its log."""
    report = _report(pod.termination_message)
    return _report_message(report) if report else _tail(pod.termination_message)


def _report(text: str) -> dict[str, Any]:
    """The runner's termination message; empty when the text is something else, such as a log's tail.

    A container may write anything there: what the API server could not store is not a report.
    """
    if not text.startswith("{"):
        return {}
    try:
        # Half a character, which JSON can spell and UTF-8 cannot, becomes a question mark.
        report = json.loads(json.dumps(json.loads(text), ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        return {}
    return report if _is_storable(report) and report.get("version") == 1 else {}


def _is_storable(value: Any, *, depth: int = 0) -> bool:
    """Whether JSON readers in other languages take it too: finite numbers, integers of 64 bits."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return depth < MAX_DEPTH and all(_is_storable(item, depth=depth + 1) for item in inner)
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return math.isfinite(value) if isinstance(value, float) else True


def _report_message(report: dict[str, Any]) -> str:
    error = report.get("error")
    if not isinstance(error, dict):
        return ""
    return _head(": ".join(str(part) for part in (error.get("type"), error.get("message")) if part))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and value >= 0 else None


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def _head(text: str) -> str:
    return text if len(text) <= MESSAGE_LENGTH else f"{text[: MESSAGE_LENGTH - 1]}…"


def _tail(text: str) -> str:
    text = text.rstrip()
    return text if len(text) <= MESSAGE_LENGTH else f"…{text[-(MESSAGE_LENGTH - 1) :]}"
