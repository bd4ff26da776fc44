"""The one sentence of the program: read, desired, apply, observe, status, patch, events.

`reconcile` may be called at any time and any number of times; when nothing has changed it writes nothing.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import ValidationError

from scheduledjob_operator import names
from scheduledjob_operator.cluster import ApiError, Cluster, event_body
from scheduledjob_operator.desired import RunnerDefaults
from scheduledjob_operator.ledger import JobsObserved
from scheduledjob_operator.metrics import RUN_SECONDS, RUNS
from scheduledjob_operator.models import ConcurrencyPolicy, Run, ScheduledJobSpec, ScheduledJobStatus
from scheduledjob_operator.names import ReadyReason
from scheduledjob_operator.observed import CronJobSeen
from scheduledjob_operator.remarks import Remark, ready_remark, run_remark
from scheduledjob_operator.schedule import Schedule, ScheduleError
from scheduledjob_operator.status import Observation, Ready, assess, changed_fields
from scheduledjob_operator.store import Key, ScheduledJobSeen, Store
from scheduledjob_operator.sync import CronJobSync, ScheduledJobGoneError, Sync, Wanted

logger = logging.getLogger(__name__)

DEFAULT_RUNS_KEPT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A ScheduledJob that was found in order: an event that confirms a write of ours needs no second look."""

    evidence: int
    until: datetime | None

    def holds(self, *, now: datetime, evidence: int) -> bool:
        return self.evidence == evidence and (self.until is None or now < self.until)


