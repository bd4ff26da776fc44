"""What a handler is told about its run, from the variables of its pod."""

import logging
import time
from datetime import UTC, datetime, timedelta

import pytest

from job_runner import Cancelled, ConfigurationError, Context
from job_runner.context import context_from
from job_runner.supervision import Cause, Supervisor
from tests.waiting import wait_until

NOW = datetime(2026, 11, 22, 3, 35, 7, tzinfo=UTC)
SLOT = datetime(2026, 11, 22, 3, 35, tzinfo=UTC)


def supervisor(timeout: float | None = None) -> Supervisor:
    return Supervisor(timeout=timeout, grace=30, started=time.monotonic(), insist=lambda _: None)


def context(**environment: str) -> Context:
    variables = {f"SCHEDULEDJOB_{name}": value for name, value in environment.items()}
    return context_from(variables, supervisor(), handler="sync", now=NOW)


SLOTS = {
    "of a native run is in its job's name": (
        {"NAME": "sync", "JOB_NAME": "sync-29921975", "SLOT": "", "TRIGGER": ""},
        SLOT,
        "Schedule",
    ),
    "of a job the operator made is in its annotation": (
        {"NAME": "sync", "JOB_NAME": "sync-1795318500", "SLOT": "2026-11-22T03:35:00Z", "TRIGGER": "Retry"},
        SLOT,
        "Retry",
    ),
    "is brought to UTC": (
        {"NAME": "sync", "JOB_NAME": "x", "SLOT": "2026-11-22T04:35:00+01:00"},
        SLOT,
        "Schedule",
    ),
    "is none for a job a person made": (
        {"NAME": "sync", "JOB_NAME": "sync-manual-1", "SLOT": ""},
        None,
        "Manual",
    ),
    "is none for a name that only looks like it": (
        {"NAME": "sync", "JOB_NAME": "sync-prices-29921975", "SLOT": ""},
        None,
        "Manual",
    ),
    "is none for the name of another second": (
        {"NAME": "sync", "JOB_NAME": "sync-1795318500", "SLOT": ""},
        None,
        "Manual",
    ),
    "is none when the annotation is nonsense": (
        {"NAME": "sync", "JOB_NAME": "x", "SLOT": "noon"},
        None,
        "Manual",
    ),
    "is none on a laptop": ({}, None, "Manual"),
}


@pytest.mark.parametrize(("environment", "slot", "trigger"), SLOTS.values(), ids=SLOTS)
def test_the_slot(environment: dict[str, str], slot: datetime | None, trigger: str) -> None:
    told = context(**environment)
    assert (told.slot, told.trigger) == (slot, trigger)


@pytest.mark.parametrize(
    ("text", "attempt"), [("", None), ("2", 2), ("two", None), ("-1", None), ("²", None)]
)
def test_the_attempt(text: str, attempt: int | None) -> None:
    assert context(ATTEMPT=text).attempt == attempt


def test_an_annotation_that_is_ignored_is_warned_of_without_its_value(
    caplog: pytest.LogCaptureFixture,
) -> None:
    context(SLOT="secretly", ATTEMPT="secretly")
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "secretly" not in caplog.text


def test_the_rest_is_as_the_pod_has_it() -> None:
    told = context(
        NAME="portfolio-sync",
        NAMESPACE="trading",
        POD_NAME="portfolio-sync-29921975-x7k2p",
        JOB_NAME="portfolio-sync-29921975",
        TIME_ZONE="Europe/Berlin",
    )
    assert (told.name, told.namespace) == ("portfolio-sync", "trading")
    assert told.pod_name == "portfolio-sync-29921975-x7k2p"
    assert told.job_name == "portfolio-sync-29921975"
    assert told.slot is not None
    assert told.slot.astimezone(told.time_zone).hour == 4
    assert context().name == "sync"
    assert context().time_zone.key == "Etc/UTC"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "", "\x00"])
def test_a_time_zone_that_is_none(zone: str) -> None:
    if zone == "":
        assert context(TIME_ZONE=zone).time_zone.key == "Etc/UTC"
        return
    with pytest.raises(ConfigurationError, match="is not a time zone this image knows"):
        context(TIME_ZONE=zone)


def test_the_deadline_and_what_remains() -> None:
    unlimited = context_from({}, supervisor(), handler="sync", now=NOW)
    assert unlimited.deadline is None
    assert unlimited.remaining_seconds is None
    limited = context_from({}, supervisor(60), handler="sync", now=NOW)
    assert limited.deadline is not None
    assert timedelta(seconds=59) < limited.deadline - NOW <= timedelta(seconds=60)
    assert limited.remaining_seconds is not None
    assert 59 < limited.remaining_seconds <= 60
    over = context_from({}, supervisor(-1), handler="sync", now=NOW)
    assert over.remaining_seconds == 0


def test_raise_if_cancelled_raises_what_no_careless_except_swallows() -> None:
    told = context()
    told.raise_if_cancelled()
    told.supervisor.start()
    try:
        with told.supervisor.uninterrupted():
            told.supervisor.cancel(Cause.SIGTERM)
            wait_until(lambda: told.cancelled)
            with pytest.raises(Cancelled):
                told.raise_if_cancelled()
    finally:
        told.supervisor.stop()
    assert not issubclass(Cancelled, Exception)
