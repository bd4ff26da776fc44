"""Which runs are active, wait or have ended, told from the Jobs that exist and those that went. Pure.

A run is one Job, which Kubernetes may try several times; or, with a back-off of its own, one Job for each
attempt, and nothing but an entry in `status.pending` between two of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from scheduledjob_operator.models import (
    ActiveRun,
    ConcurrencyPolicy,
    PendingReason,
    PendingRun,
    Result,
    Retry,
    Run,
    ScheduledJobStatus,
)
from scheduledjob_operator.names import WITHOUT_POD, RunReason
from scheduledjob_operator.observed import EndedAs, JobSeen, PodSeen
from scheduledjob_operator.retries import given_up, joined, next_attempt, superseded
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
    retry: Retry
    now: datetime
    unmade: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Job name -> (reason, message), where Kubernetes could not create a Pod so far."""


@dataclass(slots=True, kw_only=True)
class Sorted:
    """What became of the Jobs that are not in the ledger yet."""

    active: list[ActiveRun] = field(default_factory=list)
    ended: list[Run] = field(default_factory=list)
    pending: list[PendingRun] = field(default_factory=list)
    """Those of before that still have no Job, and those whose next attempt is due later."""
    awaited: bool = False
    """Whether the verdict on one of them waits for something that is about to be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Family:
    """The Jobs of one run, and what the status says of it."""

    jobs: Sequence[JobSeen]
    """By attempt."""
    present: frozenset[str]
    pods: Mapping[str, list[PodSeen]]
    before: ActiveRun | PendingRun | None

    @property
    def latest(self) -> JobSeen:
        return self.jobs[-1]

    @property
    def gone(self) -> bool:
        return self.latest.name not in self.present

    def pods_of(self, job: JobSeen) -> list[PodSeen]:
        return self.pods.get(job.name, [])


def sort_out(*, previous: ScheduledJobStatus, seen: JobsObserved) -> Sorted:
    """The runs that are active, wait, and ended since `previous`."""
    present = frozenset(job.name for job in seen.jobs)
    gone = [job for job in seen.gone_jobs if job.name not in present]
    pods = _pods_by_job(seen.pods)
    result = Sorted()
    families = _families(previous=previous, jobs=[*seen.jobs, *gone], present=present, pods=pods)
    due = _due(previous, seen)
    for family in families:
        _sort_family(family, into=result, previous=previous, seen=seen, due=due)
    seen_ids = {job.run_id for family in families for job in family.jobs}
    known = {run.id for run in previous.recent_runs} | seen_ids
    lost = [run for run in previous.active if run.id not in known]
    result.ended += [vanished_run(active=run, now=seen.now) for run in lost]
    result.pending += [run for run in previous.pending if run.id not in known]
    _give_up_superseded(result, previous=previous, retry=seen.retry)
    return result


def _families(
    *,
    previous: ScheduledJobStatus,
    jobs: Iterable[JobSeen],
    present: frozenset[str],
    pods: Mapping[str, list[PodSeen]],
) -> list[_Family]:
    """The Jobs that are not in the ledger yet, run by run, in the order of their beginning."""
    known = {run.id for run in previous.recent_runs}
    before: dict[str, ActiveRun | PendingRun] = {run.id: run for run in previous.pending}
    before |= {run.id: run for run in previous.active}
    by_run: dict[str, list[JobSeen]] = {}
    for job in sorted(jobs, key=lambda job: (job.created, job.name)):
        if job.run_id not in known:
            by_run.setdefault(job.run_id, []).append(job)
    return [
        _Family(
            jobs=sorted(group, key=lambda job: job.attempt),
            present=present,
            pods=pods,
            before=before.get(run_id),
        )
        for run_id, group in by_run.items()
    ]


def _sort_family(
    family: _Family, *, into: Sorted, previous: ScheduledJobStatus, seen: JobsObserved, due: bool
) -> None:
    job, before = family.latest, family.before
    if isinstance(before, PendingRun) and before.attempt > job.attempt:
        if job.cancel is None:
            into.pending.append(before)  # its next attempt has not been started yet
        else:
            into.ended.append(cancelled(before, by=job.cancel, now=seen.now))
        return
    earlier = [entry for entry in before.attempts if _is_earlier(entry.job_name, job)] if before else []
    began = before.start_time if before else None
    run = _run(job=job, pods=family.pods_of(job), gone=family.gone, seen=seen, due=due)
    if run is None:
        into.awaited = into.awaited or job.end is not None or family.gone
        unmade = seen.unmade.get(job.name) or _said(before)
        active = active_run(job=job, pods=family.pods_of(job), earlier=earlier, began=began, unmade=unmade)
        into.active.append(_steady(active, previous=previous))
        return
    whole = joined(_explained(run, before=before), earlier=earlier, began=began)
    following = next_attempt(run=whole, job=job, retry=seen.retry, now=seen.now)
    if following is not None:
        into.pending.append(following)
    else:
        into.ended.append(whole)


def _said(before: ActiveRun | PendingRun | None) -> tuple[str, str] | None:
    """Why a run had not started when that was last known, as (reason, message)."""
    if not isinstance(before, ActiveRun) or before.reason is None:
        return None
    return before.reason, before.message or ""


def _explained(run: Run, *, before: ActiveRun | PendingRun | None) -> Run:
    """The run with why it never started: that was known while it was active, and its Pod says it no more."""
    said = _said(before)
    if run.reason != RunReason.NOT_STARTED or said is None:
        return run
    reason, message = said
    if reason in WITHOUT_POD and any(attempt.pod_name for attempt in run.attempts):
        return run  # it got one since
    latest = [attempt.model_copy(update={"reason": reason}) for attempt in run.attempts[-1:]]
    attempts = [*run.attempts[:-1], *latest]
    return run.model_copy(update={"reason": reason, "message": message or run.message, "attempts": attempts})


def _is_earlier(job_name: str | None, job: JobSeen) -> bool:
    """Whether an attempt that stands in the status was made by another Job than this one.

    An attempt that names no Job was made by the first one, whose name is the run's.
    """
    return (job_name or job.run_id) != job.name


def cancelled(pending: PendingRun, *, by: str, now: datetime) -> Run:
    """The end of a run that was called off while it had no Job."""
    return given_up(pending, EndedAs.cancelled(by=by), end=now)


def _give_up_superseded(result: Sorted, *, previous: ScheduledJobStatus, retry: Retry) -> None:
    """End the runs whose next attempt comes too late: the run of a later slot has begun."""
    others: list[Run | ActiveRun] = [*result.active, *result.ended, *previous.recent_runs]
    for run in list(result.pending):
        if run.reason is not PendingReason.BACKOFF or retry.keep_across_slots:
            continue
        if superseded(run, by=others):
            result.pending.remove(run)
            last = run.attempts[-1].end_time if run.attempts else None
            verdict = EndedAs(
                result=run.result or Result.FAILED, reason=RunReason.SUPERSEDED, message=run.message or ""
            )
            result.ended.append(given_up(run, verdict, end=last or run.since))


def _run(*, job: JobSeen, pods: list[PodSeen], gone: bool, seen: JobsObserved, due: bool) -> Run | None:
    """The finished run of a Job; None while it has not ended, or not all is known about its end."""
    if job.end is not None:
        late = not timedelta() <= seen.now - job.end.time < EVIDENCE_PATIENCE
        if gone or late or evidence_is_complete(job=job, pods=pods):
            return finished_run(job=job, pods=pods)
        return None
    held_back = job.ended_as is not None and job.suspended  # it never begins, and so it never ends
    if not gone and not held_back:
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
