"""Bringing the CronJob of a ScheduledJob into its desired state, with as few writes as there are."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduledjob_operator import adoption, desired, names
from scheduledjob_operator.cluster import ApiError, Body, Cluster
from scheduledjob_operator.models import ScheduledJobSpec
from scheduledjob_operator.models.types import format_time
from scheduledjob_operator.names import EventReason, ReadyReason
from scheduledjob_operator.observed import CronJobSeen
from scheduledjob_operator.ownership import reclaimed
from scheduledjob_operator.pod_template import Parent, RunnerDefaults
from scheduledjob_operator.redaction import refusal
from scheduledjob_operator.remarks import Remark
from scheduledjob_operator.schedule import clock_change_notes, fired_by_operator
from scheduledjob_operator.status import Ready
from scheduledjob_operator.store import Key, ScheduledJobSeen, Store
from scheduledjob_operator.wanted import Wanted

RETRY_REFUSED = timedelta(seconds=60)
"""How soon a refused CronJob is tried again: a quota may have been raised, a foreign CronJob be gone."""
RETRY_DELETING = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """What became of the CronJob: what to say about it, it, and a remark for the Events."""

    ready: Ready
    cron_job: CronJobSeen | None
    others: CronJobSeen | None = None
    """The one of that name that is not ours."""
    remark: Remark | None = None
    look_again: timedelta | None = None


class ScheduledJobGoneError(Exception):
    """The ScheduledJob does not exist any more."""


class CronJobSync:
    """Owns the way from a spec to its CronJob in the cluster."""

    def __init__(
        self,
        *,
        cluster: Cluster,
        store: Store,
        defaults: RunnerDefaults,
        clock: Callable[[], datetime],
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._defaults = defaults
        self._clock = clock
        self._owned_fields: dict[Key, int] = {}
        self._adoption = adoption.Adoption(cluster=cluster, store=store)

    def forget(self, key: Key) -> None:
        """The ScheduledJob is gone."""
        self._owned_fields.pop(key, None)
        self._adoption.forget(key)

    def owned(self, seen: ScheduledJobSeen) -> CronJobSeen | None:
        """The CronJob that stands behind the ScheduledJob, as last seen."""
        known = self._store.cron_job(seen.key)
        return known if known and known.owner and known.owner.uid == seen.uid else None

    def source(self, *, seen: ScheduledJobSeen, spec: ScheduledJobSpec) -> Body:
        """As much of the CronJob in its desired state as a Job is made from."""
        return desired.job_source(parent=_parent(seen), spec=spec, defaults=self._defaults)

    def body(self, *, seen: ScheduledJobSeen, wanted: Wanted) -> Body:
        """The CronJob in its desired state."""
        return desired.cron_job(
            parent=_parent(seen),
            spec=wanted.spec,
            schedule=wanted.schedule,
            defaults=self._defaults,
            suspended=wanted.suspension is not None,
        )

    async def bring(self, *, seen: ScheduledJobSeen, wanted: Wanted) -> Sync:
        """Bring the CronJob into its desired state, unless it is in it or belongs to somebody else.

        Raises ApiError when the API server could not be asked, ScheduledJobGoneError when nothing is left
        to do.
        """
        body = self.body(seen=seen, wanted=wanted)
        have = self._store.cron_job(seen.key)
        if have is not None and not _may_take(have, seen=seen):
            left = self._left_alone(have, wanted=wanted)
            return left or await self._take_over(have, wanted=wanted, body=body)
        if have is not None and have.deleting:
            return Sync(
                ready=_reconciled(wanted, now=self._clock()), cron_job=have, look_again=RETRY_DELETING
            )
        if have is not None and _in_sync(have, body=body, uid=seen.uid) and not self._lost_fields(have):
            finished, again = await self._adoption.finish(have, now=self._clock())
            ready, remark = _reconciled(wanted, now=self._clock()), self._adopted(have)
            return Sync(ready=ready, cron_job=finished, remark=remark, look_again=again)
        try:
            return await self._apply(seen=seen, wanted=wanted, have=have, body=body)
        except ApiError as error:
            own = self.owned(seen)
            others = have if own is None else None
            return Sync(
                ready=_refusal(error, body=body), cron_job=own, others=others, look_again=RETRY_REFUSED
            )

    def _left_alone(self, have: CronJobSeen, *, wanted: Wanted) -> Sync | None:
        """What to say of a CronJob of somebody else; None when it is taken over now."""
        now = self._clock()
        if not adoption.may_adopt(have):
            return Sync(ready=adoption.conflict(have), cron_job=None, others=have, look_again=RETRY_REFUSED)
        again = adoption.look_again(have, goes_on=_goes_on(have, wanted=wanted), now=now)
        if again is None:
            return None
        return Sync(ready=adoption.waiting(have), cron_job=None, others=have, look_again=again - now)

    async def _take_over(self, have: CronJobSeen, *, wanted: Wanted, body: Body) -> Sync:
        """Make a CronJob of somebody else ours, or leave everything as it is when that would be refused."""
        try:
            if not await self._adoption.prepare(have, body=_for(have, body), now=self._clock()):
                # It is not what the watches have shown; they are about to show more.
                conflict = adoption.conflict(have)
                return Sync(ready=conflict, cron_job=None, others=have, look_again=adoption.A_SECOND)
            applied = await self._replace(have, wanted=wanted, body=body)
        except ApiError as error:
            ready = _refusal(error, body=body)
            self._adoption.refused(_key(have))
            return Sync(ready=ready, cron_job=None, others=have, look_again=RETRY_REFUSED)
        # Before the next slot: until they are labelled, its active Jobs keep none waiting.
        found = await self._adoption.gather(applied)
        return Sync(
            ready=_reconciled(wanted, now=self._clock()),
            cron_job=applied,
            remark=self._adopted(applied),
            look_again=timedelta() if found or applied.foreign_managers else adoption.BETWEEN_LOOKS,
        )

    def _adopted(self, have: CronJobSeen) -> Remark | None:
        news = self._adoption.news(have)
        return Remark("Normal", EventReason.CRON_JOB_ADOPTED, news) if news else None

    def _lost_fields(self, have: CronJobSeen) -> bool:
        """Whether a field of ours was removed: that leaves no owner behind, only fewer fields of ours.

        Compared with what was there after our last write, or when the operator first saw the CronJob.
        """
        return self._owned_fields.setdefault(_key(have), have.owned_fields) != have.owned_fields

    async def _apply(
        self, *, seen: ScheduledJobSeen, wanted: Wanted, have: CronJobSeen | None, body: Body
    ) -> Sync:
        remark = None
        if have is not None:
            remark = await self._reclaimed(have)
            applied = await self._replace(have, wanted=wanted, body=body)
        else:
            if seen.status.get("conditions"):  # not new: it may have gone with its CronJob, or its namespace
                await self._ensure_parent(seen)
            if seen.status.get("cronJobName"):
                note = "the CronJob was gone; it was created again"
                remark = Remark("Warning", EventReason.CRON_JOB_RECREATED, note)
            # Without force it does not overwrite one that was made a moment ago and has not been seen yet.
            applied = self._take_in(await self._cluster.apply_cron_job(body, force=False))
        return Sync(ready=_reconciled(wanted, now=self._clock()), cron_job=applied, remark=remark)

    async def _replace(self, have: CronJobSeen, *, wanted: Wanted, body: Body) -> CronJobSeen:
        """Apply over what is there, and only over that."""
        await self._fence_old_slots(have=have, wanted=wanted)
        return self._take_in(await self._cluster.apply_cron_job(_for(have, body), force=True))

    def _take_in(self, answer: Body) -> CronJobSeen:
        self._store.put_cron_job(answer)
        applied = CronJobSeen.from_body(answer)
        self._owned_fields[_key(applied)] = applied.owned_fields
        return applied

    async def _reclaimed(self, have: CronJobSeen) -> Remark | None:
        """Take back what is ours, if somebody has written into it; what to say about that."""
        if have.foreign_managers:
            await self._reclaim(have)
            note = f"{', '.join(have.foreign_managers)} changed the CronJob; it was put back. "
        elif self._lost_fields(have):
            note = "a field was removed from the CronJob; it was put back. "
        else:
            return None
        return Remark("Warning", EventReason.DRIFT_CORRECTED, note + "Change the ScheduledJob instead")

    async def _ensure_parent(self, seen: ScheduledJobSeen) -> None:
        """Raise ScheduledJobGoneError when the ScheduledJob went unnoticed; its CronJob then went along."""
        found = await self._cluster.get(names.KIND, namespace=seen.key.namespace, name=seen.key.name)
        if found is None or found["metadata"]["uid"] != seen.uid:
            self._store.forget_scheduled_job(seen.key, uid=seen.uid)
            raise ScheduledJobGoneError(str(seen.key))

    async def _fence_old_slots(self, *, have: CronJobSeen, wanted: Wanted) -> None:
        """Keep a CronJob that is about to be enabled or rescheduled from firing a slot of the past.

        The CronJob controller starts the latest slot after lastScheduleTime (or the CronJob's creation)
        that is within startingDeadlineSeconds. Telling it that this slot is done is the only exact fence.
        """
        spec, schedule = wanted.spec, wanted.schedule
        if wanted.suspension or fired_by_operator(schedule, spec.concurrency_policy):
            return
        if have.fires_by(schedule) and not have.suspended and not have.fired_by_operator:
            return
        now = self._clock()
        if have.suspended and wanted.resumes_at and wanted.resumes_at <= now:
            now = wanted.resumes_at - timedelta(seconds=1)
        elif wanted.accounted is not None:
            now = max(now, wanted.accounted)
        earliest = max(filter(None, [have.last_schedule_time, have.created, now - spec.starting_deadline]))
        slot = schedule.latest_at_or_before(now, not_before=earliest)
        if slot is not None:
            await self._cluster.patch_cron_job_status(
                namespace=have.namespace, name=have.name, body={"lastScheduleTime": format_time(slot)}
            )

    async def _reclaim(self, have: CronJobSeen) -> None:
        """Take over what others wrote into the CronJob's spec, so that the next apply removes it.

        Their names are gone then, so the hash goes along: until that apply the CronJob is not in sync.
        """
        body = await self._cluster.get("CronJob", namespace=have.namespace, name=have.name)
        if body is None:
            return
        metadata = body["metadata"]
        await self._cluster.set_managed_fields(
            namespace=have.namespace,
            name=have.name,
            resource_version=metadata["resourceVersion"],
            entries=reclaimed(metadata.get("managedFields") or []),
            annotations={**(metadata.get("annotations") or {}), names.ANNOTATION_SPEC_HASH: ""},
        )


def _may_take(have: CronJobSeen, *, seen: ScheduledJobSeen) -> bool:
    """Ours, or left over from an earlier ScheduledJob of this name (deleted with --cascade=orphan)."""
    if have.owner is None:
        return have.managed
    return have.owner.uid == seen.uid or (have.managed and have.owner.kind == names.KIND)


def _goes_on(have: CronJobSeen, *, wanted: Wanted) -> bool:
    """Whether Kubernetes fires the CronJob by the schedule that it has when it is as it is wanted."""
    native = not fired_by_operator(wanted.schedule, wanted.spec.concurrency_policy)
    return native and wanted.suspension is None and have.fires_by(wanted.schedule)


def _for(have: CronJobSeen, body: Body) -> Body:
    """The API server refuses it when the CronJob of that name is another one by now."""
    return {**body, "metadata": {**body["metadata"], "uid": have.uid}}


def _refusal(error: ApiError, *, body: Body) -> Ready:
    """What to say when the API server will refuse it again; otherwise raises the error."""
    if not error.is_refusal or "metadata.uid" in error.message:
        raise error  # the latter: another CronJob has taken its place, which the watch will show
    return refusal(error, body=body)


def _in_sync(have: CronJobSeen, *, body: Body, uid: str) -> bool:
    return (
        have.managed
        and have.owner is not None
        and have.owner.uid == uid
        and have.spec_hash == body["metadata"]["annotations"][names.ANNOTATION_SPEC_HASH]
        and have.timetable == body["metadata"]["annotations"].get(names.ANNOTATION_TIMETABLE, "")
        and not have.foreign_managers
    )


def _parent(seen: ScheduledJobSeen) -> Parent:
    return Parent(namespace=seen.key.namespace, name=seen.key.name, uid=seen.uid)


def _key(cron_job: CronJobSeen) -> Key:
    return Key(cron_job.namespace, cron_job.name)


def _reconciled(wanted: Wanted, *, now: datetime) -> Ready:
    if wanted.suspension:
        message = f"the CronJob is suspended, because {wanted.suspension.message}"
    else:
        notes = clock_change_notes(wanted.schedule, now=now)
        message = "the CronJob is in sync" + (f"; {notes}" if notes else "")
    return Ready(reason=ReadyReason.RECONCILED, message=message)
