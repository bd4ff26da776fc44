"""Runs that failed for good: they stay until a retry succeeds or somebody clears them."""

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

SLOT = "2026-01-01T00:00:00Z"
ONLY_A_RETRY_SUCCEEDS = """
import os, sys
print(os.environ["SCHEDULEDJOB_SLOT"], flush=True)
sys.exit(os.environ["SCHEDULEDJOB_TRIGGER"] != "Retry")
"""
RETRY = {"limit": 1, "backoff": {"initial": "1s"}}
SPECS: dict[str, dict[str, Any]] = {
    "passing": {"command": ["python", "-c", ONLY_A_RETRY_SUCCEEDS], "retry": RETRY},
    "hopeless": {"command": ["sh", "-c", "exit 3"], "retry": RETRY},
    "repaired": {"handler": "sleep", "retry": RETRY},
    "cleared": {"command": ["sh", "-c", "exit 64"], "retry": RETRY},
    "without-retries": {"command": ["sh", "-c", "exit 3"]},
}
REQUESTS: dict[str, dict[str, Any]] = {
    "passing": {"slot": SLOT, "requestedBy": "alice"},
    "repaired": {"args": {"name": "the one who asked"}},
}


@pytest.fixture(scope="module")
def jobs(cluster: Cluster, operator: Operator) -> Iterator[dict[str, ScheduledJob]]:
    """A run of each has been asked for."""
    namespace = cluster.create_namespace(f"dead-letters-{secrets.token_hex(3)}", labels=RESTRICTED)
    jobs = {name: ScheduledJob(cluster, namespace, name) for name in SPECS}
    for name, job in jobs.items():
        job.apply(**SPECS[name])
    for job in jobs.values():
        job.wait_ready()
        job.annotate("run.first", REQUESTS.get(job.name, {"id": "1"}))
    yield jobs
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def first_run(job: ScheduledJob) -> dict[str, Any]:
    """The run that was asked for at the beginning, when it has failed."""

    def runs() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = job.status.get("recentRuns", [])
        return found

    return wait_until(runs, timeout=120, describe=f"a run of {job.name} has failed")[-1]


def test_a_run_becomes_a_dead_letter_after_its_last_attempt(jobs: dict[str, ScheduledJob]) -> None:
    job = jobs["passing"]
    run = first_run(job)
    assert len(run["attempts"]) == 2
    (letter,) = job.status["deadLetters"]
    assert letter == {
        "id": run["id"],
        "run": run["id"],
        "slot": SLOT,
        "trigger": "Manual",
        "requestedBy": "alice",
        "attempts": 2,
        "result": "Failed",
        "reason": "ExitCode",
        "exitCode": 1,
        "message": SLOT,
        "time": run["endTime"],
        "overridden": False,
    }
    assert len(job.wait_event("DeadLetter")) == 1


def test_a_retry_of_it_has_the_same_slot_and_its_success_takes_it_away(jobs: dict[str, ScheduledJob]) -> None:
    job = jobs["passing"]
    letter = first_run(job)["id"]
    answer = job.ask("retry", {"run": letter, "requestedBy": "bob"})
    assert answer["outcome"] == "Accepted", answer
    run = job.wait_run(answer["id"])
    assert (run["trigger"], run["retryOf"], run["requestedBy"]) == ("Retry", letter, "bob")
    assert (run["result"], run["slot"]) == ("Succeeded", SLOT)
    assert job.log(run["jobName"]).strip() == SLOT
    assert job.status["deadLetters"] == []


def test_a_retry_has_the_arguments_that_the_run_had(jobs: dict[str, ScheduledJob]) -> None:
    job = jobs["repaired"]
    run = first_run(job)
    assert (run["exitCode"], len(run["attempts"])) == (65, 1)  # sleep takes no name
    (letter,) = job.status["deadLetters"]
    assert letter["overridden"] is True
    job.patch(handler="hello")
    job.wait_ready()
    again = job.wait_run(job.ask("retry", letter["id"])["id"])
    assert again["value"] == {"greeting": "Hello, the one who asked!"}
    assert job.status["deadLetters"] == []


def test_a_retry_that_fails_leaves_one_dead_letter_which_knows_all_attempts(
    jobs: dict[str, ScheduledJob],
) -> None:
    job = jobs["hopeless"]
    letter = first_run(job)["id"]
    run = job.wait_run(job.ask("retry", letter)["id"])
    (entry,) = job.status["deadLetters"]
    assert (entry["id"], entry["run"], entry["attempts"]) == (letter, run["id"], 4)
    assert (entry["trigger"], entry["time"]) == ("Manual", run["endTime"])


def test_an_unknown_one_is_refused_and_those_that_exist_are_named(jobs: dict[str, ScheduledJob]) -> None:
    job = jobs["cleared"]
    letter = first_run(job)["id"]
    answer = job.ask("retry", "nobody")
    says = f"there is no dead letter nobody: there is {letter}"
    assert (answer["outcome"], answer["message"]) == ("Refused", says)
    assert f"retry: {says}" in job.wait_event("RequestRefused", says=says)
    assert len(job.status["recentRuns"]) == 1


def test_one_that_is_cleared_is_gone_and_the_run_stays_in_the_record(jobs: dict[str, ScheduledJob]) -> None:
    job = jobs["cleared"]
    letter = first_run(job)["id"]
    answer = job.ask("clear", "all")
    assert (answer["outcome"], answer["message"]) == ("Accepted", "1 dead letter cleared")
    assert job.status["deadLetters"] == []
    assert [run["id"] for run in job.status["recentRuns"]] == [letter]
    assert "there are no dead letters" in job.ask("retry", letter)["message"]


def test_without_retries_there_are_no_dead_letters(jobs: dict[str, ScheduledJob]) -> None:
    job = jobs["without-retries"]
    assert first_run(job)["result"] == "Failed"
    assert job.status["deadLetters"] == []
