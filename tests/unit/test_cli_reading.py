"""The verbs that read: `runs`, `stats` and `health`."""

import json
from datetime import timedelta
from typing import Any

import pytest
import yaml
from click.testing import Result

from scheduledjob_operator import models
from scheduledjob_operator.cli.scheduled_jobs import Named
from scheduledjob_operator.models import Condition, Counts, Run, ScheduledJobStatus, Trigger
from tests.unit import fake_scheduled_jobs
from tests.unit.asking import active, letter, pending
from tests.unit.fake_scheduled_jobs import FakeScheduledJobs
from tests.unit.moments import NOON
from tests.unit.named import named

READY = Condition(type="Ready", status="True", reason="Reconciled", last_transition_time=NOON)
FAILED = models.Result.FAILED


def ended(id_: str, *, minutes_ago: float = 1, **given: Any) -> Run:
    end = NOON - timedelta(minutes=minutes_ago)
    fields: dict[str, Any] = {
        "trigger": Trigger.SCHEDULE,
        "result": models.Result.SUCCEEDED,
        "reason": "Completed",
        "start_time": end - timedelta(seconds=10),
        "end_time": end,
        "duration_seconds": 10.0,
    }
    return Run(id=id_, job_name=id_, **{**fields, **given})


def failures(count: int, *, lost: int = 0, **given: Any) -> ScheduledJobStatus:
    runs = [
        ended(f"sync-{number}", minutes_ago=number, result=FAILED, reason="ExitCode", exit_code=3)
        for number in range(count)
    ]
    counts = Counts(failed=count + lost)
    return ScheduledJobStatus(**{"conditions": [READY], "recent_runs": runs, "counts": counts, **given})


BUSY = named(
    status=ScheduledJobStatus(
        conditions=[READY],
        active=[active("sync-3").model_copy(update={"start_time": NOON - timedelta(minutes=3)})],
        active_count=1,
        pending=[pending("sync-4").model_copy(update={"since": NOON - timedelta(minutes=4)})],
        recent_runs=[
            ended("sync-2", result=FAILED, reason="ExitCode", exit_code=3, message="line one\nline two"),
            ended("sync-1", minutes_ago=2),
        ],
        dead_letters=[letter()],
    )
)
ELSEWHERE = named("clean-up", namespace="bank", status=failures(1))


def called(*arguments: str, jobs: tuple[Any, ...] = (BUSY, ELSEWHERE)) -> Result:
    return fake_scheduled_jobs.called(FakeScheduledJobs(*(job.body for job in jobs)), *arguments)


def column(result: Result, name: str) -> list[str]:
    """The cells of a column of a table."""
    assert result.exit_code == 0, result.output
    header, *lines = result.stdout.splitlines()
    start = header.index(name)
    return [line[start:].split("   ")[0].strip() for line in lines]


# runs


def test_the_runs_of_a_namespace_are_listed() -> None:
    result = called("runs")
    assert column(result, "RUN") == ["sync-2", "sync-1", "sync-3", "sync-4"]
    assert column(result, "RESULT") == ["Failed", "Succeeded", "Running", "Pending"]
    assert "NAMESPACE" not in result.stdout


def test_the_runs_of_all_namespaces_are_listed_with_their_namespace() -> None:
    result = called("runs", "-A")
    assert set(column(result, "NAMESPACE")) == {"shop", "bank"}
    assert set(column(result, "SCHEDULEDJOB")) == {"sync", "clean-up"}


def test_the_runs_of_one_scheduled_job_are_listed() -> None:
    assert column(called("runs", "clean-up", "--namespace", "bank"), "RUN") == ["sync-0"]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--running",), ["sync-3"]),
        (("--result", "Failed"), ["sync-2"]),
        (("--result", "failed, pending"), ["sync-2", "sync-4"]),
        (("--running", "--result", "Failed"), ["sync-2", "sync-3"]),
        (("--result", "TimedOut"), []),
        (("--limit", "2"), ["sync-2", "sync-1"]),
    ],
)
def test_runs_are_chosen(options: tuple[str, ...], found: list[str]) -> None:
    result = called("runs", *options, "-o", "json")
    assert [entry["id"] for entry in json.loads(result.stdout)] == found


def test_it_says_when_there_are_more_than_it_shows() -> None:
    assert called("runs", "--limit", "3").stderr == "3 of 4 runs; more with --limit.\n"
    assert called("runs", "--limit", "4").stderr == ""


def test_where_there_is_none_it_says_so() -> None:
    result = called("runs", jobs=())
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No runs found.\n")


def test_one_run_is_printed_whole() -> None:
    result = called("runs", "sync", "sync-2")
    found = yaml.safe_load(result.stdout)
    assert found["state"] == found["result"] == "Failed"
    assert (found["namespace"], found["scheduledJob"], found["exitCode"]) == ("shop", "sync", 3)
    assert "message: |-\n  line one\n  line two" in result.stdout
    assert json.loads(called("runs", "sync", "sync-2", "-o", "json").stdout) == found


def test_the_tail_of_a_log_is_shown_in_lines_in_whatever_language() -> None:
    tail = "Größe fehlt\n日本語"
    job = named(status=ScheduledJobStatus(recent_runs=[ended("sync-1", result=FAILED, message=tail)]))
    result = called("runs", "sync", "sync-1", jobs=(job,))
    assert "message: |-\n  Größe fehlt\n  日本語\n" in result.stdout
    job.body["status"]["recentRuns"][0]["message"] = "Größe\n\x1b[2Jfehlt"
    assert "\x1b" not in called("runs", "sync", "sync-1", jobs=(job,)).stdout


