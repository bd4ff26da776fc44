"""Attempts that do not end in time, and attempts that do not even start."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.cluster.access import Cluster
from tests.cluster.release import Operator
from tests.e2e.scheduled_job import ScheduledJob, seconds_between
from tests.plugin import RESTRICTED
from tests.waiting import wait_until

pytestmark = pytest.mark.meanwhile

DEAF = """
import signal, time
signal.signal(signal.SIGTERM, lambda *_: print("no, thank you", flush=True))
print("here I am", flush=True)
while True:
    time.sleep(1)
"""


@dataclass(frozen=True)
class Case:
    """A spec whose run cannot start, the reason, and what Kubernetes' own sentence about it contains."""

    spec: dict[str, Any]
    reason: str
    says: str
    no_pods: bool = False
    """Whether a quota of the namespace allows no Pod at all."""


CASES = {
    "no-such-image": Case(
        {"image": "localhost:1/no/such:image", "command": ["true"]},
        *("ImagePullBackOff", "localhost:1/no/such:image"),
    ),
    "no-such-node": Case(
        {"podTemplate": {"spec": {"nodeSelector": {"flavour": "none"}}}},
        *("Unschedulable", "didn't match Pod's node affinity/selector"),
    ),
    "too-large": Case(
        {"resources": {"requests": {"cpu": "1000"}, "limits": {"cpu": "1000"}}},
        *("Unschedulable", "Insufficient cpu"),
    ),
    "no-such-secret": Case(
        {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "missing", "key": "a"}}}]},
        *("CreateContainerConfigError", 'secret "missing" not found'),
    ),
    "forbidden": Case(
        {"podTemplate": {"spec": {"hostNetwork": True}}}, "PodSecurity", 'violates PodSecurity "restricted'
    ),
    "no-room": Case({}, "QuotaExceeded", "exceeded quota: none", no_pods=True),
}


@pytest.fixture(scope="module")
def jobs(cluster: Cluster, operator: Operator) -> Iterator[dict[str, ScheduledJob]]:
    """One ScheduledJob for each case and one more, with a run each."""
    token = secrets.token_hex(3)
    plain, full = (
        cluster.create_namespace(f"timeouts-{token}{suffix}", labels=RESTRICTED) for suffix in ("", "-full")
    )
    cluster.kubectl("create", "quota", "none", "--hard=pods=0", f"--namespace={full}")
    jobs = {
        name: ScheduledJob(cluster, full if case.no_pods else plain, name) for name, case in CASES.items()
    }
    for name, job in jobs.items():
        job.apply(pendingTimeout="10s", gracePeriod="2s", **CASES[name].spec)
    jobs["deaf"] = ScheduledJob(cluster, plain, "deaf")
    jobs["deaf"].apply(command=["python", "-c", DEAF], timeout="20s", gracePeriod="2s")
    for job in jobs.values():
        job.wait_ready()
        job.run_now()
    yield jobs
    cluster.kubectl("delete", "namespace", plain, full, "--wait=false")


@pytest.mark.parametrize("name", CASES)
def test_an_attempt_that_does_not_start_fails_with_kubernetes_own_sentence(
    name: str, jobs: dict[str, ScheduledJob]
) -> None:
    case, job = CASES[name], jobs[name]
    run = job.wait_run(timeout=60)
    assert (run["result"], run["reason"]) == ("Failed", case.reason), run
    assert case.says in run["message"]
    assert "exitCode" not in run
    began = job.get("job", f"{name}-now")["status"]["startTime"]
    assert 10 <= seconds_between(began, run["endTime"]) <= 30


@pytest.mark.parametrize("name", CASES)
def test_what_did_not_start_does_not_stand_in_the_way_of_the_next_run(
    name: str, jobs: dict[str, ScheduledJob]
) -> None:
    job = jobs[name]
    job.wait_run(timeout=60)
    wait_until(lambda: not job.get("cronjob")["status"].get("active"), describe="no Job is active any more")
    answer = job.ask("run", "once more")
    assert answer["outcome"] == "Accepted", answer
    wait_until(lambda: answer["id"] in [run.get("request") for run in job.status["active"]])


def test_a_run_that_waits_for_its_start_says_for_what(jobs: dict[str, ScheduledJob]) -> None:
    job = jobs["too-large"]
    job.wait_run("too-large-now", timeout=60)
    wait_until(lambda: not job.status["active"], timeout=60)
    asked = job.ask("run", "and again")["id"]

    def waiting() -> list[dict[str, Any]]:
        return [run for run in job.status["active"] if run.get("request") == asked and "reason" in run]

    (active,) = wait_until(waiting, describe="it says why it does not start")
    assert active["reason"] == "Unschedulable"
    assert "Insufficient cpu" in active["message"]


def test_a_program_that_ignores_sigterm_is_killed_and_its_log_tail_is_kept(
    jobs: dict[str, ScheduledJob],
) -> None:
    run = jobs["deaf"].wait_run()
    assert (run["result"], run["reason"]) == ("TimedOut", "DeadlineExceeded")
    assert run["message"].splitlines() == ["here I am", "no, thank you"]
    (attempt,) = run["attempts"]
    assert attempt["exitCode"] == 137
    # The time of the attempt begins with its Pod, and the container starts some seconds later on a busy node.
    assert 5 <= seconds_between(attempt["startTime"], attempt["endTime"]) <= 32
