"""Runs in a row: what each is called, what it is in, and which comes first."""

from typing import Any

import pytest

from scheduledjob_operator.cli.run_list import COLUMNS, Listed, runs_of, shown_duration
from scheduledjob_operator.models import (
    ActiveRun,
    Attempt,
    PendingReason,
    PendingRun,
    Result,
    Run,
    ScheduledJobStatus,
    Trigger,
)
from scheduledjob_operator.models.types import parse_duration
from tests.unit.moments import NOON, after_noon
from tests.unit.named import named

MANUAL: dict[str, Any] = {"trigger": Trigger.MANUAL}


def ended(id_: str = "ended", **given: Any) -> Run:
    fields: dict[str, Any] = {
        "result": Result.SUCCEEDED,
        "reason": "Completed",
        "start_time": after_noon(-60),
        "end_time": after_noon(-50),
        "duration_seconds": 10.0,
    }
    return Run(id=id_, job_name=id_, **MANUAL, **{**fields, **given})


def active(id_: str = "active", **given: Any) -> ActiveRun:
    return ActiveRun(id=id_, job_name=id_, **{**MANUAL, "start_time": after_noon(-90), **given})


def waiting(id_: str = "waiting", **given: Any) -> PendingRun:
    fields = {"reason": PendingReason.QUEUED, "due_time": NOON, "since": after_noon(-10)}
    return PendingRun(id=id_, job_name=id_, **MANUAL, **{**fields, **given})


def listed(
    *,
    active: list[ActiveRun] | None = None,
    pending: list[PendingRun] | None = None,
    ended: list[Run] | None = None,
    **more: Any,
) -> list[Listed]:
    status = ScheduledJobStatus(active=active or [], pending=pending or [], recent_runs=ended or [], **more)
    return runs_of([named(status=status)])


def cells(run: ActiveRun | PendingRun | Run) -> dict[str, str]:
    (found,) = listed(
        active=[run] if isinstance(run, ActiveRun) else [],
        pending=[run] if isinstance(run, PendingRun) else [],
        ended=[run] if isinstance(run, Run) else [],
    )
    return dict(zip(COLUMNS, found.cells(now=NOON), strict=True))


ATTEMPT = Attempt(number=2, job_name="sync-9-r2", reason="ExitCode")
SHOWN: dict[str, tuple[ActiveRun | PendingRun | Run, dict[str, str]]] = {
    "succeeded": (
        ended(),
        {"RESULT": "Succeeded", "REASON": "Completed", "DURATION": "10s", "ATTEMPTS": "0"},
    ),
    "exit code": (
        ended(result=Result.FAILED, reason="ExitCode", exit_code=3, attempts=[ATTEMPT]),
        {"RESULT": "Failed", "REASON": "ExitCode 3", "ATTEMPTS": "2"},
    ),
    "other reason": (
        ended(result=Result.FAILED, reason="OOMKilled", exit_code=137),
        {"REASON": "OOMKilled"},
    ),
    "never started": (
        ended(result=Result.CANCELLED, start_time=None, duration_seconds=None),
        {"RESULT": "Cancelled", "STARTED": "<none>", "DURATION": "<none>"},
    ),
    "running": (
        active(requested_by="alice"),
        {
            "RESULT": "Running",
            "REASON": "<none>",
            "TRIGGER": "Manual",
            "STARTED": "2026-11-22T11:58:30Z",
            "DURATION": "1m30s",
            "ATTEMPTS": "1",
            "REQUESTED BY": "alice",
        },
    ),
    "running on a clock that is ahead": (active(start_time=after_noon(5)), {"DURATION": "0.0s"}),
    "stuck": (active(reason="ImagePullBackOff"), {"RESULT": "Running", "REASON": "ImagePullBackOff"}),
    "queued": (
        waiting(),
        {"RESULT": "Pending", "REASON": "Queued", "STARTED": "<none>", "ATTEMPTS": "0"},
    ),
    "retrying": (
        waiting(reason=PendingReason.BACKOFF, attempt=3, due_time=after_noon(90), start_time=NOON),
        {
            "RESULT": "Retrying",
            "REASON": "Backoff, due in 1m30s",
            "STARTED": "2026-11-22T12:00:00Z",
            "ATTEMPTS": "2",
        },
    ),
}


@pytest.mark.parametrize("case", SHOWN)
def test_a_run_is_shown_in_the_words_of_people(case: str) -> None:
    run, expected = SHOWN[case]
    assert cells(run).items() >= expected.items()


def test_the_newest_comes_first_whatever_it_is_in() -> None:
    found = listed(
        active=[active(start_time=after_noon(-30))],
        pending=[waiting(since=after_noon(-20)), waiting("retried", start_time=after_noon(-100))],
        ended=[ended(), ended("unseen", start_time=None, end_time=after_noon(-10))],
    )
    assert [entry.run.id for entry in found] == ["unseen", "waiting", "active", "ended", "retried"]


@pytest.mark.parametrize("name", ["sync-9", "sync-9-r3", "sync-9-r2"])
def test_a_run_is_found_by_its_id_and_by_its_jobs(name: str) -> None:
    (found,) = listed(
        ended=[ended("sync-9").model_copy(update={"job_name": "sync-9-r3", "attempts": [ATTEMPT]})]
    )
    assert found.is_called(name)
    assert not found.is_called("sync-90")


def test_all_that_was_written_is_told_what_a_newer_operator_wrote_too() -> None:
    job = named(status=ScheduledJobStatus(recent_runs=[ended()]))
    job.body["status"]["recentRuns"][0]["colour"] = "green"
    (found,) = runs_of([job])
    data = found.data()
    assert list(data)[:4] == ["namespace", "scheduledJob", "state", "id"]
    assert (data["state"], data["durationSeconds"], data["colour"]) == ("Succeeded", 10.0, "green")


def test_the_value_of_the_last_run_is_told_whole() -> None:
    small = ended("small", value={"rows": 1})
    (last, other) = listed(ended=[ended("last"), small], last_run=ended("last", value={"rows": [1, 2, 3]}))
    if last.run.id != "last":
        last, other = other, last
    assert (last.data()["value"], other.data()["value"]) == ({"rows": [1, 2, 3]}, {"rows": 1})


@pytest.mark.parametrize(
    ("text", "shown"), [("0s", "0.0s"), ("9s", "9.0s"), ("10s", "10s"), ("90s", "1m30s"), ("25h", "25h")]
)
def test_durations_are_short(text: str, shown: str) -> None:
    assert shown_duration(parse_duration(text)) == shown
