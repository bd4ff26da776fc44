"""Which runs are active and which have ended, told from the Jobs that exist and those that went. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from scheduledjob_operator.models import ActiveRun, ConcurrencyPolicy, Run, ScheduledJobStatus
from scheduledjob_operator.observed import JobSeen, PodSeen
from scheduledjob_operator.runs import (
    active_run,
    deleted_run,
    evidence_is_complete,
    finished_run,
    vanished_run,
)

EVIDENCE_PATIENCE = timedelta(seconds=3)
"""How long a Job's end waits for the Pod that explains it: the two come by two watches."""
REPLACEMENT_WINDOW = timedelta(seconds=10)
"""How far the deletion of a replaced Job and the creation of its successor may lie apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsObserved:
    """The Jobs of one ScheduledJob."""

    jobs: Sequence[JobSeen]
    """Those that exist."""
    gone_jobs: Sequence[JobSeen]
    """Those that were seen to go, as they were last seen."""
    pods: Sequence[PodSeen]
    concurrency_policy: ConcurrencyPolicy
    now: datetime


@dataclass(slots=True, kw_only=True)
class Sorted:
    """What became of the Jobs that are not in the ledger yet."""

    active: list[ActiveRun] = field(default_factory=list)
    ended: list[Run] = field(default_factory=list)
    awaited: bool = False
    """Whether the verdict on one of them waits for something that is about to be seen."""


def sort_out(*, previous: ScheduledJobStatus, seen: JobsObserved) -> Sorted:
    """The runs that are active and those that ended since `previous`."""
    known = {run.id for run in previous.recent_runs}
    present = {job.name for job in seen.jobs}
    gone = [job for job in seen.gone_jobs if job.name not in present]
    pods = _pods_by_job(seen.pods)
    result = Sorted()
    for job in sorted((*seen.jobs, *gone), key=lambda job: (job.created, job.name)):
        if job.name in known:
            continue
        run = _run(
            job=job,
            pods=pods.get(job.name, []),
            gone=job.name not in present,
            seen=seen,
            due=_due(previous, seen),
        )
        if run is not None:
            result.ended.append(run)
            continue
        result.awaited = result.awaited or job.end is not None or job.name not in present
        result.active.append(_steady(active_run(job=job, pods=pods.get(job.name, [])), previous=previous))
    seen_names = known | present | {job.name for job in gone}
    lost = [run for run in previous.active if run.id not in seen_names]
    result.ended += [vanished_run(active=run, now=seen.now) for run in lost]
    return result


def _run(*, job: JobSeen, pods: list[PodSeen], gone: bool, seen: JobsObserved, due: bool) -> Run | None:
    """The finished run of a Job; None while it has not ended, or not all is known about its end."""
    if job.end is not None:
        late = not timedelta() <= seen.now - job.end.time < EVIDENCE_PATIENCE
        if gone or late or evidence_is_complete(job=job, pods=pods):
            return finished_run(job=job, pods=pods)
        return None
    if not gone:
        return None
    replacing = seen.concurrency_policy is ConcurrencyPolicy.REPLACE
    replaced = replacing and any(seen.now - other.created < REPLACEMENT_WINDOW for other in seen.jobs)
    if replacing and due and not replaced:
        return None  # the controller deletes first and creates the successor then
    return deleted_run(job=job, pods=pods, replaced=replaced, now=seen.now)


def _due(previous: ScheduledJobStatus, seen: JobsObserved) -> bool:
    """Whether a slot has come a moment ago, whose Job may not have been seen yet."""
    slots = previous.next_run_times
    return bool(slots) and timedelta() <= seen.now - slots[0] < REPLACEMENT_WINDOW


def _pods_by_job(pods: Sequence[PodSeen]) -> dict[str, list[PodSeen]]:
    result: dict[str, list[PodSeen]] = {}
    for pod in sorted(pods, key=lambda pod: (pod.created, pod.name)):
        result.setdefault(pod.job_name, []).append(pod)
    return result


def _steady(run: ActiveRun, *, previous: ScheduledJobStatus) -> ActiveRun:
    """The same run with the message it had for as long as its reason is the same.

    Kubernetes words one trouble differently from second to second, and each wording would cost a write.
    """
    for before in previous.active:
        if before.id == run.id and before.reason == run.reason:
            return run.model_copy(update={"message": before.message})
    return run
