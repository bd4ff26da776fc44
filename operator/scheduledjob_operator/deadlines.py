"""Attempts that do not start: when their patience ends, and why. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduledjob_operator.causes import stuck
from scheduledjob_operator.models import Result
from scheduledjob_operator.names import RunReason
from scheduledjob_operator.observed import EndedAs, JobSeen, PodSeen

POD_PATIENCE = timedelta(seconds=5)
"""How long a Job may be without a Pod before it is worth a question."""
LONGEST_MESSAGE = 1024
ENDED_PHASES = ("Failed", "Succeeded")

Said = tuple[str, str]
"""Reason and message: why a Job has no Pod, in Kubernetes' own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A Job none of whose Pods has started, or whose next one has not."""

    job: JobSeen
    until: datetime
    """When the attempt is given up."""
    pod: PodSeen | None
    """The Pod that does not start; None when Kubernetes could not even create one."""


def waiting(*, jobs: Iterable[JobSeen], pods: Sequence[PodSeen], pending_timeout: timedelta) -> list[Waiting]:
    """The Jobs that wait for a start. One that a queue holds back (`spec.suspend`) has not begun to.

    Whether one that was adopted has started is not seen: it goes by its own deadlines.
    """
    found = []
    for job in jobs:
        if job.end or job.deleting or job.suspended or job.started is None or job.ended_as or job.adopted:
            continue
        own = sorted((pod for pod in pods if pod.job_name == job.name), key=lambda pod: pod.created)
        latest = own[-1] if own else None
        if latest and (latest.started or latest.exit_code is not None or latest.phase in ENDED_PHASES):
            continue
        since = max(job.started, latest.created) if latest else job.started
        found.append(Waiting(job=job, until=since + pending_timeout, pod=latest))
    return found


def gave_up(case: Waiting, *, said: Said | None) -> EndedAs:
    """The verdict on an attempt that did not start in time. `said`: why it has no Pod."""
    if case.pod is not None:
        reason, message = stuck([case.pod]) or (
            RunReason.NOT_STARTED,
            case.pod.waiting_message or "the container did not start before pendingTimeout",
        )
        return EndedAs(result=Result.FAILED, reason=str(reason), message=message[:LONGEST_MESSAGE])
    if said is None:
        message = "Kubernetes created no Pod before pendingTimeout"
        return EndedAs(result=Result.FAILED, reason=RunReason.NOT_STARTED, message=message)
    return EndedAs(result=Result.FAILED, reason=said[0], message=said[1])


def no_pod(refusals: Sequence[str]) -> Said | None:
    """Why Kubernetes could not create the Pod of a Job; None: it does not say.

    `refusals`: what it said when it could not, newest last.
    """
    return (refusal_reason(refusals[-1]), refusals[-1][:LONGEST_MESSAGE]) if refusals else None


def refusal_reason(message: str) -> str:
    """Which rule kept a Pod from being created, by Kubernetes' own words for it."""
    if "exceeded quota" in message or "failed quota" in message:
        return RunReason.QUOTA_EXCEEDED
    if "violates PodSecurity" in message:
        return RunReason.POD_SECURITY
    return RunReason.FAILED_CREATE