class Reconciler:
    """Brings one ScheduledJob after the other into its desired state."""

    def __init__(
        self, *, cluster: Cluster, store: Store, defaults: RunnerDefaults, clock: Callable[[], datetime]
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._clock = clock
        self._cron_jobs = CronJobSync(cluster=cluster, store=store, defaults=defaults, clock=clock)
        self._settled: dict[Key, Settled] = {}

    async def reconcile(self, key: Key) -> datetime | None:
        """Do what is to be done for a ScheduledJob; when to do it again though nothing happens.

        Raises ApiError when the API server could not be asked; the caller tries again.
        """
        seen = self._store.scheduled_job(key)
        settled = self._settled.pop(key, None)
        if seen is None or seen.deleting:
            return None
        if settled is not None and settled.holds(now=self._clock(), evidence=self._evidence(seen)):
            self._settled[key] = settled
            return settled.until
        return await self._reconcile(seen)

    async def _reconcile(self, seen: ScheduledJobSeen) -> datetime | None:
        key = seen.key
        wanted = parse(seen)
        try:
            if isinstance(wanted, Ready):
                sync = Sync(ready=wanted, cron_job=self._cron_jobs.owned(seen))
            else:
                sync = await self._cron_jobs.bring(seen=seen, wanted=wanted)
        except ScheduledJobGoneError:
            return None
        previous = ScheduledJobStatus.model_validate(seen.status)
        # A spec that cannot be read does not say how much of the past is kept: nothing of it is dropped.
        kept = max(DEFAULT_RUNS_KEPT, len(previous.recent_runs))
        observed = self._observe(seen=seen, sync=sync, wanted=wanted, runs_kept=kept)
        assessment = assess(previous=previous, seen=observed)
        if not await self._write_status(seen=seen, previous=previous, status=assessment.status):
            return None
        recorded = {run.id for run in (*assessment.status.recent_runs, *assessment.new_runs)}
        self._store.settle(key, run_ids=recorded)
        _count(key, assessment.new_runs)
        remarks = [*map(run_remark, assessment.new_runs), sync.remark]
        remarks.append(ready_remark(previous=previous, ready=sync.ready))
        await self._post(seen=seen, remarks=[remark for remark in remarks if remark])
        again = self._clock() + sync.look_again if sync.look_again else None
        until = min(filter(None, [assessment.look_again, again]), default=None)
        written = self._store.scheduled_job(key)
        if written is None or (written.uid, written.generation) != (seen.uid, seen.generation):
            # It moved on meanwhile, and what showed that may have been the answer to our own write.
            return self._clock()
        evidence = _evidence(written, cron_job=sync.cron_job, seen=observed, without=recorded)
        self._settled[key] = Settled(evidence=evidence, until=until)
        return until

    def _evidence(self, seen: ScheduledJobSeen) -> int:
        """What the store has now of all that a reconciliation looks at, as one number."""
        key = seen.key
        jobs = JobsObserved(
            jobs=self._store.jobs(key),
            gone_jobs=self._store.gone_jobs(key),
            pods=self._store.pods(key),
            concurrency_policy=ConcurrencyPolicy.FORBID,
            now=self._clock(),
        )
        return _evidence(seen, cron_job=self._cron_jobs.owned(seen), seen=jobs, without=set())

    def _observe(
        self, *, seen: ScheduledJobSeen, sync: Sync, wanted: Wanted | Ready, runs_kept: int
    ) -> Observation:
        spec = wanted.spec if isinstance(wanted, Wanted) else None
        return Observation(
            generation=seen.generation,
            ready=sync.ready,
            cron_job=sync.cron_job,
            jobs=self._store.jobs(seen.key),
            gone_jobs=self._store.gone_jobs(seen.key),
            pods=self._store.pods(seen.key),
            concurrency_policy=spec.concurrency_policy if spec else ConcurrencyPolicy.FORBID,
            runs_kept=spec.history.runs if spec else runs_kept,
            now=self._clock(),
        )

    async def _write_status(
        self, *, seen: ScheduledJobSeen, previous: ScheduledJobStatus, status: ScheduledJobStatus
    ) -> bool:
        """Whether the ScheduledJob still exists."""
        patch = changed_fields(previous=previous, written=seen.status, status=status)
        if not patch:
            return True
        try:
            body = await self._cluster.patch_status(
                namespace=seen.key.namespace,
                name=seen.key.name,
                resource_version=seen.resource_version,
                patch=patch,
            )
        except ApiError as error:
            if error.status != 404:
                raise  # 409: it moved on, and the watch will show how
            self._store.forget_scheduled_job(seen.key, uid=seen.uid)
            return False
        self._store.put_scheduled_job(body)
        return True

    async def _post(self, *, seen: ScheduledJobSeen, remarks: list[Remark]) -> None:
        for remark in remarks:
            event = event_body(
                kind=names.KIND,
                namespace=seen.key.namespace,
                name=seen.key.name,
                uid=seen.uid,
                details={**remark._asdict(), "action": "Reconcile", "time": self._clock()},
            )
            try:
                await self._cluster.post_event(event)
            except ApiError as error:
                # The status says it too; an Event is not worth doing everything again.
                logger.warning("an Event about %s could not be posted: %s", seen.key, error)


def _evidence(
    scheduled_job: ScheduledJobSeen, *, cron_job: CronJobSeen | None, seen: JobsObserved, without: set[str]
) -> int:
    """A hash of the versions of everything that was looked at, less the evidence of runs in `without`."""
    own = replace(cron_job, resource_version="", last_schedule_time=None) if cron_job else None
    children = (
        *((job.uid, job.resource_version, "") for job in seen.jobs),
        *((job.uid, job.resource_version, "gone") for job in seen.gone_jobs if job.name not in without),
        *(
            (pod.uid, pod.resource_version, str(pod.deleting))
            for pod in seen.pods
            if pod.job_name not in without
        ),
    )
    return hash((scheduled_job.uid, scheduled_job.resource_version, own, frozenset(children)))


def parse(seen: ScheduledJobSeen) -> Wanted | Ready:
    """The typed spec, or what is wrong with it."""
    try:
        spec = ScheduledJobSpec.model_validate(seen.spec)
    except ValidationError as error:
        return Ready(reason=ReadyReason.INVALID_SPEC, message=_sentence(error))
    try:
        return Wanted(spec=spec, schedule=Schedule.parse(spec.schedule, time_zone=spec.time_zone))
    except ScheduleError as error:
        return Ready(reason=ReadyReason.INVALID_SCHEDULE, message=str(error))


def _sentence(error: ValidationError) -> str:
    parts = []
    for detail in error.errors(include_input=False, include_url=False):
        where = ".".join(["spec", *(str(part) for part in detail["loc"])])
        parts.append(f"{where}: {detail['msg'].removeprefix('Value error, ')}")
    return "; ".join(parts)


def _count(key: Key, runs: tuple[Run, ...]) -> None:
    for run in runs:
        RUNS.labels(namespace=key.namespace, name=key.name, result=run.result).inc()
        if run.duration_seconds is not None:
            RUN_SECONDS.observe(run.duration_seconds)
