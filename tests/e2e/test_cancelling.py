"""Ending a run on purpose: by its Job or by the ScheduledJob, while it is active or while it waits."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.access import Cluster
from tests.cluster.release import Operator
from tests.e2e.scheduled_job import ScheduledJob
from tests.plugin import RESTRICTED
from tests.waiting import wait_until

pytestmark = pytest.mark.meanwhile

PATIENT = """
import signal, sys, time
def leave(*_):
    sys.exit(3)
signal.signal(signal.SIGTERM, leave)
print("here I am", flush=True)
time.sleep(300)
"""
RETRY = {"limit": 3, "backoff": {"initial": "1s"}}
LATER = {"limit": 3, "backoff": {"initial": "10m"}}
ACTIVE: dict[str, Any] = {"command": ["python", "-c", PATIENT], "retry": RETRY, "gracePeriod": "5s"}
WAITING: dict[str, Any] = {"command": ["sh", "-c", "exit 3"], "retry": LATER}
SPECS = {
    "active-by-job": ACTIVE,
    "active-by-request": ACTIVE,
    "in-the-queue": ACTIVE,
    "handler": {"handler": "sleep", "args": {"seconds": 300}, "retry": RETRY, "gracePeriod": "5s"},
    "waiting-by-job": WAITING,
    "waiting-by-request": WAITING,
    "ended": {"command": ["true"]},
}


@pytest.fixture(scope="module")
def jobs(cluster: Cluster, operator: Operator) -> Iterator[dict[str, ScheduledJob]]:
    """A run of each, which says that it is there or has failed once."""
    namespace = cluster.create_namespace(f"cancelling-{secrets.token_hex(3)}", labels=RESTRICTED)
    jobs = {name: ScheduledJob(cluster, namespace, name) for name in SPECS}
    for name, job in jobs.items():
        job.apply(**SPECS[name])
    for job in jobs.values():
        job.wait_ready()
        job.run_now()
    for name in ("active-by-job", "active-by-request", "in-the-queue"):
        wait_listening(jobs[name])
    for name in ("waiting-by-job", "waiting-by-request"):
        jobs[name].wait_pending(f"{name}-now", timeout=90)
    yield jobs
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def wait_listening(job: ScheduledJob, *, says: str = "here I am") -> None:
    wait_until(lambda: says in job.log(f"{job.name}-now"), timeout=90, describe=f"{job.name} is running")


def cancel_job(job: ScheduledJob, who: str) -> None:
    job.kubectl("annotate", "job", f"{job.name}-now", f"scheduledjob.dev/cancel={who}")


def check_cancelled(job: ScheduledJob, run: dict[str, Any], *, by: str) -> None:
    """The verdict, and that nothing comes after."""
    assert (run["result"], run["reason"], run["message"]) == ("Cancelled", "Cancelled", f"cancelled by {by}")
    status = job.status
    assert (status["pending"], status["active"], status["counts"]["cancelled"]) == ([], [], 1)
    assert status["consecutiveFailures"] == 0
    assert f"{job.name}-now-r2" not in job.jobs()
    job.wait_event("RunCancelled")


def test_an_annotation_on_the_job_ends_the_run_and_no_retry_follows(jobs: dict[str, ScheduledJob]) -> None:
    job = jobs["active-by-job"]
    cancel_job(job, "alice")
    run = job.wait_run("active-by-job-now")
    check_cancelled(job, run, by="alice")
    assert run["exitCode"] == 3  # it got SIGTERM and left by itself


def test_a_request_ends_an_active_run_and_no_retry_follows(jobs: dict[str, ScheduledJob]) -> None:
    job = jobs["active-by-request"]
    answer = job.ask("cancel", {"run": "active-by-request-now", "requestedBy": "bob"})
    assert answer["outcome"] == "Accepted", answer
    run = job.wait_run("active-by-request-now")
    check_cancelled(job, run, by="bob")
    assert run["exitCode"] == 3


def test_a_handler_that_is_ended_leaves_what_it_has_to_report(jobs: dict[str, ScheduledJob]) -> None:
    job = jobs["handler"]
    wait_listening(job, says="Running job")  # the container runs before the handler does
    wait_until(lambda: job.status["active"])
    job.ask("cancel", {"run": "handler-now", "requestedBy": "carol"})
    run = job.wait_run("handler-now")
    check_cancelled(job, run, by="carol")
    assert run["value"]["sleptSeconds"] > 0


def test_a_request_calls_off_a_run_that_waits_for_its_next_attempt(jobs: dict[str, ScheduledJob]) -> None:
    job = jobs["waiting-by-request"]
    answer = job.ask("cancel", {"run": "waiting-by-request-now", "requestedBy": "dave"})
    assert answer["outcome"] == "Accepted", answer
    run = job.wait_run("waiting-by-request-now")
    check_cancelled(job, run, by="dave")
    assert len(run["attempts"]) == 1


def test_so_does_an_annotation_on_the_job_of_its_last_attempt(jobs: dict[str, ScheduledJob]) -> None:
    job = jobs["waiting-by-job"]
    cancel_job(job, "erin")
    check_cancelled(job, job.wait_run("waiting-by-job-now"), by="erin")


def test_a_run_in_the_queue_is_called_off_and_the_active_one_goes_on(jobs: dict[str, ScheduledJob]) -> None:
    job = jobs["in-the-queue"]
    asked = job.ask("run", {"id": "second", "ifActive": "Queue"})
    waiting = job.wait_pending(asked["id"])
    assert waiting["reason"] == "Queued"
    job.ask("cancel", waiting["id"])
    run = job.wait_run(waiting["id"])
    assert (run["result"], run["message"]) == ("Cancelled", "cancelled")
    assert [active["id"] for active in job.status["active"]] == ["in-the-queue-now"]


def test_what_has_ended_by_itself_and_what_never_was_cannot_be_cancelled(
    jobs: dict[str, ScheduledJob],
) -> None:
    job = jobs["ended"]
    job.wait_run("ended-now")
    for run, says in (("ended-now", "has ended already: Succeeded"), ("nobody", "no run nobody is active")):
        answer = job.ask("cancel", run)
        assert answer["outcome"] == "Refused"
        assert says in answer["message"]