def test_a_run_that_waits_says_so_beside_what_its_last_attempt_came_to() -> None:
    assert yaml.safe_load(called("runs", "sync", "sync-4").stdout)["state"] == "Pending"


def test_an_unknown_run_names_what_there_is() -> None:
    result = called("runs", "sync", "sync-9")
    assert result.exit_code == 1
    assert result.stderr == "Error: sync has no run sync-9. It has: sync-2, sync-1, sync-3, sync-4.\n"


def test_of_many_runs_the_newest_are_named() -> None:
    many = named(status=failures(12))
    assert called("runs", "sync", "sync-99", jobs=(many,)).stderr.endswith("sync-9 and 2 more.\n")
    none = named(status=ScheduledJobStatus())
    assert called("runs", "sync", "x", jobs=(none,)).stderr == "Error: sync has no run x, and no other one.\n"


def test_what_a_newer_operator_wrote_about_one_run_does_not_hide_the_others() -> None:
    body = ELSEWHERE.body
    strange = {**body["status"]["recentRuns"][0], "id": "sync-7", "trigger": "Telepathy"}
    status = {**body["status"], "recentRuns": [strange, *body["status"]["recentRuns"]]}
    newer = Named.of({**body, "status": status})
    assert column(called("runs", "-A", jobs=(newer, BUSY)), "NAMESPACE") == ["bank", *["shop"] * 4]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--result", "Lost"), "'Lost' is none of Running, Pending, Retrying, Succeeded, Failed, TimedOut"),
        (("--result", ""), "'' is none of"),
        (("sync", "-A"), "leave out NAME or --all-namespaces"),
        (("--limit", "0"), "0 is not in the range x>=1"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: tuple[str, ...], sentence: str) -> None:
    result = called("runs", *arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr


# stats


def test_the_numbers_are_printed_for_people() -> None:
    lines = called("stats").stdout.splitlines()
    assert [line.split("  ")[0] for line in lines] == [
        "ScheduledJobs",
        "Scheduled",
        "Pending",
        "Retrying",
        "Processing",
        "Dead letters",
        "Processed",
        "Success rate",
        "Average duration",
        "Cancelled",
        "Slots without run",
    ]
    assert lines[0].endswith("  1 (1 enabled, 0 disabled, 0 suspended)")
    assert lines[2].endswith("  1 (critical 0, high 0, normal 1, low 0)")
    assert lines[7].endswith("  <none>")


def test_the_numbers_are_printed_as_data() -> None:
    found = json.loads(called("stats", "-A", "-o", "json").stdout)
    assert (found["scheduledJobs"], found["deadLetters"], found["failed"]) == (2, 1, 1)
    assert found["pending"]["normal"] == 1
    assert (found["successRate"], found["averageDurationSeconds"]) == (0.0, 10.0)
    assert yaml.safe_load(called("stats", "-A", "-o", "yaml").stdout) == found


# health


@pytest.mark.parametrize(
    ("options", "code"),
    [((), 0), (("--degraded-above", "1"), 0), (("--degraded-above", "0"), 1)],
)
def test_the_exit_code_says_whether_it_is_degraded(options: tuple[str, ...], code: int) -> None:
    for form in ((), ("-o", "json"), ("-o", "yaml")):
        assert called("health", *options, *form).exit_code == code


def test_where_there_are_none_it_is_ok_and_it_says_so() -> None:
    result = called("health", jobs=())
    assert (result.exit_code, result.stderr) == (0, "No ScheduledJobs found.\n")
    assert called("health").stderr == ""


def test_the_first_line_says_it_all() -> None:
    first = called("health").stdout.splitlines()[0]
    assert first == "ok: 1 run failed in the last 24 hours"
    six = called("health", jobs=(named(status=failures(6)),)).stdout.splitlines()[0]
    assert six == "degraded: 6 runs failed in the last 24 hours, which is more than 5"


def test_failures_that_the_ledger_has_lost_may_have_been_of_today() -> None:
    first = called("health", jobs=(named(status=failures(2, lost=9)),)).stdout.splitlines()[0]
    assert first == "ok: at least 2 runs failed in the last 24 hours (history.runs keeps no more of them)"


def test_those_in_trouble_are_listed_with_reason_and_message() -> None:
    healthy = Condition(
        type="Healthy",
        status="False",
        reason="Failing",
        message="sync-1 failed:\n" + "very " * 100,
        last_transition_time=NOON,
    )
    refused = Condition(
        type="Ready", status="False", reason="InvalidSpec", message="no", last_transition_time=NOON
    )
    jobs = (
        named("failing", status=failures(1, conditions=[READY, healthy])),
        named("refused", status=ScheduledJobStatus(conditions=[refused])),
        named("new"),
    )
    lines = called("health", jobs=jobs).stdout.splitlines()
    assert lines[1] == "3 ScheduledJobs, 1 unhealthy, 2 not ready; running 0, pending 0, dead letters 0"
    assert [line.split()[:3] for line in lines[3:]] == [
        ["SCHEDULEDJOB", "CONDITION", "REASON"],
        ["failing", "Healthy=False", "Failing"],
        ["new", "Ready=Unknown", "NotSeen"],
        ["refused", "Ready=False", "InvalidSpec"],
    ]
    assert "sync-1 failed: very" in lines[4]
    assert lines[4].endswith("very …")
    found = json.loads(called("health", "-o", "json", jobs=jobs).stdout)
    assert found["unhealthyJobs"] == [
        {"namespace": "shop", "scheduledJob": "failing", "reason": "Failing", "message": healthy.message}
    ]
    assert [entry["scheduledJob"] for entry in found["notReadyJobs"]] == ["new", "refused"]
    assert (found["status"], found["unhealthy"], found["notReady"]) == ("ok", 1, 2)
