"""A cluster in memory with the operator in it, and time in the hands of the test."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

from scheduledjob_operator.cluster import ApiError, KubernetesCluster
from scheduledjob_operator.controller import CHILD_KINDS, Controller
from scheduledjob_operator.desired import Parent, RunnerDefaults
from scheduledjob_operator.reconcile import Reconciler
from scheduledjob_operator.settings import Settings
from scheduledjob_operator.store import Key
from tests.unit import bodies
from tests.unit.bodies import LABELS, NAME, NAMESPACE, UID, Body
from tests.unit.fake_cluster import FakeCluster, Request
from tests.unit.moments import NOON

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
        )
        self.due.clear()
        self._seen = len(self.cluster.changes)
        for kind in CHILD_KINDS:
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
            if not len(self.controller.queue):
                return self.cluster.writes[before:]
            key = asyncio.run(self.controller.queue.get())
            try:
                self._reconcile(key)
            except ApiError as error:
                self.errors.append(error)
                self.controller.queue.add(key)
            finally:
                self.controller.queue.done(key)
        raise AssertionError(f"no end in sight: {[write[:3] for write in self.cluster.writes[-10:]]}")

    def wait(self, seconds: float) -> list[Request]:
        """Let time pass, and do what is due by then; Kubernetes collects its garbage meanwhile."""
        self.now += timedelta(seconds=seconds)
        self.cluster.collect_garbage()
        for key, due in list(self.due.items()):
            if due <= self.now:
                self.controller.queue.add(key)
        return self.settle()

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
        (condition,) = self.status["conditions"]
        return condition["status"], condition["reason"]

    @property
    def message(self) -> str:
        (condition,) = self.status["conditions"]
        return str(condition["message"])

    @property
    def cron_job(self) -> Body:
        return self.cluster.objects["CronJob", *KEY]

    @property
    def has_cron_job(self) -> bool:
        return ("CronJob", *KEY) in self.cluster.objects

    def runs(self) -> list[tuple[str, str]]:
        """(name, result) of the runs in the ledger, oldest first."""
        return [(run["id"], run["result"]) for run in reversed(self.status["recentRuns"])]


def verbs(writes: list[Request]) -> list[str]:
    return [write.verb for write in writes]


def _is_watched(kind: str, body: Body) -> bool:
    return kind == "CronJob" or MANAGED_BY in (body["metadata"].get("labels") or {}).items()


__all__ = ["KEY", "SPEC", "UID", "World", "verbs"]
