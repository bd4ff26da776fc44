"""How a run ended: every result and reason, provoked for real. All runs go on at the same time."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.cluster.access import Cluster
from tests.cluster.release import Operator
from tests.e2e.scheduled_job import ScheduledJob
from tests.waiting import wait_until

SHORT = {"timeout": "60s", "gracePeriod": "3s"}
HANG = {"handler": "sleep", "args": {"seconds": 300}, **SHORT}


@dataclass(frozen=True)
class Case:
    """A spec, and what its run shall look like."""

    spec: dict[str, Any]
    result: str
    reason: str
    exit_code: int | None = None
    says: str = ""
    attempts: list[str] = field(default_factory=list)
    trouble: str = ""
    """What is done to the run while it is running."""


CASES = {
    # First: their time begins with their Pods, whose containers start slowly once all are under way.
    "handler-timeout": Case(
        {**HANG, "timeout": "20s"}, "TimedOut", "DeadlineExceeded", 124, attempts=["DeadlineExceeded"]
    ),
    "command-timeout": Case(
        {"command": ["sh", "-c", "echo up to here; exec sleep 300"], "timeout": "20s", "gracePeriod": "1s"},
        *("TimedOut", "DeadlineExceeded", None, "up to here"),
    ),
    "success": Case({"handler": "hello", **SHORT}, "Succeeded", "Completed", 0),
    "exit-code-with-log-tail": Case(
        {"command": ["sh", "-c", "echo this went wrong >&2; exit 3"], **SHORT},
        *("Failed", "ExitCode", 3, "this went wrong"),
    ),
    "handler-error": Case(
        {"handler": "fail", **SHORT},
        *("Failed", "ExitCode", 70, "RuntimeError: failed on purpose"),
    ),
    "unknown-handler": Case({"handler": "helo", **SHORT}, "Failed", "ExitCode", 64, "hello"),
    "invalid-arguments": Case(
        {"handler": "sleep", "args": {"seconds": "soon"}, **SHORT}, "Failed", "ExitCode", 65, "seconds"
    ),
    "out-of-memory": Case(
        {
            "handler": "allocate_memory",
            "args": {"mebibytes": 512},
            "resources": {"limits": {"memory": "96Mi"}},
            **SHORT,
        },
        *("Failed", "OOMKilled", 137),
    ),
    "bad-image": Case(
        {"image": "localhost:1/no/such:image", "command": ["true"], "timeout": "30s"},
        *("Failed", "ImagePullBackOff", None, "localhost:1/no/such:image"),
    ),
    "never-on-exit-code": Case(
        {"command": ["sh", "-c", "exit 64"], "retry": {"limit": 3}, **SHORT},
        *("Failed", "ExitCode", 64),
        attempts=["ExitCode"],
    ),
    "second-attempt": Case(
        {"handler": "fail", "args": {"until_attempt": 2}, "retry": {"limit": 3}, **SHORT},
        *("Succeeded", "Completed", 0),
        attempts=["ExitCode", "Completed"],
    ),
    "job-deleted": Case(HANG, "Cancelled", "JobDeleted", trouble="delete the Job"),
    "pod-deleted": Case(HANG, "Failed", "PodDeleted", 143, trouble="delete the Pod"),
    "evicted": Case(
        {"command": ["sh", "-c", "sleep 15"], **SHORT},
        *("Succeeded", "Completed", 0),
        attempts=["Evicted", "Completed"],
        trouble="evict the Pod",
    ),
}


@pytest.fixture(scope="module")
def runs(cluster: Cluster, operator: Operator) -> Iterator[dict[str, ScheduledJob]]:
    """All the runs, started, and the trouble made."""
    namespace = cluster.create_namespace(
        f"results-{secrets.token_hex(3)}", labels={"pod-security.kubernetes.io/enforce": "restricted"}
    )
    jobs = {name: ScheduledJob(cluster, namespace, name) for name in CASES}
    for name, job in jobs.items():
        job.apply(**CASES[name].spec)
    for job in jobs.values():
        job.wait_ready()
        job.run_now()
    for name, job in reversed(jobs.items()):  # what is evicted would be the first to end by itself
        if CASES[name].trouble:
            make_trouble(CASES[name].trouble, job=job)
    yield jobs
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def make_trouble(trouble: str, *, job: ScheduledJob) -> None:
    pod = job.wait_running(f"{job.name}-now")["metadata"]["name"]
    if trouble == "delete the Job":
        job.kubectl("delete", "job", f"{job.name}-now")
    elif trouble == "delete the Pod":
        # A process that has just begun does not hear the signal yet.
        wait_until(lambda: "Running job" in job.log(f"{job.name}-now"), describe="the handler runs")
        job.kubectl("delete", "pod", pod, "--wait=false")
    else:
        path = f"/api/v1/namespaces/{job.namespace}/pods/{pod}/eviction"
        eviction = f'{{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {{"name": "{pod}"}}}}'
        job.cluster.kubectl("create", f"--raw={path}", "--filename=-", input=eviction)


@pytest.mark.parametrize("name", CASES)
def test_the_result_and_its_reason_are_true(name: str, runs: dict[str, ScheduledJob]) -> None:
    case, job = CASES[name], runs[name]
    run = job.wait_run(f"{name}-now", timeout=120)
    assert (run["result"], run["reason"]) == (case.result, case.reason), run
    assert run["trigger"] == "Manual"
    if case.exit_code is not None:
        assert run["exitCode"] == case.exit_code, run
    assert case.says in run.get("message", "")
    if case.attempts:
        assert [attempt["reason"] for attempt in run["attempts"]] == case.attempts
    assert job.status["lastRun"]["id"] == run["id"]
    assert job.status["activeCount"] == 0


def test_a_handlers_result_and_its_memory_are_in_the_run(runs: dict[str, ScheduledJob]) -> None:
    run = runs["success"].wait_run()
    assert run["value"] == {"greeting": "Hello, world!"}
    assert run["peakMemoryBytes"] > 5_000_000
    assert 0 <= run["durationSeconds"] < 60


def test_what_a_handler_reports_when_its_time_is_up_is_kept(runs: dict[str, ScheduledJob]) -> None:
    run = runs["handler-timeout"].wait_run()
    assert run["value"]["sleptSeconds"] > 0


def test_totals_and_failures_in_a_row_follow_the_runs(runs: dict[str, ScheduledJob]) -> None:
    job = runs["exit-code-with-log-tail"]
    job.wait_run("exit-code-with-log-tail-now")
    job.wait_run(job.run_now(suffix="again"))
    status = job.status
    assert status["consecutiveFailures"] == status["counts"]["failed"] == 2
    assert status["lastFailureTime"]
    assert "lastSuccessTime" not in status


def test_retries_are_counted_and_evictions_are_none(runs: dict[str, ScheduledJob]) -> None:
    runs["second-attempt"].wait_run()
    runs["evicted"].wait_run()
    assert runs["second-attempt"].status["counts"]["retries"] == 1
    assert runs["evicted"].status["counts"]["retries"] == 0


def test_a_failed_run_is_an_event_and_ready_stays_green(runs: dict[str, ScheduledJob]) -> None:
    job = runs["out-of-memory"]
    job.wait_run()
    assert wait_until(lambda: [reason for reason, _ in job.events()]) == ["RunFailed"]
    assert job.ready["status"] == "True"
