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
from scheduledjob_operator.redaction import refusal
from scheduledjob_operator.remarks import Remark
from scheduledjob_operator.schedule import (
    Schedule,
    ScheduleError,
    clock_change_notes,
    fired_by_operator,
)
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
        defaults: desired.RunnerDefaults,
        clock: Callable[[], datetime],
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._defaults = defaults
        self._clock = clock
        self._owned_fields: dict[Key, int] = {}
        self._gathering = adoption.Gathering(cluster=cluster, store=store)

    def forget(self, key: Key) -> None:
        """The ScheduledJob is gone."""
        self._owned_fields.pop(key, None)

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
        if have is not None and not _may_take(have, seen=seen) and (left := self._left_alone(have)):
            return left
        if have is not None and have.deleting:
            return Sync(
                ready=_reconciled(wanted, now=self._clock()), cron_job=have, look_again=RETRY_DELETING
            )
        if have is not None and _in_sync(have, body=body, uid=seen.uid) and not self._lost_fields(have):
            again = await self._gathering.finish(have, now=self._clock())
            return Sync(ready=_reconciled(wanted, now=self._clock()), cron_job=have, look_again=again)
        try:
            return await self._apply(seen=seen, wanted=wanted, have=have, body=body)
        except ApiError as error:
            if not error.is_refusal or "metadata.uid" in error.message:
                raise  # the latter: another CronJob has taken its place, which the watch will show
            ready, own = refusal(error, body=body), self.owned(seen)
            others = have if own is None else None
            return Sync(ready=ready, cron_job=own, others=others, look_again=RETRY_REFUSED)

    def _left_alone(self, have: CronJobSeen) -> Sync | None:
        """What to say of a CronJob of somebody else; None when it is taken over now."""
        now = self._clock()
        if not adoption.may_adopt(have):
            return Sync(ready=adoption.conflict(have), cron_job=None, others=have, look_again=RETRY_REFUSED)
        again = adoption.look_again(have, now=now)
        if again is None:
            return None
        return Sync(ready=adoption.waiting(have), cron_job=None, others=have, look_again=again - now)

    def _lost_fields(self, have: CronJobSeen) -> bool:
        """Whether a field of ours was removed: that leaves no owner behind, only fewer fields of ours.

        Compared with what was there after our last write, or when the operator first saw the CronJob.
        """
        return self._owned_fields.setdefault(_key(have), have.owned_fields) != have.owned_fields

    async def _apply(
        self, *, seen: ScheduledJobSeen, wanted: Wanted, have: CronJobSeen | None, body: Body
    ) -> Sync:
        remark, again = None, None
        if have is not None and not _may_take(have, seen=seen):
            await self._reclaim(have, adopted=self._clock())
            again = await self._gathering.gather(have)
            remark = Remark("Normal", EventReason.CRON_JOB_ADOPTED, adoption.adopted(have))
        elif have is not None:
            remark = await self._reclaimed(have)
        elif seen.status.get("cronJobName"):
            await self._ensure_parent(seen)
            remark = Remark(
                "Warning", EventReason.CRON_JOB_RECREATED, "the CronJob was gone; it was created again"
            )
        if have is None:
            # Without force it does not overwrite one that was made a moment ago and has not been seen yet.
            answer = await self._cluster.apply_cron_job(body, force=False)
        else:
            await self._fence_old_slots(have=have, wanted=wanted)
            # The API server refuses it when the CronJob of that name is another one by now.
            body = {**body, "metadata": {**body["metadata"], "uid": have.uid}}
            answer = await self._cluster.apply_cron_job(body, force=True)
        self._store.put_cron_job(answer)
        applied = CronJobSeen.from_body(answer)
        self._owned_fields[_key(applied)] = applied.owned_fields
        ready = _reconciled(wanted, now=self._clock())
        return Sync(ready=ready, cron_job=applied, remark=remark, look_again=again)

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
        """Raise ScheduledJobGoneError when the ScheduledJob went unnoticed and took its CronJob along."""
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
        if _fires_alike(have, schedule=schedule) and not have.suspended and not have.fired_by_operator:
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

    async def _reclaim(self, have: CronJobSeen, *, adopted: datetime | None = None) -> None:
        """Take over what others wrote into the CronJob's spec, so that the next apply removes it.

        Their names are gone then, so the hash goes along: until that apply the CronJob is not in sync.
        `adopted`: when it becomes ours, if it was not. Raises ApiError when nobody wants that any more.
        """
        body = await self._cluster.get("CronJob", namespace=have.namespace, name=have.name)
        if body is None:
            return
        metadata = body["metadata"]
        notes = {names.ANNOTATION_SPEC_HASH: ""}
        if adopted is not None:
            notes[names.ANNOTATION_ADOPTED] = format_time(adopted)
            if metadata["uid"] != have.uid or not adoption.may_adopt(CronJobSeen.from_body(body)):
                raise ApiError(
                    status=409, reason="Conflict", message=f"CronJob {have.name} is another one now"
                )
        await self._cluster.set_managed_fields(
            namespace=have.namespace,
            name=have.name,
            resource_version=metadata["resourceVersion"],
            entries=reclaimed(metadata.get("managedFields") or []),
            annotations={**(metadata.get("annotations") or {}), **notes},
        )


def _may_take(have: CronJobSeen, *, seen: ScheduledJobSeen) -> bool:
    """Ours, or left over from an earlier ScheduledJob of this name (deleted with --cascade=orphan)."""
    if have.owner is None:
        return have.managed
    return have.owner.uid == seen.uid or (have.managed and have.owner.kind == names.KIND)


def _fires_alike(have: CronJobSeen, *, schedule: Schedule) -> bool:
    """Whether a CronJob fires by this schedule, in whatever words."""
    try:
        known = have.read_schedule()
    except ScheduleError:
        return False
    return (known.canonical, known.time_zone) == (schedule.canonical, schedule.time_zone)


def _in_sync(have: CronJobSeen, *, body: Body, uid: str) -> bool:
    return (
        have.managed
        and have.owner is not None
        and have.owner.uid == uid
        and have.spec_hash == body["metadata"]["annotations"][names.ANNOTATION_SPEC_HASH]
        and have.timetable == body["metadata"]["annotations"].get(names.ANNOTATION_TIMETABLE, "")
        and not have.foreign_managers
    )


def _parent(seen: ScheduledJobSeen) -> desired.Parent:
    return desired.Parent(namespace=seen.key.namespace, name=seen.key.name, uid=seen.uid)


def _key(cron_job: CronJobSeen) -> Key:
    return Key(cron_job.namespace, cron_job.name)


def _reconciled(wanted: Wanted, *, now: datetime) -> Ready:
    if wanted.suspension:
        message = f"the CronJob is suspended, because {wanted.suspension.message}"
    else:
        notes = clock_change_notes(wanted.schedule, now=now)
        message = "the CronJob is in sync" + (f"; {notes}" if notes else "")
    return Ready(reason=ReadyReason.RECONCILED, message=message)
