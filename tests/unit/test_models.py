"""The models: how durations and times are read and written, what is refused and in which words."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from scheduledjob_operator.models import ScheduledJobSpec, ScheduledJobStatus
from scheduledjob_operator.models.types import format_duration, format_time, parse_duration, parse_time
from tests.unit.moments import NOON

MINIMAL = {"schedule": "@daily", "handler": "sync"}


def spec(**fields: Any) -> ScheduledJobSpec:
    return ScheduledJobSpec.model_validate({**MINIMAL, **fields})


def complaint(**fields: Any) -> str:
    """What the model says about a spec that it refuses."""
    with pytest.raises(ValidationError) as caught:
        spec(**fields)
    return "; ".join(
        f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in caught.value.errors()
    )


# Durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("5m", 300),
        ("1h30m", 5400),
        ("1h0m1s", 3601),
        ("100m", 6000),
        ("720h", 2_592_000),
        ("0s", 0),
        ("007s", 7),
    ],
)
def test_a_duration_is_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "5 m",
        "5M",
        "m",
        "1.5h",
        "-5m",
        "+5m",
        "5m1h",
        "5m5m",
        "1d",
        "500ms",
        " 5m",
        "5m\n",
        "\u0665m",  # an Arabic five
        "9999999999h",
        None,
        90,
    ],
)
def test_what_is_no_duration_is_refused_with_an_example(text: Any) -> None:
    with pytest.raises(ValueError, match="write a positive duration such as 90s, 5m or 1h30m"):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=10_000 * 3600))
def test_a_duration_that_is_written_is_read_back(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration


@given(st.integers(min_value=0, max_value=10_000 * 3600))
def test_a_duration_is_written_as_short_as_it_can_be(seconds: int) -> None:
    text = format_duration(timedelta(seconds=seconds))
    assert text == "0s" or not re.search(r"(?<!\d)0[hms]", text)


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_refused_in_words(text: str) -> None:
    try:
        assert parse_duration(text) >= timedelta()
    except ValueError as error:
        assert "is not a duration" in str(error)  # noqa: PT017  # either outcome is right


@pytest.mark.parametrize(
    ("field", "given_", "least", "most"),
    [
        ("timeout", "0s", "1s", "720h"),
        ("timeout", "721h", "1s", "720h"),
        ("timeout", "999999999h", "1s", "720h"),
        ("gracePeriod", "0s", "1s", "1h"),
        ("gracePeriod", "1h1s", "1s", "1h"),
        ("startingDeadline", "9s", "10s", "720h"),
    ],
)
def test_a_duration_out_of_its_bounds_is_refused_with_the_bounds(
    field: str, given_: str, least: str, most: str
) -> None:
    assert f"must be a duration from {least} to {most}: write for example" in complaint(**{field: given_})


def test_what_a_person_gave_is_not_repeated_in_the_complaint() -> None:
    """An env value or an argument could be in it."""
    with pytest.raises(ValidationError) as caught:
        spec(env=[{"name": "TOKEN", "value": ["hunter2"]}], args="hunter2", timeout="hunter2")
    assert "hunter2" not in str(caught.value)


# Times


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T12:00:00Z",
        "2026-11-22T13:00:00+01:00",
        "2026-11-22T12:00:00.000000Z",
        "2026-11-22 12:00:00Z",
    ],
)
def test_a_time_is_read_as_utc(text: str) -> None:
    assert parse_time(text) == NOON
    assert parse_time(text).tzinfo is UTC


@pytest.mark.parametrize("text", ["2026-11-22T12:00:00", "2026-11-22", datetime(2026, 11, 22, 12)])  # noqa: DTZ001
def test_a_time_without_a_zone_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="must name its zone"):
        parse_time(text)


@pytest.mark.parametrize("text", ["", "yesterday", "12:00", None, 5])
def test_what_is_no_time_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)


@given(
    st.datetimes(
        min_value=datetime(1970, 1, 2),  # noqa: DTZ001  # hypothesis adds the zone
        max_value=datetime(9990, 1, 1),  # noqa: DTZ001
        timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    )
)
def test_a_time_that_is_written_is_read_back_to_the_second(moment: datetime) -> None:
    assert parse_time(format_time(moment)) == moment.replace(microsecond=0)


# The spec


def test_a_spec_needs_a_schedule_and_something_to_run() -> None:
    read = spec()
    assert (read.schedule, read.handler) == ("@daily", "sync")
    assert read.enabled
    assert read.time_zone == "Etc/UTC"
    assert read.concurrency_policy == "Forbid"
    assert (read.timeout, read.grace_period) == (timedelta(hours=24), timedelta(seconds=30))
    assert (read.starting_deadline, read.retry.limit) == (timedelta(minutes=10), 0)
    assert read.retry.never_on_exit_codes == [64, 65, 78]
    assert (read.history.succeeded_jobs, read.history.failed_jobs, read.history.runs) == (3, 5, 20)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"every": "5m"}, "give one of schedule, every and at, or none of them"),
        ({"at": "2026-12-24T08:00:00"}, "must name its zone: write for example 2026-12-24T08:00:00Z"),
        ({"schedule": None, "every": "0s"}, "must be a duration from 1s to 8784h"),
        ({"queueDepth": 2}, "queueDepth is for concurrencyPolicy Queue"),
        ({"handler": None}, "give either handler or command, one of them and not both"),
        ({"command": ["true"]}, "give either handler or command, one of them and not both"),
        ({"command": [], "handler": None}, "at least 1 item"),
        (
            {"handler": None, "command": ["true"], "args": {"a": 1}},
            "args are for a handler: put the arguments of a command into command itself",
        ),
        ({"args": [1]}, "args: Input should be a valid dictionary"),
        ({"concurrencyPolicy": "Wait"}, "Input should be 'Allow', 'Forbid', 'Replace' or 'Queue'"),
        ({"priority": "urgent"}, "Input should be 'critical', 'high', 'normal' or 'low'"),
        ({"retry": {"limit": -1}}, "retry.limit: Input should be greater than or equal to 0"),
        ({"retry": {"limit": 101}}, "retry.limit: Input should be less than or equal to 100"),
        ({"retry": {"neverOnExitCodes": [0]}}, "retry.neverOnExitCodes.0"),
        ({"retry": {"neverOnExitCodes": [256]}}, "retry.neverOnExitCodes.0"),
        ({"history": {"succeededJobs": 0}}, "history.succeededJobs"),
        ({"history": {"runs": 101}}, "history.runs"),
        ({"env": [{"name": ""}]}, "env.0.name"),
        ({"command": ["x" * 4097], "handler": None}, "command.0"),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, dict) else "",
)
def test_a_bad_spec_is_refused_with_the_field_and_the_reason(fields: dict[str, Any], words: str) -> None:
    assert words in complaint(**fields)


def test_arguments_may_be_empty() -> None:
    assert spec(args={}).args == {}


def test_names_are_camel_case_in_yaml_and_snake_case_in_python() -> None:
    read = spec(timeZone="Europe/Berlin", envFrom=[{"secretRef": {"name": "s"}}], serviceAccountName="robot")
    assert read.time_zone == "Europe/Berlin"
    assert read.env_from[0].secret_ref == {"name": "s"}
    assert read == ScheduledJobSpec.model_validate(
        {
            **MINIMAL,
            "time_zone": "Europe/Berlin",
            "env_from": [{"secret_ref": {"name": "s"}}],
            "service_account_name": "robot",
        }
    )


def test_a_field_of_a_newer_version_is_ignored() -> None:
    assert spec(window={"from": "22:00"}) == spec()


def test_a_spec_is_frozen() -> None:
    read = spec()
    with pytest.raises(ValidationError, match="frozen"):
        read.enabled = False  # type: ignore[misc]  # this is what is tested
    with pytest.raises(ValidationError, match="frozen"):
        read.retry.limit = 3  # type: ignore[misc]


def test_a_spec_that_is_written_is_read_back() -> None:
    read = spec(
        timeout="1h30m",
        retry={"limit": 3},
        env=[{"name": "A", "value": ""}, {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}],
        resources={"limits": {"cpu": 1, "memory": "1Gi"}},
        podTemplate={"spec": {"nodeSelector": {"disk": "ssd"}}},
    )
    written = read.model_dump(by_alias=True, exclude_none=True, mode="json")
    assert written["timeout"] == "1h30m"
    assert ScheduledJobSpec.model_validate(written) == read


# The status


def test_the_status_of_a_new_scheduled_job_is_read() -> None:
    status = ScheduledJobStatus.model_validate({"observedGeneration": -1})
    assert status == ScheduledJobStatus()
    assert status.counts is None
    assert status.recent_runs == []


def test_a_status_that_is_written_is_read_back() -> None:
    written = {
        "observedGeneration": 3,
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "Reconciled",
                "message": "the CronJob is in sync",
                "observedGeneration": 3,
                "lastTransitionTime": "2026-11-22T12:00:00Z",
            }
        ],
        "nextRunTimes": ["2026-11-22T12:05:00Z"],
        "counts": {
            "succeeded": 1,
            "failed": 0,
            "timedOut": 2,
            "cancelled": 0,
            "retries": 4,
            "skipped": 5,
            "missed": 6,
            "unknown": 7,
        },
        "accountedUntil": "2026-11-22T12:00:00Z",
        "suspended": "Paused",
        "scheduledSince": "2026-11-01T00:00:00Z",
        "lastRun": {
            "id": "portfolio-sync-29921975",
            "jobName": "portfolio-sync-29921975",
            "slot": "2026-11-22T12:00:00Z",
            "trigger": "Schedule",
            "result": "TimedOut",
            "reason": "DeadlineExceeded",
            "exitCode": 124,
            "endTime": "2026-11-22T12:01:00Z",
            "durationSeconds": 59.5,
            "value": {"rows": [1, None]},
            "attempts": [{"number": 1, "podName": "p", "reason": "DeadlineExceeded"}],
        },
        "active": [
            {
                "id": "portfolio-sync-29921980",
                "jobName": "portfolio-sync-29921980-r2",
                "trigger": "Schedule",
                "startTime": "2026-11-22T12:05:00Z",
                "attempt": 2,
                "attempts": [{"number": 1, "exitCode": 70, "reason": "ExitCode"}],
            }
        ],
        "activeCount": 1,
        "pending": [
            {
                "id": "portfolio-sync-29921970",
                "jobName": "portfolio-sync-29921970",
                "slot": "2026-11-22T11:55:00Z",
                "trigger": "CatchUp",
                "reason": "CatchUp",
                "dueTime": "2026-11-22T12:06:00Z",
                "since": "2026-11-22T12:06:00Z",
                "attempt": 1,
                "attempts": [],
            }
        ],
        "consecutiveFailures": 2,
        "recentRuns": [],
        "unstarted": [
            {
                "result": "Missed",
                "reason": "NothingStartedIt",
                "count": 6,
                "first": "2026-11-22T11:00:00Z",
                "last": "2026-11-22T11:25:00Z",
            }
        ],
        "deadLetters": [
            {
                "id": "portfolio-sync-29921960",
                "trigger": "Schedule",
                "run": "portfolio-sync-29921960",
                "attempts": 3,
                "result": "Failed",
                "reason": "ExitCode",
                "time": "2026-11-22T11:31:00Z",
                "overridden": False,
            }
        ],
        "deadLettersDropped": 1,
        "requests": [
            {
                "annotation": "run",
                "id": "0123abcd",
                "outcome": "Accepted",
                "message": "it is run portfolio-sync-m0123abcd",
                "time": "2026-11-22T12:00:00Z",
            }
        ],
    }
    status = ScheduledJobStatus.model_validate(written)
    assert status.model_dump(by_alias=True, exclude_none=True, mode="json") == written
