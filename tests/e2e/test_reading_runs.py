"""The command line and the operator say what runs, what waits and what has failed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from tests.cluster.access import Cluster
from tests.cluster.release import Operator
from tests.e2e.command_line import ended, started
from tests.e2e.scheduled_job import ScheduledJob
from tests.plugin import RESTRICTED
from tests.waiting import wait_until

SPECS: dict[str, dict[str, Any]] = {
    "greeting": {"handler": "hello", "priority": "high"},
    "again": {
        "command": ["sh", "-c", "echo not yet >&2; exit 3"],
        "retry": {"limit": 1, "backoff": {"initial": "1h"}},
    },
    "busy": {"command": ["sh", "-c", "exec sleep 600"], "timeout": "15m", "gracePeriod": "1s"},
    "hopeless": {"command": ["sh", "-c", "echo it never works >&2; exit 64"], "retry": {"limit": 1}},
    "off": {"handler": "hello", "enabled": False},
}
RUNS = {"greeting": "Succeeded", "again": "Retrying", "busy": "Running", "hopeless": "Failed"}


@dataclass(frozen=True)
class CommandLine:
    """`kubectl scheduledjob`, in one namespace."""

    cluster: Cluster
    namespace: str

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """What it prints; it has to end with the exit code."""
        done = ended(started(self.cluster, self.namespace, *arguments))
        assert done.code == code, done.out + done.err
        return done.out


def wait_for(job: ScheduledJob, field: str) -> None:
    wait_until(
        lambda: job.status.get(field), timeout=60, describe=f"{job.name} has something in status.{field}"
    )


@pytest.fixture(scope="module")
def scheduledjob(cluster: Cluster, operator: Operator) -> Iterator[CommandLine]:
    """A namespace in which one run has succeeded, one waits, one is active, and one is a dead letter."""
    namespace = cluster.create_namespace(f"reading-{secrets.token_hex(3)}", labels=RESTRICTED)
    jobs = {name: ScheduledJob(cluster, namespace, name) for name in SPECS}
    for name, job in jobs.items():
        job.apply(**SPECS[name])
    for name in RUNS:
        jobs[name].wait_ready()
        jobs[name].annotate("run", {"requestedBy": "alice"})
    for name in ("greeting", "hopeless"):
        jobs[name].wait_run()
    for name, field in {"again": "pending", "busy": "active", "hopeless": "deadLetters"}.items():
        wait_for(jobs[name], field)
    yield CommandLine(cluster, namespace)
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def test_runs_are_listed_whatever_they_are_in(scheduledjob: CommandLine) -> None:
    header, *lines = (line.split() for line in scheduledjob("runs").splitlines())
    assert header[:4] == ["SCHEDULEDJOB", "RUN", "TRIGGER", "RESULT"]
    assert {line[0]: line[3] for line in lines} == RUNS
    assert {(line[2], line[-1]) for line in lines} == {("Manual", "alice")}


def test_the_running_ones_can_be_chosen(scheduledjob: CommandLine) -> None:
    _, line = scheduledjob("runs", "--running").splitlines()
    assert line.split()[0] == "busy"


def test_one_run_is_told_whole(scheduledjob: CommandLine) -> None:
    (listed,) = json.loads(scheduledjob("runs", "greeting", "--output=json"))
    run = yaml.safe_load(scheduledjob("runs", "greeting", listed["id"]))
    assert run == listed
    assert (run["state"], run["reason"], run["requestedBy"]) == ("Succeeded", "Completed", "alice")
    assert run["value"] == {"greeting": "Hello, world!"}


def test_an_attempt_that_failed_says_why_while_its_run_waits(scheduledjob: CommandLine) -> None:
    (run,) = json.loads(scheduledjob("runs", "again", "--output=json"))
    assert (run["reason"], run["result"], run["attempt"]) == ("Backoff", "Failed", 2)
    assert "not yet" in run["message"]


def test_everything_is_counted(scheduledjob: CommandLine) -> None:
    found = json.loads(scheduledjob("stats", "--output=json"))
    expected = {
        "scheduledJobs": 5,
        "enabled": 4,
        "disabled": 1,
        "pending": {"critical": 0, "high": 0, "normal": 0, "low": 0},
        "retrying": 1,
        "processing": 1,
        "deadLetters": 1,
        "processed": 2,
        "succeeded": 1,
        "failed": 1,
        "successRate": 0.5,
    }
    assert {key: found[key] for key in expected} == expected


def test_the_exit_code_of_health_is_that_of_the_threshold(scheduledjob: CommandLine) -> None:
    assert scheduledjob("health").startswith("ok: 1 run failed in the last 24 hours\n")
    text = scheduledjob("health", "--degraded-above=0", code=1)
    assert text.startswith("degraded: 1 run failed in the last 24 hours, which is more than 0\n")
    assert [line.split()[:2] for line in text.splitlines()[4:]] == [["hopeless", "Healthy=False"]]


def test_the_operator_knows_of_them_too(scheduledjob: CommandLine, operator: Operator) -> None:
    def health() -> dict[str, Any]:
        pods = operator.pods()
        assert len(pods) == 1, pods  # an earlier one may still be ending
        path = f"/api/v1/namespaces/{operator.namespace}/pods/{pods[0]}:8080/proxy/health"
        # Other namespaces may be busy, and it counts over all of them.
        found: dict[str, Any] = json.loads(operator.cluster.kubectl("get", f"--raw={path}").stdout)
        assert found["status"] != "standby"
        least = {"scheduledJobs": 5, "running": 1, "pending": 1, "failuresLast24h": 1, "deadLetters": 1}
        assert {key: number for key, number in least.items() if found[key] < number} == {}
        return found

    found = wait_until(health, timeout=20, describe="the operator counts what is in the namespace")
    assert found["status"] == ("degraded" if found["failuresLast24h"] > 5 else "ok")
