"""Taking over a CronJob that somebody else has made, because somebody who may write it wants that.

The wish stands on the CronJob itself: to write a ScheduledJob gives no power over the CronJobs of others. It
is done between two slots, and the Jobs that were made before get our labels, so that they count as runs.
Nothing at all is changed before the API server has said, in a dry run, that it would take what comes of it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from scheduledjob_operator import names
from scheduledjob_operator.activity import PUNCTUAL, SETTLING
from scheduledjob_operator.cluster import ApiError, Body, Cluster
from scheduledjob_operator.job_names import slot_job
from scheduledjob_operator.models import ConcurrencyPolicy
from scheduledjob_operator.models.types import format_time, parse_time
from scheduledjob_operator.names import ReadyReason
from scheduledjob_operator.observed import CronJobSeen, JobEnd, Owner
from scheduledjob_operator.ownership import reclaimed
from scheduledjob_operator.pending import BEFORE_A_SLOT
from scheduledjob_operator.schedule import Schedule, ScheduleError
from scheduledjob_operator.status import Ready
from scheduledjob_operator.store import Key, Store

GATHERING = timedelta(seconds=30)
"""How long Kubernetes may still make Jobs by the template of before: its controller has an older picture."""
BETWEEN_LOOKS = timedelta(seconds=5)
"""How soon to look for them."""
A_SECOND = timedelta(seconds=1)


def may_adopt(have: CronJobSeen) -> bool:
    """Whether somebody wants that, nobody else controls it, and it is there to stay."""
    return have.adopt and have.owner is None and not have.deleting


def conflict(have: CronJobSeen) -> Ready:
    """What to say about a CronJob of somebody else, and what to do about it."""
    instead = "it is left as it is. Rename the ScheduledJob, or delete that CronJob"
    if have.owner:
        whose = f"controlled by {have.owner.kind} {have.owner.name}"
    else:
        whose = "not made for this ScheduledJob"
        instead += (
            ", or have it taken over with all its Jobs: kubectl annotate cronjob "
            f"{have.name} {names.ANNOTATION_ADOPT}=true"
        )
    if have.deleting:
        instead = "it is being deleted. When it is gone, the one of this ScheduledJob is made"
    message = f"a CronJob named {have.name} exists already and is {whose}; {instead}"
    return Ready(reason=ReadyReason.NAME_CONFLICT, message=message)


def waiting(have: CronJobSeen) -> Ready:
    """What to say while a slot of it is coming, or on its way."""
    message = (
        f"the CronJob {have.name} will be taken over as soon as its slot of this moment has been started"
    )
    return Ready(reason=ReadyReason.NAME_CONFLICT, message=message)


def adopted(have: CronJobSeen, *, now: datetime) -> str:
    """What to say when it was taken over at `now`."""
    slot = _unstarted(have, now=now)
    late = f"; Kubernetes had not started its slot {format_time(slot)}" if slot else ""
    return f"the CronJob {have.name} was taken over, as {names.ANNOTATION_ADOPT} on it asks for{late}"


def look_again(have: CronJobSeen, *, goes_on: bool, now: datetime) -> datetime | None:
    """When to see whether it can be taken over; None: now.

    Not when a slot is about to come, nor before Kubernetes has started the one that has: it goes by the
    schedule of before, and exactly once. `goes_on`: whether Kubernetes fires it by that schedule afterwards
    too, so that a slot that is late comes late.
    """
    schedule = _in_force(have)
    if schedule is None:
        return None
    coming = next(iter(schedule.next_after(now)), None)
    if coming is not None and coming - now <= BEFORE_A_SLOT:
        return coming + A_SECOND
    slot = _unstarted(have, now=now)
    if slot is None:
        return None
    hopeless = goes_on or _is_held_back(have) or _was_passed_over(have, schedule=schedule, before=slot)
    patience = SETTLING if hopeless else PUNCTUAL
    if now >= slot + patience:
        return None
    return min(slot + patience, now + (A_SECOND if now < slot + SETTLING else BETWEEN_LOOKS))


def _in_force(have: CronJobSeen) -> Schedule | None:
    """The schedule that Kubernetes fires it by; None when it does not, or when only it can read that."""
    if have.suspended or have.fired_by_operator:
        return None
    try:
        return have.read_schedule()
    except ScheduleError:
        return None


def _unstarted(have: CronJobSeen, *, now: datetime) -> datetime | None:
    """The slot that Kubernetes has not started though it may still."""
    schedule, since = _in_force(have), _started_until(have)
    if schedule is None or since is None:
        return None
    slot = schedule.latest_at_or_before(now, not_before=since)
    deadline = have.starting_deadline_seconds
    if slot is None or (deadline is not None and slot + timedelta(seconds=deadline) < now):
        return None
    return slot


def _started_until(have: CronJobSeen) -> datetime | None:
    return max(filter(None, [have.last_schedule_time, have.created]), default=None)


def _is_held_back(have: CronJobSeen) -> bool:
    """Whether no slot is started for as long as a run is active."""
    return bool(have.active) and have.concurrency_policy == ConcurrencyPolicy.FORBID


def _was_passed_over(have: CronJobSeen, *, schedule: Schedule, before: datetime) -> bool:
    """Whether another slot before an unstarted one was not started either: that is more than being late."""
    since = _started_until(have)
    return since is not None and schedule.latest_at_or_before(before - A_SECOND, not_before=since) is not None


class Adoption:
    """Prepares a CronJob for the apply that takes it over, and finds the Jobs that were made before it."""

    def __init__(self, *, cluster: Cluster, store: Store) -> None:
        self._cluster = cluster
        self._store = store
        self._untold: dict[Key, tuple[str, str]] = {}
        """(uid, what to say) of CronJobs, for when it is known that they were taken over."""
        self._listed: dict[Key, str] = {}
        """Uid of the CronJob whose Jobs have been listed since it was taken over."""

    def forget(self, key: Key) -> None:
        """The ScheduledJob is gone."""
        self._untold.pop(key, None)
        self._listed.pop(key, None)

    def refused(self, key: Key) -> None:
        """It was not taken over: there is nothing to say."""
        self._untold.pop(key, None)

    def news(self, have: CronJobSeen) -> str | None:
        """What to say about a CronJob of ours, once: it may be another one than was prepared.

        When its wish has been taken away, whoever did that has said it.
        """
        uid, text = self._untold.pop(_key(have), ("", ""))
        return text if uid == have.uid and have.adopt and have.adopted is not None else None

    async def prepare(self, have: CronJobSeen, *, body: Body, now: datetime) -> bool:
        """Make everything in its spec ours, so that the apply of `body` leaves nothing of it; whether it may.

        Raises ApiError, before anything is changed, when the API server would refuse that apply.
        """
        live = await self._cluster.get("CronJob", namespace=have.namespace, name=have.name)
        if live is None or live["metadata"]["uid"] != have.uid or not may_adopt(CronJobSeen.from_body(live)):
            return False
        entries = await self._rehearse(body, live=live)
        # Begun a moment ago, it goes on from there: a further moment would be news each time.
        begun = have.adopted if have.adopted and now - have.adopted < GATHERING else now
        self._untold[_key(have)] = have.uid, adopted(have, now=now)
        await self._cluster.set_managed_fields(
            namespace=have.namespace,
            name=have.name,
            resource_version=live["metadata"]["resourceVersion"],
            entries=reclaimed(entries),
            annotations={
                **(live["metadata"].get("annotations") or {}),
                # Its fields are ours now, and its spec is not yet: without a hash it is not in sync.
                names.ANNOTATION_SPEC_HASH: "",
                names.ANNOTATION_ADOPTED: format_time(begun),
            },
        )
        return True

    async def _rehearse(self, body: Body, *, live: Body) -> list[Body]:
        """Have the API server say whether it would take `body`; who owns which field of what is there.

        An apply alone would merge it into what is there, and both together may be what neither is: against
        a policy, or invalid. So the answer to that counts only where it is about `body` itself.
        """
        entries: list[Body] = live["metadata"].get("managedFields") or []
        try:
            merged = await self._cluster.apply_cron_job(body, force=True, dry_run=True)
            # Where nobody is known to own anything, the API server finds somebody at the first apply.
            entries = entries or merged["metadata"]["managedFields"]
        except ApiError as error:
            if not error.is_refusal or error.is_malformed or not entries:
                raise
        await self._cluster.rehearse_cron_job(_replacing(live, body=body))
        return entries

    async def gather(self, have: CronJobSeen) -> bool:
        """Label its Jobs that are active, or were made after it was taken over, for they are runs.

        Whether there were some: they have to be accounted.
        """
        found = await self._cluster.jobs_without(names.LABEL_NAME, namespace=have.namespace, owner=have.uid)
        self._listed[_key(have)] = have.uid
        return await self._label_runs(found, have=have)

    async def _gather_named(self, have: CronJobSeen) -> bool:
        """The same of those that Kubernetes names in the status: while it names no new one, for nothing."""
        key = _key(have)
        known = {job.name for job in (*self._store.jobs(key), *self._store.gone_jobs(key))}
        named, last = set(have.active), have.last_schedule_time
        if last and have.adopted and last >= have.adopted:
            named.add(slot_job(have.name, last))
        found = [
            await self._cluster.get("Job", namespace=have.namespace, name=name)
            for name in sorted(named - known)
        ]
        return await self._label_runs(filter(None, found), have=have)

    async def finish(self, have: CronJobSeen, *, now: datetime) -> tuple[CronJobSeen, timedelta | None]:
        """Go on until no more Jobs can come, and take the wish away then.

        The CronJob as it is then, and how soon to do it again.
        """
        if not have.adopt:
            self._listed.pop(_key(have), None)
            return have, None
        left = have.adopted + GATHERING - now if have.adopted else timedelta()
        if left > timedelta():
            listed = self._listed.get(_key(have)) == have.uid
            found = await (self._gather_named(have) if listed else self.gather(have))
            return have, timedelta() if found else min(left, BETWEEN_LOOKS)
        found = have.adopted is not None and await self.gather(have)
        answer = await self._cluster.annotate_cron_job(
            namespace=have.namespace, name=have.name, uid=have.uid, annotations={names.ANNOTATION_ADOPT: None}
        )
        self._listed.pop(_key(have), None)
        self._store.put_cron_job(answer)
        return CronJobSeen.from_body(answer), timedelta() if found else None

    async def _label_runs(self, found: Iterable[Body], *, have: CronJobSeen) -> bool:
        runs = [body for body in found if _is_run(body, have=have)]
        for body in runs:
            await self._label(body, have=have)
        return bool(runs)

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


def _replacing(live: Body, *, body: Body) -> Body:
    """The CronJob as it is when `body` was applied and nothing else has been left in its spec."""
    there, given = live["metadata"], body["metadata"]
    uids = {owner["uid"] for owner in given["ownerReferences"]}
    others = [owner for owner in there.get("ownerReferences") or () if owner["uid"] not in uids]
    metadata = {
        **given,
        "resourceVersion": there["resourceVersion"],
        "labels": {**(there.get("labels") or {}), **given["labels"]},
        "annotations": {**(there.get("annotations") or {}), **given["annotations"]},
        "ownerReferences": [*others, *given["ownerReferences"]],
    }
    return {**body, "metadata": metadata}


def _is_run(body: Body, *, have: CronJobSeen) -> bool:
    metadata = body["metadata"]
    owner = Owner.of(metadata)
    if owner is None or owner.uid != have.uid or names.LABEL_NAME in (metadata.get("labels") or {}):
        return False
    ended = JobEnd.from_status(body.get("status") or {}) is not None
    made = parse_time(metadata["creationTimestamp"])
    return not ended or (have.adopted is not None and made >= have.adopted)


def _key(have: CronJobSeen) -> Key:
    return Key(have.namespace, have.name)
