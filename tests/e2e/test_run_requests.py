"""Runs that people ask for, and how they get along with those of the schedule."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.cluster.access import Cluster
from tests.cluster.release import Operator
from tests.e2e.scheduled_job import EVERY_MINUTE, ScheduledJob, as_text, moment
from tests.plugin import RESTRICTED
from tests.waiting import wait_until

CANARY = "canary-8d24b6f19a"
ANOTHER_CANARY = "canary-51c7e90b3d"
SLOT = "2026-01-01T00:00:00Z"
EVERY_SECONDS = 5.0
CROWDED = timedelta(seconds=120)
SHOWS_SLOT = """
import os, sys
print(os.environ["SCHEDULEDJOB_SLOT"], os.environ["SCHEDULEDJOB_TRIGGER"], flush=True)
sys.exit(len(os.environ.get("MODE", "")) != 17)
"""


@dataclass
class Crowd:
    """Somebody who asks for a run every few seconds, of a job that has a schedule too."""

    job: ScheduledJob
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    enough: threading.Event = field(default_factory=threading.Event)

    def ask(self) -> None:
        for number in range(int(CROWDED.total_seconds() / EVERY_SECONDS)):
            if self.enough.wait(EVERY_SECONDS):
                return
            self.job.annotate("run", {"id": str(number), "ifActive": "Queue"})


def begin_scenes(cluster: Cluster, namespace: str) -> Crowd:
    job = ScheduledJob(cluster, namespace, "crowded")
    job.apply(
        schedule=EVERY_MINUTE,
        command=["sleep", "9"],
        history={"succeededJobs": 50, "runs": 100},
        startingDeadline="30s",
    )
    job.wait_ready()
    crowd = Crowd(job)
    threading.Thread(target=crowd.ask, daemon=True).start()
    return crowd


@pytest.fixture(scope="module")
def jobs(cluster: Cluster, operator: Operator) -> Iterator[dict[str, ScheduledJob]]:
    namespace = cluster.create_namespace(f"run-requests-{secrets.token_hex(3)}", labels=RESTRICTED)
    hours = {"schedule": "0 * * * *"}
    specs: dict[str, dict[str, Any]] = {
        "greeting": {"handler": "hello"},
        "slotted": {"command": ["python", "-c", SHOWS_SLOT]},
        "busy": {"handler": "sleep", "args": {"seconds": 300}, "gracePeriod": "5s"},
        "hourly": {**hours, "command": ["sleep", "3"], "concurrencyPolicy": "Allow"},
        "minutely": {"schedule": EVERY_MINUTE, "handler": "hello", "enabled": False},
    }
    jobs = {name: ScheduledJob(cluster, namespace, name) for name in specs}
    for name, job in jobs.items():
        job.apply(**{"history": {"succeededJobs": 20}, **specs[name]})
    for job in jobs.values():
        job.wait_ready()
    yield jobs
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def test_a_run_gets_the_arguments_it_was_asked_for_with_and_nobody_else_hears_of_them(
    jobs: dict[str, ScheduledJob], cluster: Cluster, operator: Operator
) -> None:
    job = jobs["greeting"]
    request = {"args": {"name": CANARY}, "env": {"MODE": ANOTHER_CANARY}, "requestedBy": "alice"}
    answer = job.ask("run", request)
    assert answer["outcome"] == "Accepted", answer
    run = job.wait_run(answer["id"])
    assert (run["trigger"], run["requestedBy"], run["result"]) == ("Manual", "alice", "Succeeded")
    assert run.pop("value") == {"greeting": f"Hello, {CANARY}!"}
    status = job.status
    told = [run, status["requests"], status["active"], status["pending"], status["conditions"]]
    events = cluster.items("events", f"--namespace={job.namespace}")
    for secret in (CANARY, ANOTHER_CANARY):
        assert secret not in str(told)
        assert secret not in str(events)
        assert secret not in operator.logs()


def test_arguments_that_the_handler_does_not_take_end_the_run_with_exit_code_65(
    jobs: dict[str, ScheduledJob], cluster: Cluster
) -> None:
    job = jobs["greeting"]
    for request in ({"args": {"nobody": CANARY}}, {"args": {"name": [CANARY]}}):
        run = job.wait_run(job.ask("run.wrong", request)["id"])
        assert (run["result"], run["reason"], run["exitCode"]) == ("Failed", "ExitCode", 65)
        assert run["message"]
        assert CANARY not in str(run)
    assert CANARY not in str(cluster.items("events", f"--namespace={job.namespace}"))


def test_a_run_gets_the_variables_and_the_slot_it_was_asked_for_with(jobs: dict[str, ScheduledJob]) -> None:
    job = jobs["slotted"]
    run = job.wait_run(job.ask("run", {"slot": SLOT, "env": {"MODE": CANARY}})["id"])
    assert (run["result"], run["slot"]) == ("Succeeded", SLOT)
    assert job.log(run["jobName"]).split() == [SLOT, "Manual"]


def test_while_a_run_is_active_another_one_is_refused_or_queued(jobs: dict[str, ScheduledJob]) -> None:
    job = jobs["busy"]
    job.wait_running(job.run_now())
    wait_until(lambda: job.status["active"])
    refused = job.ask("run", "at once")
    assert refused["outcome"] == "Refused"
    assert "ifActive: Queue" in refused["message"]
    wait_until(lambda: "RequestRefused" in [reason for reason, _ in job.events()])

    queued = job.ask("run", {"ifActive": "Queue"})
    assert (queued["outcome"], job.wait_pending(queued["id"])["reason"]) == ("Accepted", "Queued")
    assert list(job.jobs()) == ["busy-now"]

    job.ask("cancel", "busy-now")
    wait_until(
        lambda: [run.get("request") for run in job.status["active"]] == [queued["id"]],
        describe="the one in the queue is active",
    )
    assert job.status["pending"] == []


def test_a_backfill_runs_every_slot_once_and_no_more_at_a_time_than_it_says(
    jobs: dict[str, ScheduledJob],
) -> None:
    job = jobs["hourly"]
    slots = [f"2026-01-01T0{hour}:00:00Z" for hour in range(1, 6)]
    answer = job.ask("backfill", {"from": "2026-01-01T00:30:00Z", "to": slots[-1], "parallelism": 2})
    assert answer["outcome"] == "Accepted", answer

    def runs() -> list[dict[str, Any]]:
        return [run for run in job.status["recentRuns"] if run.get("request") == answer["id"]]

    wait_until(lambda: len(runs()) == len(slots), timeout=180, describe="all of them have ended")
    found = sorted(runs(), key=lambda run: moment(run["startTime"]))
    assert sorted(run["slot"] for run in found) == slots
    assert {(run["trigger"], run["result"]) for run in found} == {("Backfill", "Succeeded")}
    assert {run["slot"] for run in found[:2]} == set(slots[:2])
    spans = [container_span(pod) for run in found for pod in job.pods(run["jobName"])]
    assert len(spans) == len(slots)
    for begin_, _ in spans:
        assert sum(start <= begin_ < end for start, end in spans) <= 2
    assert any(later < end for (_, end), (later, _) in pairwise(sorted(spans)))


def container_span(pod: dict[str, Any]) -> tuple[datetime, datetime]:
    """When the container of a Pod ran; until now if it still does."""
    (container,) = pod["status"]["containerStatuses"]
    state = container["state"]
    if "terminated" in state:
        return moment(state["terminated"]["startedAt"]), moment(state["terminated"]["finishedAt"])
    return moment(state["running"]["startedAt"]), datetime.now(UTC)


REFUSED: dict[str, tuple[str, str | dict[str, Any], str]] = {
    "too many slots": (
        "backfill",
        {"from": "2026-01-01T00:01:00Z", "to": "2026-01-07T22:40:00Z"},
        "a backfill has at most 100 slots, this range has 10,000: ask for a shorter range",
    ),
    "a time to come": (
        "backfill",
        {"from": "2026-01-01T00:00:00Z", "to": as_text(datetime.now(UTC) + timedelta(days=1))},
        "to is in the future",
    ),
    "not JSON": ("run", f"{{{CANARY}", "this is not JSON"),
    "an unknown field": ("run", {"arguments": {"name": CANARY}}, "there is no field arguments"),
    "a variable of the operator's": ("run", {"env": {"SCHEDULEDJOB_SLOT": CANARY}}, "SCHEDULEDJOB_SLOT"),
    "too many arguments": ("run", {"args": {"name": CANARY * 300}}, "4,096 bytes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_done_is_refused_with_what_to_write_instead(
    name: str, jobs: dict[str, ScheduledJob]
) -> None:
    annotation, request, says = REFUSED[name]
    job = jobs["minutely"]
    answer = job.ask(f"{annotation}.refused", request)
    assert answer["outcome"] == "Refused"
    assert says in answer["message"]
    assert CANARY not in str(job.status)
    assert job.jobs() == {}


def test_runs_that_are_asked_for_and_those_of_the_schedule_never_overlap(scene: Crowd) -> None:
    job = scene.job
    wait_until(lambda: datetime.now(UTC) > scene.began + CROWDED, timeout=CROWDED.total_seconds() + 5)
    scene.enough.set()
    status = job.status
    selector = f"--selector=scheduledjob.dev/name={job.name}"
    pods = job.cluster.items("pods", f"--namespace={job.namespace}", selector)
    spans = sorted(container_span(pod) for pod in pods if pod["status"]["phase"] != "Pending")
    for (_, end), (start, _) in pairwise(spans):
        assert end <= start
    assert len(spans) >= 6
    assert [entry["outcome"] for entry in status["requests"]] == ["Accepted"]
    triggers = {run["trigger"] for run in (*status["recentRuns"], *status["active"])}
    assert {"Manual", "Schedule"} <= triggers
