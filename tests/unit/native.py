"""Kubernetes' own CronJob controller, beside a cluster in memory.

Source: `syncCronJob` and `cleanupFinishedJobs` in pkg/controller/cronjob/cronjob_controllerv2.go and
`mostRecentScheduleTime` in utils.go of Kubernetes 1.35. What it reads is fresh but for the list of active
Jobs, which it may see `staleness` late; what it does comes late when its caller calls it late.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from scheduledjob_operator import names
from scheduledjob_operator.job_names import slot_job
from scheduledjob_operator.models.types import parse_time
from scheduledjob_operator.schedule import Schedule
from tests.unit import bodies
from tests.unit.bodies import NAME, NAMESPACE, Body
from tests.unit.copying import copied
from tests.unit.kubernetes import KEY, Kubernetes
from tests.unit.moments import text


class CronJobController:
    """Starts the slots of the one CronJob, keeps its list of active Jobs, and collects what has ended."""

    def __init__(self, kubernetes: Kubernetes) -> None:
        self._kubernetes = kubernetes
        self._made = 0
        self._seen_since: dict[str, datetime] = {}
        self.staleness = timedelta()
        """How old its picture of the active Jobs is when it comes to its concurrency policy."""

    def look_afresh(self) -> None:
        """It was away, and lists everything anew."""
        self._seen_since = {entry["uid"]: datetime.min.replace(tzinfo=UTC) for entry in self._listed()}

    def sync(self) -> str | None:
        """Look at the CronJob once; the name of the Job that was started."""
        if not self._kubernetes.has_cron_job:
            return None
        self._collect()  # first, so that a slot may be started anew whose Job has just gone
        self._update_active()
        return self._start()

    def next_slot(self, after: datetime) -> datetime | None:
        """At which it looks at the CronJob though nothing happens."""
        if not self._kubernetes.has_cron_job or self._kubernetes.cron_job["spec"]["suspend"]:
            return None
        return next(iter(self._schedule().next_after(after)), None)

    def _start(self) -> str | None:
        body = self._kubernetes.cron_job
        spec = body["spec"]
        slot = None if spec["suspend"] else self._due_slot()
        if slot is None:
            return None
        name = slot_job(NAME, slot)
        if name in self._kubernetes.told_active():
            return None
        if spec["concurrencyPolicy"] == "Forbid" and self._sees_active():
            return None
        if spec["concurrencyPolicy"] == "Replace":
            for other in self._kubernetes.told_active():
                self._delete(other)
        job = self._kubernetes.cluster.objects.get(("Job", NAMESPACE, name))
        if job is not None:
            return None  # it looks for that Job in no namespace, does not find it, and leaves it at that
        self._made += 1
        job = self._kubernetes.cluster.put("Job", self._job(name, slot=slot))
        entry = {"kind": "Job", "name": name, "namespace": NAMESPACE, "uid": job["metadata"]["uid"]}
        active = self._kubernetes.cron_job.get("status", {}).get("active", [])
        self._set_status(active=[*active, entry], lastScheduleTime=text(slot))
        return name

    def _sees_active(self) -> bool:
        """Whether its picture shows an active Job."""
        seen_before = self._kubernetes.now - self.staleness
        return any(since <= seen_before for since in self._seen_since.values())

    def _due_slot(self) -> datetime | None:
        """The latest slot that was not started, when it is not too late for it."""
        body, now = self._kubernetes.cron_job, self._kubernetes.now
        last = body.get("status", {}).get("lastScheduleTime") or body["metadata"]["creationTimestamp"]
        deadline = now - timedelta(seconds=body["spec"]["startingDeadlineSeconds"])
        earliest = max(parse_time(last), deadline)
        return self._schedule().latest_at_or_before(now, not_before=earliest) if earliest < now else None

    def _schedule(self) -> Schedule:
        spec = self._kubernetes.cron_job["spec"]
        return Schedule.parse(spec["schedule"], time_zone=spec["timeZone"])

    def _job(self, name: str, *, slot: datetime) -> Body:
        cron_job = self._kubernetes.cron_job
        template = copied(cron_job["spec"]["jobTemplate"])
        metadata, now = template.get("metadata", {}), text(self._kubernetes.now)
        wall = slot.astimezone(ZoneInfo(cron_job["spec"]["timeZone"])).isoformat().replace("+00:00", "Z")
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "name": name,
                "namespace": NAMESPACE,
                "uid": f"native-{self._made}",
                "creationTimestamp": now,
                "labels": metadata.get("labels", {}),
                "annotations": {
                    **metadata.get("annotations", {}),
                    names.ANNOTATION_SCHEDULED_TIMESTAMP: wall,
                },
                "ownerReferences": bodies.owner("CronJob", uid=cron_job["metadata"]["uid"]),
            },
            "spec": template["spec"],
            "status": {"startTime": now},
        }

    def _update_active(self) -> None:
        """Take the Jobs that have ended or are gone off the list."""
        listed = self._listed()
        unfinished = {job["metadata"]["uid"] for job in self._jobs() if not has_ended(job)}
        active = [entry for entry in listed if entry["uid"] in unfinished]
        if active != listed:
            self._set_status(active=active)
        uids = [entry["uid"] for entry in active]
        self._seen_since = {uid: self._seen_since.get(uid, self._kubernetes.now) for uid in uids}

    def _listed(self) -> list[Body]:
        """What its list of active Jobs in the cluster has."""
        if not self._kubernetes.has_cron_job:
            return []
        active: list[Body] = self._kubernetes.cron_job.get("status", {}).get("active", [])
        return active

    def _collect(self) -> None:
        """Delete the Jobs that ended beyond the history limits, those that began first."""
        spec = self._kubernetes.cron_job["spec"]
        ended = [job for job in self._jobs() if has_ended(job)]
        for limit, succeeded in (("successfulJobsHistoryLimit", True), ("failedJobsHistoryLimit", False)):
            alike = sorted(
                (job for job in ended if has_succeeded(job) is succeeded),
                key=lambda job: (job["status"]["startTime"], job["metadata"]["name"]),
            )
            for job in alike[: max(len(alike) - spec[limit], 0)]:
                self._delete(job["metadata"]["name"])

    def _delete(self, name: str) -> None:
        uid = self._kubernetes.job(name)["metadata"]["uid"]
        self._kubernetes.cluster.delete("Job", NAMESPACE, name)
        listed = self._kubernetes.cron_job.get("status", {}).get("active", [])
        self._set_status(active=[entry for entry in listed if entry["uid"] != uid])

    def _set_status(self, **fields: Any) -> None:
        body = self._kubernetes.cluster.objects["CronJob", *KEY]
        self._kubernetes.cluster.put("CronJob", {**body, "status": {**body.get("status", {}), **fields}})

    def _jobs(self) -> Sequence[Body]:
        """The Jobs that it takes for the CronJob's: by the name of their owner."""
        return [
            job
            for (kind, _, _), job in self._kubernetes.cluster.objects.items()
            if kind == "Job" and any(owner["name"] == NAME for owner in job["metadata"]["ownerReferences"])
        ]


def has_ended(job: Body) -> bool:
    return "conditions" in job.get("status", {})


def has_succeeded(job: Body) -> bool:
    return has_ended(job) and job["status"]["conditions"][-1]["type"] == "Complete"


def end_job(kubernetes: Kubernetes, name: str, *, exit_code: int) -> None:
    """A Job ends now, after its only Pod. The CronJob controller has not noticed yet."""
    body, now = kubernetes.job(name), kubernetes.now.replace(microsecond=0)
    started = parse_time(body["metadata"]["creationTimestamp"])
    owner = bodies.owner("Job", name=name, uid=body["metadata"]["uid"])
    status = bodies.ended(exit_code, started=started, finished=now)
    kubernetes.put_pod(
        bodies.pod(f"{name}-p1", job_name=name, created=started, status=status, ownerReferences=owner)
    )
    ended = bodies.failed(started, now) if exit_code else bodies.complete(started, now)
    kubernetes.cluster.put("Job", {**body, "status": ended})
