"""What the operator does about runs: starts and ends Jobs, and tells Kubernetes' controller of them.

Every action may be repeated: a Job has one name, a verdict stands on the Job that it is about.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from scheduledjob_operator import names
from scheduledjob_operator.cluster import ApiError, Body, Cluster
from scheduledjob_operator.deadlines import Said, Waiting, gave_up, no_pod, refusal_reason
from scheduledjob_operator.job import job
from scheduledjob_operator.models import PendingRun, Result
from scheduledjob_operator.models.types import format_time
from scheduledjob_operator.names import RunReason
from scheduledjob_operator.observed import CronJobSeen, EndedAs, JobSeen
from scheduledjob_operator.overrides import LOST_OVERRIDES, overrides_of
from scheduledjob_operator.redaction import redacted
from scheduledjob_operator.store import Key, ScheduledJobSeen, Store

logger = logging.getLogger(__name__)

TRIES = 5
"""How often an entry in the CronJob's status is tried: its own controller writes there too."""
AT_ONCE = 1
"""Seconds of life that a Job has left when it is ended."""


class Actions:
    """The operator's hand on Jobs."""

    def __init__(self, *, cluster: Cluster, store: Store) -> None:
        self._cluster = cluster
        self._store = store

    async def end(self, seen: JobSeen, verdict: EndedAs) -> bool:
        """End a Job: its Pods get SIGTERM, and it fails with the verdict in an annotation. False: it is gone.

        One that waits in a queue has no clock that could run out: its verdict is on it, and once that is in
        the status it is `remove`d.
        """
        patch: Body = {
            "metadata": {"annotations": {names.ANNOTATION_ENDED: verdict.annotation}},
            "spec": {"activeDeadlineSeconds": AT_ONCE},
        }
        try:
            answer = await self._cluster.patch_job(
                namespace=seen.namespace, name=seen.name, uid=seen.uid, patch=patch
            )
            self._store.put_job(answer)
        except ApiError as error:
            if error.status not in (404, 409):
                raise
            logger.info("Job %s/%s is not there any more", seen.namespace, seen.name)
            return False
        return True

    async def remove(self, seen: JobSeen) -> bool:
        """Delete a Job that will not run any more; False: it is gone."""
        try:
            await self._cluster.delete_job(namespace=seen.namespace, name=seen.name, uid=seen.uid)
        except ApiError as error:
            if error.status not in (404, 409):
                raise
            return False
        self._store.drop_job(Key(seen.namespace, seen.parent), seen.name, uid=seen.uid)
        return True

    async def give_up(self, case: Waiting, *, said: Said | None, body: Body) -> bool:
        """End a Job that did not start in time, with Kubernetes' own words for it; False: it is gone.

        `said`: why it has no Pod, as far as that is known. `body`: the desired CronJob.
        """
        if case.pod is None:
            said = no_pod(await self.refusals(case.job, body=body) or ()) or said
        return await self.end(case.job, gave_up(case, said=said))

    async def refusals(self, seen: JobSeen, *, body: Body) -> list[str] | None:
        """What Kubernetes said when it could not create the Pod of a Job, newest last; None: nobody answered.

        `body`: the desired CronJob, whose secrets are not repeated.
        """
        try:
            found = await self._cluster.warnings_about(namespace=seen.namespace, uid=seen.uid)
        except ApiError as error:
            logger.warning("the Events about Job %s/%s are unknown: %s", seen.namespace, seen.name, error)
            return None
        return [redacted(text, body=body) for text in found]

    async def is_going(self, seen: ScheduledJobSeen) -> bool:
        """Whether a ScheduledJob and its Jobs are in a namespace that is being deleted.

        The watches are not ordered: what was seen of the namespace may be about one of before that had its
        name. So it is asked for, once for all that had been seen by then.
        """
        name, namespaces = seen.key.namespace, self._store.namespaces
        while namespaces.is_going(name):
            own = {seen.uid, *(job.uid for job in self._store.jobs(seen.key))}
            if namespaces.has_inside(name, own):
                return True
            known = self._store.inhabitants(name) | own
            body = await self._cluster.get("Namespace", namespace=None, name=name)
            if body is None or "deletionTimestamp" not in body["metadata"]:
                if body is not None:
                    namespaces.drop_earlier(body)
                return False
            namespaces.put_inside(name, known)
        return False

    async def clear(self, key: Key) -> bool:
        """Delete the Jobs that have not ended, in a namespace that is being deleted; whether there were any.

        Kubernetes deletes the Pods first, keeps one that failed until its Job has made the next one, and no
        Job can make one there any more.
        """
        done = False
        for seen in self._store.jobs(key):
            active = seen.end is None and not seen.deleting
            if active and self._store.namespaces.has_inside(key.namespace, {seen.uid}):
                done = await self.remove(seen) or done
        return done

    async def template(self, cron_job: CronJobSeen) -> Body:
        """The CronJob with its template as it stands in the cluster. Raises ApiError when it is gone."""
        body = await self._cluster.get("CronJob", namespace=cron_job.namespace, name=cron_job.name)
        if body is None or body["metadata"]["uid"] != cron_job.uid:
            raise ApiError(status=404, reason="NotFound", message=f"CronJob {cron_job.name} is gone")
        return body

    async def start(self, run: PendingRun, *, body: Body, cron_job: CronJobSeen) -> EndedAs | None:
        """Create the Job of a run's next attempt; what the API server has against it, or None.

        `body`: the desired CronJob, `cron_job` the one that exists. Raises ApiError when nobody answered.
        """
        overrides = overrides_of(cron_job.overrides, run=run)
        if run.overridden and overrides is None:
            return EndedAs(result=Result.FAILED, reason=RunReason.NOT_STARTED, message=LOST_OVERRIDES)
        wanted = job(run=run, cron_job=body, uid=cron_job.uid, overrides=overrides)
        try:
            answer = await self._cluster.create_job(wanted)
        except ApiError as error:
            if error.status == 409:
                return await self._take(run, cron_job=cron_job)
            if not error.is_refusal:
                raise
            message = redacted(error.message, body={"spec": {"jobTemplate": wanted}})
            reason = refusal_reason(message) if error.status == 403 else RunReason.NOT_STARTED
            return EndedAs(result=Result.FAILED, reason=reason, message=message)
        self._store.put_job(answer)
        return None

    async def _take(self, run: PendingRun, *, cron_job: CronJobSeen) -> EndedAs | None:
        """The Job exists: made by us before a crash, or for the same slot by Kubernetes' own controller."""
        found = await self._cluster.get("Job", namespace=cron_job.namespace, name=run.job_name)
        if found is None:
            raise ApiError(status=409, reason="Conflict", message=f"Job {run.job_name} came and went")
        owners = found["metadata"].get("ownerReferences") or ()
        labels = found["metadata"].get("labels") or {}
        if any(owner["uid"] == cron_job.uid for owner in owners) and names.LABEL_NAME in labels:
            self._store.put_job(found)
            return None
        message = f"a Job named {run.job_name} exists already and was not made for this ScheduledJob"
        return EndedAs(result=Result.FAILED, reason=RunReason.NAME_CONFLICT, message=message)

    async def tell(
        self,
        jobs: Sequence[JobSeen],
        *,
        slot: datetime | None,
        known: Sequence[JobSeen],
        cron_job: CronJobSeen,
    ) -> None:
        """Enter Jobs into the CronJob's list of active ones, and `slot` as the last one that was started.

        `known` are all its Jobs: when the list names no others it need not be read before it is written.
        """
        by_name = {seen.name: seen for seen in known}
        listed = None
        version = cron_job.resource_version
        if all(name in by_name for name in cron_job.active):
            listed = [_reference(by_name[name]) for name in cron_job.active]
        for _ in range(TRIES):
            if listed is None:
                body = await self._cluster.get("CronJob", namespace=cron_job.namespace, name=cron_job.name)
                if body is None or body["metadata"]["uid"] != cron_job.uid:
                    return
                listed = list((body.get("status") or {}).get("active") or ())
                version = body["metadata"]["resourceVersion"]
                slot = _later(slot, CronJobSeen.from_body(body).last_schedule_time)
            change = _news(jobs, listed=listed, slot=slot)
            if not change:
                return
            try:
                answer = await self._cluster.patch_cron_job_status(
                    namespace=cron_job.namespace, name=cron_job.name, body=change, resource_version=version
                )
            except ApiError as error:
                if error.status != 409:
                    raise
                listed = None
                continue
            self._store.put_cron_job(answer)
            return
        raise ApiError(status=409, reason="Conflict", message=f"CronJob {cron_job.name} changes all the time")

    async def overtake(self, slot: datetime, *, cron_job: CronJobSeen) -> None:
        """Keep Kubernetes from starting a slot it has left waiting: a Job of ours would wake it up."""
        answer = await self._cluster.patch_cron_job_status(
            namespace=cron_job.namespace,
            name=cron_job.name,
            body={"lastScheduleTime": format_time(slot)},
        )
        self._store.put_cron_job(answer)

    async def keep_overrides(self, key: Key, *, cron_job: CronJobSeen, annotation: str) -> CronJobSeen:
        """Write down what single runs override; the CronJob then."""
        answer = await self._cluster.annotate_cron_job(
            namespace=key.namespace,
            name=key.name,
            uid=cron_job.uid,
            annotations={names.ANNOTATION_OVERRIDES: annotation},
        )
        self._store.put_cron_job(answer)
        return CronJobSeen.from_body(answer)


def _later(slot: datetime | None, than: datetime | None) -> datetime | None:
    return slot if slot is not None and (than is None or slot > than) else None


def _news(jobs: Sequence[JobSeen], *, listed: Sequence[Body], slot: datetime | None) -> Body:
    """What a CronJob's status does not say yet."""
    known = {entry.get("uid") for entry in listed}
    entries = [_reference(seen) for seen in jobs if seen.uid not in known]
    change: Body = {"active": [*listed, *entries]} if entries else {}
    return change | ({"lastScheduleTime": format_time(slot)} if slot else {})


def _reference(seen: JobSeen) -> Body:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "namespace": seen.namespace,
        "name": seen.name,
        "uid": seen.uid,
    }
