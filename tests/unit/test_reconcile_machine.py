"""Whatever happens in whatever order: when it is quiet, everything is as a fresh operator would make it."""

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from scheduledjob_operator.cluster import ApiError
from scheduledjob_operator.models.types import parse_time
from scheduledjob_operator.schedule import ScheduleError
from scheduledjob_operator.store import ScheduledJobSeen
from scheduledjob_operator.wanted import Wanted, parse
from tests.unit import bodies, managed_fields
from tests.unit.bodies import NAMESPACE, Body
from tests.unit.cron_jobs import desired
from tests.unit.fake_cluster import LOST, OVERLOADED, QUOTA, UNREACHABLE, refused
from tests.unit.moments import after_noon, text
from tests.unit.world import KEY, RUNNER, World

VALID: list[Body] = [
    {"schedule": "*/5 * * * *", "handler": "sync"},
    {"schedule": "*/5 * * * *", "handler": "sync", "enabled": False},
    {"schedule": "* * * * *", "handler": "sync", "timeout": "5m", "queue": "batch"},
    {"schedule": "@daily", "command": ["true"], "timeZone": "Europe/Berlin", "concurrencyPolicy": "Replace"},
    {"schedule": "@daily", "handler": "sync", "podTemplate": {"spec": {"nodeSelector": {"disk": "hdd"}}}},
    {"schedule": "*/5 * * * *", "handler": "sync", "retry": {"limit": 2, "backoff": {"initial": "30s"}}},
    {"schedule": "* * * * *", "handler": "sync", "pendingTimeout": "30s", "startingDeadline": "30s"}
    | {"concurrencyPolicy": "Allow", "catchUp": {"policy": "All"}},
    {"schedule": "* * * * *", "handler": "sync", "catchUp": {"policy": "Latest"}, "startingDeadline": "30s"}
    | {"pauseAfter": {"consecutiveFailures": 1, "coolDown": "2m"}},
    {"schedule": "*/5 * * * *", "handler": "sync", "concurrencyPolicy": "Replace"}
    | {"startsAt": text(after_noon(400)), "endsAt": text(after_noon(2000))},
]
INVALID: list[Body] = [
    {"schedule": "61 * * * *", "handler": "sync"},
    {"schedule": "@daily", "handler": "sync", "timeZone": "Mars/Olympus"},
    {"schedule": "@daily"},
    {"schedule": "@daily", "handler": "sync", "timeout": "forever"},
]
MISHAPS = [OVERLOADED, UNREACHABLE, refused(429), refused(409, "the object has been modified"), LOST, None]
REFUSALS = [QUOTA, refused(422, "invalid"), refused(403, "forbidden")]


def suspend(body: Body) -> None:
    body["spec"]["suspend"] = not body["spec"]["suspend"]


def reschedule(body: Body) -> None:
    body["spec"]["schedule"] = "0 0 1 1 *"


