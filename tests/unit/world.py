"""A cluster in memory with the operator in it, and time in the hands of the test."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

from scheduledjob_operator import names
from scheduledjob_operator.actions import AT_ONCE
from scheduledjob_operator.cluster import ApiError, KubernetesCluster
from scheduledjob_operator.controller import CHILD_KINDS, Controller
from scheduledjob_operator.desired import Parent, RunnerDefaults
from scheduledjob_operator.job_names import slot_job
from scheduledjob_operator.models.types import parse_time
from scheduledjob_operator.reconcile import Reconciler
from scheduledjob_operator.settings import Settings
from scheduledjob_operator.store import Key
from scheduledjob_operator.suspension import Switch
from tests.unit import bodies
from tests.unit.bodies import LABELS, NAME, NAMESPACE, UID, Body
from tests.unit.fake_cluster import FakeCluster, Request
from tests.unit.moments import NOON, after_noon, text

KEY = Key(NAMESPACE, NAME)
MANAGED_BY = next(iter(LABELS.items()))
SPEC = {"schedule": "*/5 * * * *", "handler": "sync"}
RUNNER = RunnerDefaults(image="registry.example/job-runner:1")
ROUNDS = 50
"""More than any change takes to settle."""


class World:
    """One cluster, one operator; `now` is what its clock shows."""

    def __init__(self) -> None:
        self.now: datetime = NOON + timedelta(seconds=30)
        self.cluster = FakeCluster(clock=lambda: self.now)
        self.due: dict[Key, datetime] = {}
        """When the reconciler wants to be called again though nothing happens."""
        self.errors: list[ApiError] = []
        self.switch: Switch | None = None
        """The operator's own master switch, as it will be after a restart."""
        self.dies_of_errors = False
        """Whether an error that the operator would try again ends it, and a new one takes its place."""
        self.restart()

    def restart(self) -> None:
        """A new operator that knows nothing but what it lists."""
        # The controller only sorts what the watches show; it sends nothing by itself.
        nobody = cast("KubernetesCluster", self.cluster)
        self.controller = Controller(settings=Settings(), cluster=nobody, watching=nobody)
        self.store = self.controller.store
        self.reconciler = Reconciler(
            cluster=self.cluster,
            store=self.store,
            defaults=RUNNER,
            clock=lambda: self.now,
            switch=self.switch,
        )
        self.due.clear()
        self._seen = len(self.cluster.changes)
        for kind in (*CHILD_KINDS, "Namespace"):
            for body in self.cluster.of_kind(kind):
                if _is_watched(kind, body):
                    self.controller.changed(kind, body)
        for body in self.cluster.of_kind("ScheduledJob"):
            self.controller.scheduled_job_event(type_=None, body=body)

    # What people and Kubernetes do

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
            message = "Job was active longer than specified deadline"
            pods = 0 if pod is None else 1
            status = bodies.failed(started, now, reason="DeadlineExceeded", message=message, pods=pods)
            self._end(body, status=status)
        return [body["metadata"]["name"] for body in found]

    def _end(self, body: Body, *, status: Body) -> None:
        self.cluster.put("Job", {**body, "status": status})
        before = self.cron_job.get("status", {})
        uid = body["metadata"]["uid"]
        active = [entry for entry in before.get("active", []) if entry["uid"] != uid]
        self.cluster.put("CronJob", {**self.cron_job, "status": {**before, "active": active}})

    # What the operator does

    def deliver(self, count: int | None = None) -> None:
        """Show the operator the next changes, or all of them."""
        end = (
            len(self.cluster.changes) if count is None else min(self._seen + count, len(self.cluster.changes))
        )
        for change in self.cluster.changes[self._seen : end]:
            if change.kind == "ScheduledJob":
                body = change.after or change.before
                assert body is not None
                type_ = "MODIFIED" if change.after else "DELETED"
                self.controller.scheduled_job_event(type_=type_, body=body)
            else:
                self._show_child(change.kind, before=change.before, after=change.after)
        self._seen = end

    def _show_child(self, kind: str, *, before: Body | None, after: Body | None) -> None:
        if after is not None and _is_watched(kind, after):
            self.controller.changed(kind, after)
        elif before is not None and _is_watched(kind, before):
            # A watch with a selector shows what left it as it was, at the version at which it left.
            version = (after or before)["metadata"]["resourceVersion"]
            last = {**before, "metadata": {**before["metadata"], "resourceVersion": version}}
            self.controller.deleted(kind, last)

    def reconcile(self, key: Key = KEY) -> list[Request]:
        """Call the reconciler once; the writes it made. Raises ApiError."""
        before = len(self.cluster.writes)
        self._reconcile(key)
        return self.cluster.writes[before:]

    def _reconcile(self, key: Key) -> None:
        again = asyncio.run(self.reconciler.reconcile(key))
        self.due.pop(key, None)
        if again is not None:
            self.due[key] = again

    def settle(self) -> list[Request]:
        """Show all changes and reconcile until nothing is left to do, over all errors; the writes it took."""
        before = len(self.cluster.writes)
        for _ in range(ROUNDS):
            self.deliver()
            for due in [key for key, due in self.due.items() if due <= self.now]:
                self.controller.queue.add(due)
            if not len(self.controller.queue):
                return self.cluster.writes[before:]
            queue = self.controller.queue
            key = asyncio.run(queue.get())
            try:
                self._reconcile(key)
            except ApiError as error:
                self.errors.append(error)
                if self.dies_of_errors:
                    self.restart()
                else:
                    queue.add(key)
            finally:
                queue.done(key)
        raise AssertionError(f"no end in sight: {[write[:3] for write in self.cluster.writes[-10:]]}")

    def wait(self, seconds: float) -> list[Request]:
        """Let time pass, and do what is due by then; Kubernetes collects its garbage meanwhile."""
        self.now += timedelta(seconds=seconds)
        self.cluster.collect_garbage()
        return self.settle()

    def go_to(self, seconds: float) -> list[Request]:
        """Let time pass up to so many seconds after noon, doing what is due on the way when it is."""
        before, end = len(self.cluster.writes), after_noon(seconds)
        assert self.now <= end, "time does not go back"
        self.settle()
        while soonest := min((due for due in self.due.values() if due <= end), default=None):
            self.now = max(soonest, self.now)
            self.settle()
        self.now = end
        self.settle()
        return self.cluster.writes[before:]

    # What is there

    @property
    def scheduled_job(self) -> Body:
        return self.cluster.objects["ScheduledJob", *KEY]

    @property
    def parent(self) -> Parent:
        return Parent(namespace=NAMESPACE, name=NAME, uid=self.scheduled_job["metadata"]["uid"])

    @property
    def status(self) -> Body:
        status: Body = self.scheduled_job["status"]
        return status

    @property
    def ready(self) -> tuple[str, str]:
        """(status, reason) of the condition."""
        condition = self.condition("Ready")
        return condition["status"], condition["reason"]

    @property
    def message(self) -> str:
        return str(self.condition("Ready")["message"])

    def condition(self, kind: str) -> Body:
        """The condition of that type; empty when there is none."""
        return next((entry for entry in self.status["conditions"] if entry["type"] == kind), {})

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

    def created(self) -> list[str]:
        """Names of the Jobs that the operator made, in that order."""
        return [write.name for write in self.cluster.writes if write.verb == "create"]

    def active(self) -> list[str]:
        """Ids of the active runs."""
        return [run["id"] for run in self.status["active"]]

    def pending(self) -> list[tuple[str, str, str]]:
        """(id, reason, due time) of what waits."""
        return [(run["id"], run["reason"], run["dueTime"]) for run in self.status["pending"]]

    def unstarted(self) -> list[tuple[str, str, int]]:
        """(result, reason, count) of the slots that had no run, oldest first."""
        return [
            (entry["result"], entry["reason"], entry["count"]) for entry in reversed(self.status["unstarted"])
        ]

    def told_active(self) -> list[str]:
        """Names of the Jobs that Kubernetes' controller takes for active."""
        return [entry["name"] for entry in self.cron_job.get("status", {}).get("active", [])]

    def runs(self) -> list[tuple[str, str]]:
        """(name, result) of the runs in the ledger, oldest first."""
        return [(run["id"], run["result"]) for run in reversed(self.status["recentRuns"])]


def verbs(writes: list[Request]) -> list[str]:
    return [write.verb for write in writes]


def _is_watched(kind: str, body: Body) -> bool:
    return kind in ("CronJob", "Namespace") or MANAGED_BY in (body["metadata"].get("labels") or {}).items()


__all__ = ["KEY", "SPEC", "UID", "World", "verbs"]
