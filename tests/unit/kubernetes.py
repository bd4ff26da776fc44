"""What people and Kubernetes' controllers do to the objects of one ScheduledJob in a cluster in memory."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from scheduledjob_operator import names
from scheduledjob_operator.actions import AT_ONCE
from scheduledjob_operator.job_names import slot_job
from scheduledjob_operator.models.types import parse_time
from scheduledjob_operator.schedule import Schedule
from scheduledjob_operator.store import Key
from tests.unit import bodies
from tests.unit.bodies import NAME, NAMESPACE, Body
from tests.unit.fake_cluster import FakeCluster
from tests.unit.moments import NOON, after_noon, text

KEY = Key(NAMESPACE, NAME)
SPEC = {"schedule": "*/5 * * * *", "handler": "sync"}


class Kubernetes:
    """One cluster and its people; `now` is what all its clocks show."""

    def __init__(self) -> None:
        self.now: datetime = NOON + timedelta(seconds=30)
        self.cluster = FakeCluster(clock=lambda: self.now)

    # What is there

    @property
    def scheduled_job(self) -> Body:
        return self.cluster.objects["ScheduledJob", *KEY]

    @property
    def cron_job(self) -> Body:
        return self.cluster.objects["CronJob", *KEY]

    @property
    def has_cron_job(self) -> bool:
        return ("CronJob", *KEY) in self.cluster.objects

    def job(self, name: str) -> Body:
        return self.cluster.objects["Job", NAMESPACE, name]

    def job_names(self) -> list[str]:
        """Names of the Jobs that exist, in the order in which they were made."""
        return [body["metadata"]["name"] for body in self.cluster.of_kind("Job")]

    def told_active(self) -> list[str]:
        """Names of the Jobs that Kubernetes' controller takes for active."""
        return [entry["name"] for entry in self.cron_job.get("status", {}).get("active", [])]

    # What people do

    def create(self, spec: Body | None = None, **metadata: Any) -> None:
        """A ScheduledJob is applied."""
        body = bodies.scheduled_job(spec=spec if spec is not None else dict(SPEC), **metadata)
        self.cluster.put("ScheduledJob", body)

    def change(self, **fields: Any) -> None:
        """Fields of its spec are changed; None takes one away."""
        body = self.cluster.objects["ScheduledJob", *KEY]
        spec = {key: value for key, value in {**body["spec"], **fields}.items() if value is not None}
        self.cluster.put("ScheduledJob", {**body, "spec": spec})

    def edit_cron_job(self, change: Callable[[Body], None], *, manager: str = "kubectl-edit") -> None:
        self.cluster.edit("CronJob", *KEY, change, manager=manager)

    def put_job(self, name: str, **given: Any) -> Body:
        """A Job of the CronJob."""
        owner = bodies.owner("CronJob", uid=self.cron_job["metadata"]["uid"])
        return self.cluster.put("Job", bodies.job(name, ownerReferences=owner, **given))

    def put_pod(self, body: Body) -> Body:
        return self.cluster.put("Pod", body)

    def annotate(self, **annotations: str | None) -> None:
        """Annotations of our group are set on the ScheduledJob; None takes one away."""
        self._annotate("ScheduledJob", NAME, annotations)

    def annotate_job(self, name: str, **annotations: str | None) -> None:
        self._annotate("Job", name, annotations)

    def _annotate(self, kind: str, name: str, annotations: dict[str, str | None]) -> None:
        body = self.cluster.objects[kind, NAMESPACE, name]
        given = {**body["metadata"].get("annotations", {})}
        given |= {f"{names.GROUP}/{key}": value for key, value in annotations.items()}
        kept = {key: value for key, value in given.items() if value is not None}
        self.cluster.put(kind, {**body, "metadata": {**body["metadata"], "annotations": kept}})

    def put_namespace(self, **annotations: str) -> None:
        """The namespace with these annotations of our group and no others; _ stands for -."""
        given = {f"{names.GROUP}/{key.replace('_', '-')}": value for key, value in annotations.items()}
        metadata = {"name": NAMESPACE, "uid": "uid-of-the-namespace", "annotations": given}
        self.cluster.put("Namespace", {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})

    # What Kubernetes does

    def start_slot(self, seconds: float) -> str:
        """Kubernetes' controller starts the slot so many seconds after noon, now; the name of its Job."""
        slot = after_noon(seconds)
        name = slot_job(NAME, slot)
        self.put_job(name, slot=slot, created=self.now.replace(microsecond=0))
        status = self.cron_job.get("status", {})
        active = [*status.get("active", []), {"kind": "Job", "name": name, "uid": f"uid-of-{name}"}]
        given = {**status, "active": active, "lastScheduleTime": text(slot)}
        self.cluster.put("CronJob", {**self.cron_job, "status": given})
        return name

    def run_pod(self, name: str) -> None:
        """The Pod of a Job starts now."""
        started = self.now.replace(microsecond=0)
        self.put_pod(bodies.pod(f"{name}-p1", job_name=name, created=started, status=bodies.running(started)))

    def finish(self, name: str, exit_code: int = 0) -> None:
        """A Job and its only Pod end now, at first with the Pod; Kubernetes' controller takes notice."""
        body = self.job(name)
        now, started = self.now.replace(microsecond=0), parse_time(body["metadata"]["creationTimestamp"])
        status = bodies.ended(exit_code, started=started, finished=now)
        self.put_pod(bodies.pod(f"{name}-p1", job_name=name, created=started, status=status))
        ended = bodies.failed(started, now) if exit_code else bodies.complete(started, now)
        self._end(body, status=ended)

    def obey_deadlines(self) -> list[str]:
        """Kubernetes ends the Jobs that have one second to live, and their Pods; their names."""
        found = [
            body
            for body in self.cluster.of_kind("Job")
            if body["spec"].get("activeDeadlineSeconds") == AT_ONCE
            and "conditions" not in body.get("status", {})
        ]
        now = self.now.replace(microsecond=0)
        for body in found:
            name, started = body["metadata"]["name"], parse_time(body["metadata"]["creationTimestamp"])
            pod = self.cluster.objects.get(("Pod", NAMESPACE, f"{name}-p1"))
            if pod is not None and pod["status"]["phase"] == "Running":
                ended = bodies.ended(143, started=started, finished=now)
                self.put_pod({**pod, "status": ended})
            elif pod is not None and pod["status"]["phase"] == "Pending":
                self.cluster.delete("Pod", NAMESPACE, f"{name}-p1")
            message = "Job was active longer than specified deadline"
            pods = 0 if pod is None else 1
            status = bodies.failed(started, now, reason="DeadlineExceeded", message=message, pods=pods)
            self._end(body, status=status)
        return [body["metadata"]["name"] for body in found]

    def _end(self, body: Body, *, status: Body) -> None:
        self.cluster.put("Job", {**body, "status": status})
        if not self.has_cron_job:
            return
        before = self.cron_job.get("status", {})
        uid = body["metadata"]["uid"]
        active = [entry for entry in before.get("active", []) if entry["uid"] != uid]
        self.cluster.put("CronJob", {**self.cron_job, "status": {**before, "active": active}})

    def would_start(self) -> datetime | None:
        """The slot that the CronJob controller would start now, were nothing active.

        Source: `mostRecentScheduleTime` in pkg/controller/cronjob/utils.go of Kubernetes.
        """
        body = self.cron_job
        if body["spec"]["suspend"]:
            return None
        schedule = Schedule.parse(body["spec"]["schedule"], time_zone=body["spec"]["timeZone"])
        last = body["status"].get("lastScheduleTime") or body["metadata"]["creationTimestamp"]
        earliest = self.now - timedelta(seconds=body["spec"]["startingDeadlineSeconds"])
        return schedule.latest_at_or_before(self.now, not_before=max(parse_time(last), earliest))

    def fire(self) -> str | None:
        """The CronJob controller looks at the CronJob; the name of the Job that it starts."""
        slot, policy = self.would_start(), self.cron_job["spec"]["concurrencyPolicy"]
        if slot is None or (policy == "Forbid" and self.told_active()):
            return None
        if policy == "Replace":
            self._delete_active()
        if ("Job", NAMESPACE, slot_job(NAME, slot)) in self.cluster.objects:
            return None
        return self.start_slot((slot - NOON).total_seconds())

    def _delete_active(self) -> None:
        for name in self.told_active():
            if ("Job", NAMESPACE, name) in self.cluster.objects:
                self.cluster.delete("Job", NAMESPACE, name)
        status = {**self.cron_job["status"], "active": []}
        self.cluster.put("CronJob", {**self.cron_job, "status": status})