def put_on_ssd(body: Body) -> None:
    body["spec"]["jobTemplate"]["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "ssd"}


def take_labels(body: Body) -> None:
    body["metadata"]["labels"] = {}


def take_owner(body: Body) -> None:
    body["metadata"]["ownerReferences"] = []


def take_hash(body: Body) -> None:
    body["metadata"]["annotations"] = {}


def run_of(job: Body) -> str:
    """The run that a Job is an attempt of."""
    annotations = job["metadata"].get("annotations", {})
    return str(annotations.get("scheduledjob.dev/run-id", job["metadata"]["name"]))


REQUESTS: dict[str, Body] = {
    "run": {"ifActive": "Queue", "args": {"a": 1}},
    "run.refusing": {},
    "backfill": {"from": "2026-11-22T11:40:00Z", "to": "2026-11-22T12:00:00Z", "parallelism": 2},
    "retry": {"run": "all"},
    "clear": {"run": "all"},
}
OVERRIDES = ("f:metadata", "f:annotations", "f:scheduledjob.dev/overrides")
EDITS = [suspend, reschedule, put_on_ssd, take_labels, take_owner, take_hash]


class Life(RuleBasedStateMachine):
    """One ScheduledJob, the people and controllers around it, and an operator that comes and goes."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.number = 0
        self.made_for_others = 0
        """How many Jobs the operator had made when this ScheduledJob came."""

    @initialize(seconds=st.sampled_from([0, 3]))
    def create(self, seconds: int) -> None:
        self.world = World(start_patience=timedelta(seconds=seconds))
        self.world.create(dict(VALID[0]))

    # People

    @rule(spec=st.sampled_from(VALID + INVALID))
    def change_spec(self, spec: Body) -> None:
        self.world.cluster.put("ScheduledJob", {**self.world.scheduled_job, "spec": dict(spec)})

    @rule()
    def replace_scheduled_job(self) -> None:
        self.number += 1
        self.world.cluster.delete("ScheduledJob", *KEY)
        self.world.create(dict(VALID[self.number % len(VALID)]), uid=f"scheduled-job-{self.number}")
        self.made_for_others = len(self.world.created())

    @precondition(lambda self: self.world.has_cron_job)
    @rule(change=st.sampled_from(EDITS))
    def edit_cron_job(self, change: Any) -> None:
        self.world.edit_cron_job(change)

    @precondition(lambda self: self.world.has_cron_job)
    @rule()
    def delete_cron_job(self) -> None:
        self.world.cluster.delete("CronJob", *KEY)

    @rule(kind=st.sampled_from(list(REQUESTS)))
    def ask(self, kind: str) -> None:
        self.number += 1
        self.world.annotate(**{kind: json.dumps({**REQUESTS[kind], "id": str(self.number)})})

    @precondition(lambda self: self.world.status.get("active"))
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from(self.world.status["active"]))
        self.world.annotate(cancel=run["id"])

    @rule(until=st.none() | st.integers(31, 3000), on=st.booleans())
    def freeze(self, until: int | None, on: bool) -> None:
        given = {"suspend": "x"} if on else {}
        self.world.put_namespace(
            **given, **({"suspend_until": text(after_noon(until))} if until is not None else {})
        )

    # Kubernetes

    @precondition(lambda self: self.world.has_cron_job)
    @rule()
    def fire(self) -> None:
        with suppress(ScheduleError):  # somebody broke it by hand
            self.world.fire()

    @rule()
    def end_what_is_to_end(self) -> None:
        self.world.obey_deadlines()

    @precondition(lambda self: self.world.has_cron_job)
    @rule(scheduled=st.booleans(), with_pod=st.booleans())
    def start_job(self, scheduled: bool, with_pod: bool) -> None:
        self.number += 1
        name, now = f"job-{self.number}", self.world.now.replace(microsecond=0)
        self.world.put_job(name, created=now, slot=now.replace(second=0) if scheduled else None)
        if with_pod:
            self.world.put_pod(
                bodies.pod(f"{name}-p1", job_name=name, created=now, status=bodies.running(now))
            )

    @precondition(lambda self: self.jobs(ended=False))
    @rule(data=st.data(), exit_code=st.sampled_from([0, 3]), pod_first=st.booleans())
    def end_job(self, data: st.DataObject, exit_code: int, pod_first: bool) -> None:
        job = data.draw(st.sampled_from(self.jobs(ended=False)))
        name, now = job["metadata"]["name"], self.world.now.replace(microsecond=0)
        pods = [
            body for body in self.world.cluster.of_kind("Pod") if body["metadata"]["name"] == f"{name}-p1"
        ]
        started = self.world.now.replace(microsecond=0)
        ended = [{**pod, "status": bodies.ended(exit_code, started=started, finished=now)} for pod in pods]
        status = bodies.failed(started, now, pods=len(pods)) if exit_code else bodies.complete(started, now)
        objects = [("Job", {**job, "status": status}), *(("Pod", pod) for pod in ended)]
        for kind, body in reversed(objects) if pod_first else objects:
            self.world.cluster.put(kind, body)

    @precondition(lambda self: self.jobs())
    @rule(data=st.data())
    def delete_job(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from(self.jobs()))
        name = job["metadata"]["name"]
        if name in self.world.created() and not self.is_recorded(name):
            return  # one of ours that nobody has seen: nothing would tell that it ever was
        self.world.cluster.delete("Job", NAMESPACE, name)

    def is_recorded(self, job_name: str) -> bool:
        status = self.world.status
        runs = [*status.get("active", []), *status.get("recentRuns", [])]
        return any(run["jobName"] == job_name for run in runs)

    @rule(seconds=st.sampled_from([0.3, 2, 5, 30, 120, 400]))
    def pass_time(self, seconds: float) -> None:
        self.world.now += timedelta(seconds=seconds)

    # The operator and its API server

    @rule(count=st.integers(1, 5))
    def deliver_some(self, count: int) -> None:
        self.world.deliver(count)

    @rule()
    def reconcile(self) -> None:
        with suppress(ApiError):
            self.world.reconcile()

    @rule(seconds=st.sampled_from([0, 1, 30]))
    def settle(self, seconds: int) -> None:
        self.world.wait(seconds)

    @rule()
    def restart(self) -> None:
        self.world.restart()

    @rule(mishaps=st.lists(st.sampled_from(MISHAPS), min_size=1, max_size=4))
    def let_requests_fail(self, mishaps: list[Any]) -> None:
        self.world.cluster.outcomes.extend(mishaps)

    @rule(error=st.sampled_from(REFUSALS))
    def refuse_cron_jobs(self, error: ApiError) -> None:
        self.world.cluster.rule = lambda request: error if request.verb == "apply" else None

    @rule()
    def answer_everything(self) -> None:
        self.world.cluster.rule = lambda _: None
        self.world.cluster.outcomes.clear()

    # What must be true

    @invariant()
    def no_run_is_listed_twice(self) -> None:
        ids = [run["id"] for run in self.world.status.get("recentRuns", [])]
        assert len(ids) == len(set(ids))

    @invariant()
    def what_was_counted_is_listed(self) -> None:
        """As long as nothing was dropped from the list."""
        runs = self.world.status.get("recentRuns", [])
        if len(runs) < 20:
            counts = self.world.status.get("counts", {})
            counted = sum(counts.get(name, 0) for name in ("succeeded", "failed", "timedOut", "cancelled"))
            assert counted == len([run for run in runs if run["result"] != "Unknown"])

    @invariant()
    def no_job_is_made_twice(self) -> None:
        made = self.world.created()[self.made_for_others :]
        assert len(made) == len(set(made))

    @invariant()
    def what_had_no_run_is_counted(self) -> None:
        """As long as nothing was dropped from the list."""
        entries = self.world.status.get("unstarted", [])
        if len(entries) < 20:
            counts = self.world.status.get("counts", {})
            for result in ("Skipped", "Missed"):
                listed = sum(entry["count"] for entry in entries if entry["result"] == result)
                assert counts.get(result.lower(), 0) == listed

    def teardown(self) -> None:
        if ("ScheduledJob", *KEY) not in self.world.cluster.objects:
            return
        self.answer_everything()
        for seconds in (0, 4, 15, 61):  # evidence, a replaced run, what was refused
            self.world.wait(seconds)
        for _ in range(20):
            if self.slot_has_just_come():
                self.world.wait(21)  # its run is waited for before the next times are shown
            elif self.has_just_begun():
                self.world.wait(1)  # what is over in a moment is written with its end
            else:
                break
        self.world.reconcile()
        note(f"status: {self.world.status}")
        assert self.world.reconcile() == []
        self.world.restart()
        assert self.world.settle() == [], "a fresh operator would make it different"
        self.check_cron_job()
        self.check_ledger()

    def slot_has_just_come(self) -> bool:
        slots = self.world.status.get("nextRunTimes", [])
        return any(parse_time(slot) <= self.world.now for slot in slots)

    def has_just_begun(self) -> bool:
        born = [parse_time(job["metadata"]["creationTimestamp"]) for job in self.jobs(ended=False)]
        return any(self.world.now - moment < timedelta(seconds=4) for moment in born)

    def check_cron_job(self) -> None:
        wanted = parse(ScheduledJobSeen.from_body(self.world.scheduled_job), now=self.world.now)
        if not isinstance(wanted, Wanted):
            assert self.world.ready[0] == "False"
            return
        metadata = self.world.cron_job["metadata"]
        if not metadata.get("labels") and not metadata.get("ownerReferences"):
            assert self.world.ready == ("False", "NameConflict"), "nothing shows any more whose it is"
            return
        assert self.world.ready == ("True", "Reconciled")
        suspended = "suspended" in self.world.status
        body = desired(
            self.world.scheduled_job["spec"], parent=self.world.parent, defaults=RUNNER, suspended=suspended
        )
        found = managed_fields.leaves(self.world.cron_job)
        assert {path: value for path, value in found.items() if path != OVERRIDES} == managed_fields.leaves(
            body
        )

    def check_ledger(self) -> None:
        status = self.world.status
        results = {run["id"]: run["result"] for run in status["recentRuns"]}
        waiting = {run["id"] for run in status["pending"]}
        running = {run_of(job) for job in self.jobs(ended=False)}
        assert sorted(run["id"] for run in status["active"]) == sorted(running)
        for job in self.jobs(ended=True):
            if run_of(job) in running | waiting:
                continue  # that was one of its attempts
            succeeded = job["status"]["conditions"][-1]["type"] == "Complete"
            assert (results[run_of(job)] == "Succeeded") is succeeded
        assert not set(results) & running
        assert not set(results) & waiting
        assert not waiting & running

    def jobs(self, *, ended: bool | None = None) -> list[Body]:
        found = self.world.cluster.of_kind("Job")
        return [job for job in found if ended in (None, "conditions" in job["status"])]


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
