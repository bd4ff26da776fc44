"""Taking over a CronJob that somebody else has made, because somebody who may write it wants that.

The wish stands on the CronJob itself: to write a ScheduledJob gives no power over the CronJobs of others. It
is done between two slots, and the Jobs that were made before get our labels, so that they count as runs.
"""

from datetime import datetime, timedelta

from scheduledjob_operator import names
from scheduledjob_operator.activity import SETTLING
from scheduledjob_operator.cluster import ApiError, Body, Cluster
from scheduledjob_operator.models.types import parse_time
from scheduledjob_operator.names import ReadyReason
from scheduledjob_operator.observed import CronJobSeen, JobEnd, Owner
from scheduledjob_operator.pending import BEFORE_A_SLOT
from scheduledjob_operator.schedule import ScheduleError
from scheduledjob_operator.status import Ready
from scheduledjob_operator.store import Store

GATHERING = timedelta(seconds=30)
"""How long Kubernetes may still make Jobs by the template of before: its controller has an older picture."""
BETWEEN_LOOKS = timedelta(seconds=5)
"""How soon to look for them."""
A_SECOND = timedelta(seconds=1)


def may_adopt(have: CronJobSeen) -> bool:
    """Whether somebody wants that and nobody else controls it."""
    return have.adopt and have.owner is None


def conflict(have: CronJobSeen) -> Ready:
    """What to say about a CronJob of somebody else, and what to do about it."""
    instead = "Rename the ScheduledJob, or delete that CronJob"
    if have.owner:
        whose = f"controlled by {have.owner.kind} {have.owner.name}"
    else:
        whose = "not made for this ScheduledJob"
        instead += (
            ", or have it taken over with all its Jobs: kubectl annotate cronjob "
            f"{have.name} {names.ANNOTATION_ADOPT}=true"
        )
    message = f"a CronJob named {have.name} exists already and is {whose}; it is left as it is. {instead}"
    return Ready(reason=ReadyReason.NAME_CONFLICT, message=message)


def waiting(have: CronJobSeen) -> Ready:
    """What to say while a slot of it is coming, or on its way."""
    message = (
        f"the CronJob {have.name} will be taken over as soon as its slot of this moment has been started"
    )
    return Ready(reason=ReadyReason.NAME_CONFLICT, message=message)


def adopted(have: CronJobSeen) -> str:
    """What to say when it was taken over."""
    return f"the CronJob {have.name} was taken over, as {names.ANNOTATION_ADOPT} on it asks for"


def look_again(have: CronJobSeen, *, now: datetime) -> datetime | None:
    """When to see whether it can be taken over; None: now.

    Not when a slot is about to come, nor before Kubernetes has started the one that has: it goes by the
    schedule of before, and exactly once.
    """
    if have.suspended:
        return None
    try:
        schedule = have.read_schedule()
    except ScheduleError:  # one that only Kubernetes can read
        return None
    coming = next(iter(schedule.next_after(now)), None)
    if coming is not None and coming - now <= BEFORE_A_SLOT:
        return coming + A_SECOND
    slot = schedule.latest_at_or_before(now, not_before=now - SETTLING)
    if slot is None or (have.last_schedule_time is not None and have.last_schedule_time >= slot):
        return None
    return min(slot + SETTLING, now + A_SECOND)


class Gathering:
    """Finds the Jobs of a CronJob that were made before it was ours."""

    def __init__(self, *, cluster: Cluster, store: Store) -> None:
        self._cluster = cluster
        self._store = store

    async def gather(self, have: CronJobSeen) -> timedelta:
        """Label those that are active, or were made after it was taken over: they are runs.

        How soon to look for more: at once when there were some, for they have to be accounted.
        """
        found = await self._cluster.jobs_without(names.LABEL_NAME, namespace=have.namespace, owner=have.uid)
        runs = [body for body in found if _is_run(body, have=have)]
        for body in runs:
            await self._label(body, have=have)
        return timedelta() if runs else BETWEEN_LOOKS

    async def finish(self, have: CronJobSeen, *, now: datetime) -> timedelta | None:
        """Go on until no more can come, and take the wish away then; how soon to do it again."""
        if not have.adopt:
            return None
        again = await self.gather(have)
        over = have.adopted + GATHERING if have.adopted else now
        if now < over or not again:
            return again
        answer = await self._cluster.annotate_cron_job(
            namespace=have.namespace, name=have.name, uid=have.uid, annotations={names.ANNOTATION_ADOPT: None}
        )
        self._store.put_cron_job(answer)
        return None

    async def _label(self, body: Body, *, have: CronJobSeen) -> None:
        metadata = body["metadata"]
        labels = {names.LABEL_MANAGED_BY: names.MANAGED_BY, names.LABEL_NAME: have.name}
        patch = {"metadata": {"labels": labels, "annotations": {names.ANNOTATION_ADOPTED: "true"}}}
        try:
            answer = await self._cluster.patch_job(
                namespace=have.namespace, name=metadata["name"], uid=metadata["uid"], patch=patch
            )
        except ApiError as error:
            if error.status not in (404, 409):
                raise
            return  # it is gone
        self._store.put_job(answer)


def _is_run(body: Body, *, have: CronJobSeen) -> bool:
    owner = Owner.of(body["metadata"])
    if owner is None or owner.uid != have.uid:
        return False
    ended = JobEnd.from_status(body.get("status") or {}) is not None
    made = parse_time(body["metadata"]["creationTimestamp"])
    return not ended or (have.adopted is not None and made >= have.adopted)
