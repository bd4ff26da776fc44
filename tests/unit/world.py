"""A cluster in memory with the operator in it, and time in the hands of the test."""

import asyncio
from datetime import datetime, timedelta
from typing import cast

from scheduledjob_operator.clockwork import Clockwork
from scheduledjob_operator.cluster import ApiError
from scheduledjob_operator.controller import CHILD_KINDS, Controller
from scheduledjob_operator.kubernetes_cluster import KubernetesCluster
from scheduledjob_operator.pod_template import Parent, RunnerDefaults
from scheduledjob_operator.reconcile import Reconciler
from scheduledjob_operator.settings import Settings
from scheduledjob_operator.store import Key
from scheduledjob_operator.suspension import Switch
from tests.unit.bodies import LABELS, NAME, NAMESPACE, UID, Body
from tests.unit.fake_cluster import Request
from tests.unit.kubernetes import KEY, SPEC, Kubernetes
from tests.unit.moments import after_noon

MANAGED_BY = next(iter(LABELS.items()))
RUNNER = RunnerDefaults(image="registry.example/job-runner:1")
ROUNDS = 50
"""More than any change takes to settle."""


class World(Kubernetes):
    """One cluster, one operator; `now` is what its clock shows too."""

    def __init__(self, *, start_patience: timedelta = timedelta()) -> None:
        super().__init__()
        self._start_patience = start_patience
        self.due: dict[Key, datetime] = {}
        """When the reconciler wants to be called again though nothing happens."""
        self.errors: list[ApiError] = []
        self.environment = ""
        self.punctual = False
        """What the operator is installed for and with, as it will be after a restart."""
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
        self.clockwork = Clockwork(clock=lambda: self.now)
        self.reconciler = Reconciler(
            cluster=self.cluster,
            store=self.store,
            defaults=RUNNER,
            clock=lambda: self.now,
            switch=self.switch,
            start_patience=self._start_patience,
            environment=self.environment,
            clockwork=self.clockwork,
            pulses=self.controller.pulses,
            punctual=self.punctual,
        )
        self.due.clear()
        self._seen = len(self.cluster.changes)
        for kind in (*CHILD_KINDS, "Namespace"):
            for body in self.cluster.of_kind(kind):
                if _is_watched(kind, body):
                    self.controller.changed(kind, body)
        for body in self.cluster.of_kind("ScheduledJob"):
            self.controller.scheduled_job_event(type_=None, body=body)

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
            if self._fire():
                continue
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

    def _fire(self) -> bool:
        """Start one slot that is due; whether there was one."""
        shot = self.clockwork.take(hold=lambda _: True)
        if shot is None:
            return False
        try:
            if asyncio.run(self.reconciler.fire(shot)):
                self.controller.queue.add(shot.key)
        except ApiError as error:
            self.errors.append(error)
            if self.dies_of_errors:
                self.restart()
            else:
                self.controller.queue.add(shot.key)
        return True

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
        while soonest := min((due for due in self._due_moments() if due <= end), default=None):
            self.now = max(soonest, self.now)
            self.settle()
        self.now = end
        self.settle()
        return self.cluster.writes[before:]

    def _due_moments(self) -> list[datetime]:
        """When something is due, by the clock of the test."""
        return [*self.due.values(), *filter(None, [self.clockwork.next_due])]

    # What is there

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

    def runs(self) -> list[tuple[str, str]]:
        """(name, result) of the runs in the ledger, oldest first."""
        return [(run["id"], run["result"]) for run in reversed(self.status["recentRuns"])]


def verbs(writes: list[Request]) -> list[str]:
    return [write.verb for write in writes]


def _is_watched(kind: str, body: Body) -> bool:
    return kind in ("CronJob", "Namespace") or MANAGED_BY in (body["metadata"].get("labels") or {}).items()


__all__ = ["KEY", "SPEC", "UID", "World", "verbs"]
