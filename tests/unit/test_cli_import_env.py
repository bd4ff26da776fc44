"""Schedules in env files become jobs, and no value of another variable is ever seen."""

from typing import Any

import pytest

from scheduledjob_operator.cli.importing.env import read_env
from scheduledjob_operator.cli.importing.findings import Draft, Remark
from scheduledjob_operator.cli.importing.manifests import Options


def specs(text: str, **options: str) -> dict[str, dict[str, Any]]:
    found = read_env(text, options=Options(**options))
    return {one.name: one.spec for one in found if isinstance(one, Draft)}


def remarks(text: str) -> list[str]:
    return [one.text for one in read_env(text, options=Options()) if isinstance(one, Remark)]


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("X_CRON=*/5 * * * *", {"schedule": "*/5 * * * *"}),
        ("export X_CRON='0 9 * * 1#2' # comment", {"schedule": "0 9 * * 1#2"}),
        ("X_CRON=0\t3  * * *", {"schedule": "0 3 * * *"}),
        ('X_CRON="*/10 * * * * *"', {"schedule": "*/10 * * * * *"}),
        ("X_SCHEDULE=@every 90s", {"every": "1m30s"}),
        ("X_CRON=@daily\nX_TIMEZONE=Asia/Tokyo", {"schedule": "@daily", "timeZone": "Asia/Tokyo"}),
        ("TZ=Asia/Tokyo\nX_CRON=@daily", {"schedule": "@daily", "timeZone": "Asia/Tokyo"}),
        ("JOB_X_INTERVAL_SECONDS=300", {"every": "5m"}),
        ("JOB_X_INTERVAL_MS=5000", {"every": "5s"}),
        ("X_INTERVAL=2h\nX_ENABLED=on", {"every": "2h"}),
        ("X_CRON=@daily\nX_ENABLED=0", {"enabled": False, "schedule": "@daily"}),
        ("X_CRON=@daily\nX_TIMEOUT=5m", {"schedule": "@daily", "timeout": "5m"}),
        ("X_CRON=@daily\nX_TIMEOUT_MINUTES=5", {"schedule": "@daily", "timeout": "5m"}),
        ("X_CRON=@daily\nX_MAX_RETRIES=2", {"schedule": "@daily", "retry": {"limit": 2}}),
        ("X_CRON=@daily\nCRON_ENABLED=false", {"enabled": False, "schedule": "@daily"}),
        ("X_CRON=@hourly\r\nX_CRON=@daily\r\n", {"schedule": "@daily"}),
        ("X_CRON=@daily\rX_TIMEOUT=5m\r", {"schedule": "@daily", "timeout": "5m"}),
        ("JOB_X_ENABLED=false\nX_CRON=@daily", {"enabled": False, "schedule": "@daily"}),
        ("X_CRON=@daily\nJOB_X_CRON=@daily", {"schedule": "@daily"}),
        ("TZ=\nX_CRON=@daily", {"schedule": "@daily"}),
    ],
)
def test_a_prefix_with_a_schedule_is_a_job(text: str, spec: dict[str, Any]) -> None:
    assert specs(text) == {"x": {**spec, "handler": "x"}}


@pytest.mark.parametrize(
    "text", ["HTTP_TIMEOUT=5", "POLL_INTERVAL_SECONDS=5", "A_ENABLED=true", "_CRON=@daily", "__CRON=@daily"]
)
def test_what_may_be_for_something_else_makes_no_job(text: str) -> None:
    assert specs(text) == {}
    assert text.partition("=")[0] in remarks(text)[0]


@pytest.mark.parametrize(
    "text",
    [
        "URL=postgres://hunter2",
        "KEY='-----BEGIN\nhunter2\n-----END'",
        "KEY='hunter2",
        "KEY='a' hunter2",
        "hunter2",
        "JOB_X_PASSWORD=hunter2",
        "X_CRON='* * * * *\nDB=hunter2 # it'",
        "X_CRON=@daily\nX_TZ='\nDB=hunter2\n'",
        "A=hunter2\nA=hunter2",
        'A="\\"hunter2"',
    ],
)
def test_no_value_is_in_any_sentence(text: str) -> None:
    found = list(read_env(text, options=Options()))
    assert found
    assert "hunter2" not in repr(found)


def test_a_switch_for_all_jobs_is_named() -> None:
    (remark,) = remarks("BACKGROUND_JOBS_ENABLED=true\nX_CRON=@daily")
    assert "scheduledjob.dev/suspend" in remark


def test_a_number_without_a_unit_is_said_to_be_seconds() -> None:
    assert remarks("X_CRON=@daily\nX_TIMEOUT=90") == [
        "X_TIMEOUT does not say of what: it is read as seconds, 1m30s"
    ]


def test_a_switch_that_is_neither_on_nor_off_is_an_error_and_switches_off() -> None:
    text = "JOBS_ENABLED=maybe\nX_CRON=@daily"
    (remark,) = (one for one in read_env(text, options=Options()) if isinstance(one, Remark))
    assert remark.malformed
    assert specs(text)["x"]["enabled"] is False


def test_what_goes_by_a_zone_that_is_none_is_not_imported() -> None:
    text = "TZ=Berlin\nX_CRON=@daily\nJOB_Y_EVERY=5m\nZ_CRON=@daily\nZ_TZ=Asia/Tokyo"
    assert specs(text).keys() == {"y", "z"}
    assert specs(text, time_zone="Asia/Tokyo").keys() == {"x", "y", "z"}


def test_a_handler_keeps_a_name_that_is_longer_than_a_scheduled_jobs() -> None:
    prefix = "_".join(["PART"] * 20)
    (spec,) = specs(f"{prefix}_CRON=@daily").values()
    assert spec["handler"] == prefix.lower().replace("_", "-")
    assert specs(f"{prefix}_{prefix}_CRON=@daily") == {}
