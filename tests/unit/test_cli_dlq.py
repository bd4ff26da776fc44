"""`kubectl scheduledjob dlq`: dead letters in a table, tried again, forgotten."""

import json
from typing import Any

import pytest
import yaml

from tests.unit.bodies import NAME
from tests.unit.fake_scheduled_jobs import FakeScheduledJobs, called, scheduled_job
from tests.unit.moments import NOON, text


def letter(run: str, **given: Any) -> dict[str, Any]:
    return {
        "id": run,
        "run": run,
        "trigger": "Schedule",
        "attempts": 4,
        "result": "Failed",
        "reason": "ExitCode",
        "exitCode": 3,
        "time": text(NOON),
        **given,
    }


FIRST = letter("sync-1", message="Traceback:\n  line 1\nValueError: no \x1b[2Jrates\n\n")
SECOND = letter("sync-2", message="x" * 100)
OTHER = letter("report-1", result="TimedOut", reason="DeadlineExceeded")


@pytest.fixture
def jobs() -> FakeScheduledJobs:
    return FakeScheduledJobs(
        scheduled_job(status={"deadLetters": [SECOND, FIRST]}),
        scheduled_job("well"),
        scheduled_job("report", namespace="office", status={"deadLetters": [OTHER]}),
    )


def test_those_of_a_namespace_stand_in_a_table(jobs: FakeScheduledJobs) -> None:
    result = called(jobs, "dlq", "list")
    header, *rows = result.stdout.splitlines()
    assert header.split() == ["SCHEDULEDJOB", "RUN", "TIME", "RESULT", "REASON", "ATTEMPTS", "MESSAGE"]
    assert [row.split()[:7] for row in rows] == [
        [NAME, run, text(NOON), "Failed", "ExitCode", "3", "4"] for run in ("sync-2", "sync-1")
    ]
    assert rows[0].endswith(f" {'x' * 59}…")
    assert rows[1].endswith("   ValueError: no ?[2Jrates")


def test_those_of_all_namespaces_say_whose_they_are(jobs: FakeScheduledJobs) -> None:
    result = called(jobs, "dlq", "list", "-A")
    assert [row.split()[:3] for row in result.stdout.splitlines()] == [
        ["NAMESPACE", "SCHEDULEDJOB", "RUN"],
        ["office", "report", "report-1"],
        ["shop", NAME, "sync-2"],
        ["shop", NAME, "sync-1"],
    ]


def test_those_of_one_can_be_had_as_data(jobs: FakeScheduledJobs) -> None:
    expected = [
        {"namespace": "shop", "scheduledJob": NAME, **SECOND},
        {"namespace": "shop", "scheduledJob": NAME, **FIRST},
    ]
    assert json.loads(called(jobs, "dlq", "list", NAME, "-o", "json").stdout) == expected
    assert yaml.safe_load(called(jobs, "dlq", "list", NAME, "-o", "yaml").stdout) == expected
    assert json.loads(called(jobs, "dlq", "list", "well", "-o", "json").stdout) == []


def test_where_there_are_none_it_is_said(jobs: FakeScheduledJobs) -> None:
    for given in (["well"], ["--namespace", "elsewhere"]):
        result = called(jobs, "dlq", "list", *given)
        assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No dead letters.\n")


def test_a_name_is_in_one_namespace(jobs: FakeScheduledJobs) -> None:
    result = called(jobs, "dlq", "list", NAME, "-A")
    assert result.exit_code == 2
    assert "NAME is in one namespace: leave out NAME or --all-namespaces." in result.stderr


def test_one_or_all_are_tried_again(jobs: FakeScheduledJobs) -> None:
    result = called(jobs, "dlq", "retry", NAME, "sync-1")
    assert (result.exit_code, result.stdout) == (0, "1 dead letter will be tried again\n")
    assert [run.retry_of for run in jobs.status().pending] == ["sync-1"]
    again = called(jobs, "dlq", "retry", NAME, "--all")
    assert again.stdout == "1 dead letter will be tried again\n"
    assert {run.retry_of for run in (*jobs.status().pending, *jobs.status().active)} == {"sync-1", "sync-2"}


def test_one_or_all_are_forgotten(jobs: FakeScheduledJobs) -> None:
    result = called(jobs, "dlq", "clear", NAME, "sync-1")
    assert (result.exit_code, result.stdout) == (0, "1 dead letter cleared\n")
    assert [entry.id for entry in jobs.status().dead_letters] == ["sync-2"]
    assert called(jobs, "dlq", "clear", NAME, "--all").stdout == "1 dead letter cleared\n"
    refused = called(jobs, "dlq", "clear", NAME, "--all")
    assert (refused.exit_code, refused.stderr) == (
        1,
        "Error: The operator refused: there are no dead letters\n",
    )


@pytest.mark.parametrize("verb", ["retry", "clear"])
def test_which_one_has_to_be_said(verb: str, jobs: FakeScheduledJobs) -> None:
    for given in ([], ["sync-1", "--all"]):
        result = called(jobs, "dlq", verb, NAME, *given)
        assert (result.exit_code, jobs.annotations) == (2, [])
        assert "Give either RUN, the id of a dead letter, or --all." in result.stderr
    unknown = called(jobs, "dlq", verb, NAME, "nobody")
    assert unknown.exit_code == 1
    assert "there is no dead letter nobody: there are sync-1, sync-2" in unknown.stderr
    malformed = called(jobs, "dlq", verb, NAME, "No Body")
    assert malformed.exit_code == 2
    assert "that is not the id of a run" in malformed.stderr
