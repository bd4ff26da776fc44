"""A job is late when none of its runs has succeeded in time, until one does."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduledjob_operator.models import (
    PendingReason,
    Result,
    ScheduledJobStatus,
    Trigger,
)
from scheduledjob_operator.models.policies import Expect
from tests.unit.moments import NOON, after_noon
from tests.unit.watched_health import (
    HOUR,
    LONG_AGO,
    TEN_MINUTES,
    WITHIN_A_DAY,
    Watched,
    active,
    failed,
    letter,
    look,
    pending,
    run,
    status,
)


def test_a_job_that_never_ran_and_should_have_is_late() -> None:
    seen = status(last_run=None, last_success_time=None, scheduled_since=NOON)
    assert look(seen, expect=WITHIN_A_DAY, now=after_noon(24 * HOUR))[0].reason == "NeverRan"
    condition, _ = look(seen, expect=WITHIN_A_DAY, now=after_noon(24 * HOUR + 1))
    assert (condition.reason, condition.message) == ("Late", "no run succeeded within 24h: none ever did")


def test_a_failing_job_that_is_late_as_well_says_both() -> None:
    condition, _ = look(failed(1), expect=WITHIN_A_DAY, now=after_noon(25 * HOUR))
    assert condition.message == (
        "sync-1 failed at 2026-11-22T12:00:00Z (ExitCode, exit code 3); 1 failure; "
        "no run succeeded within 24h: the last one that did ended at 2026-11-22T12:00:00Z"
    )


def test_it_is_late_a_moment_after_the_time_that_was_expected_and_looked_at_then() -> None:
    due = after_noon(24 * HOUR)
    condition, again = look(status(), expect=WITHIN_A_DAY, now=due)
    assert (condition.reason, again) == ("Succeeding", due + timedelta(seconds=1))
    condition, again = look(status(), expect=WITHIN_A_DAY, now=due + timedelta(seconds=1))
    assert (condition.status, condition.reason, again) == ("False", "Late", None)
    assert condition.message == (
        "no run succeeded within 24h: the last one that did ended at 2026-11-22T12:00:00Z"
    )


BASELINES = [
    # last success, scheduled since, late after
    (NOON, LONG_AGO, after_noon(24 * HOUR)),
    (LONG_AGO, NOON, after_noon(24 * HOUR)),
    (None, NOON, after_noon(24 * HOUR)),
    (NOON, after_noon(HOUR), after_noon(25 * HOUR)),
]


@pytest.mark.parametrize(("success", "since", "late_after"), BASELINES)
def test_the_time_is_counted_from_the_last_success_or_from_when_the_schedule_came_into_force(
    success: datetime | None, since: datetime, late_after: datetime
) -> None:
    seen = status(last_success_time=success, scheduled_since=since)
    _, again = look(seen, expect=WITHIN_A_DAY, now=after_noon(HOUR))
    assert again == late_after + timedelta(seconds=1)


def test_a_schedule_that_is_held_back_does_not_become_late() -> None:
    held = status(scheduled_since=None)
    assert look(held, expect=WITHIN_A_DAY, now=after_noon(99 * HOUR)) == look(held, now=after_noon(99 * HOUR))


CATCHING_UP = [
    (status(pending=[pending()]), "Succeeding"),
    (status(active=[active(trigger=Trigger.CATCH_UP)]), "Succeeding"),
    (status(pending=[pending(attempt=2, reason=PendingReason.BACKOFF)]), "Late"),
    (status(active=[active(trigger=Trigger.CATCH_UP, attempt=2)]), "Late"),
    (status(pending=[pending(trigger=Trigger.BACKFILL)]), "Late"),
    (status(active=[active()]), "Late"),
]


@pytest.mark.parametrize(("seen", "reason"), CATCHING_UP)
def test_it_does_not_become_late_while_a_missed_slot_is_about_to_be_made_up_for(
    seen: ScheduledJobStatus, reason: str
) -> None:
    assert look(seen, expect=WITHIN_A_DAY, now=after_noon(25 * HOUR))[0].reason == reason


CLOCK_CHANGES = [
    # zone, last success and late after by the wall: of a day whose clock goes back, all 25 hours
    ("Etc/UTC", (2026, 10, 24, 12), (2026, 10, 25, 12)),
    ("Europe/Berlin", (2026, 10, 23, 12), (2026, 10, 24, 12)),
    ("Europe/Berlin", (2026, 10, 24, 12), (2026, 10, 25, 12)),
    ("America/New_York", (2026, 10, 31, 12), (2026, 11, 1, 12)),
    ("Australia/Lord_Howe", (2026, 4, 4, 12), (2026, 4, 5, 12)),
    (
        "Europe/Berlin",
        (2026, 3, 28, 12),
        (2026, 3, 29, 13),
    ),  # 23 hours of day: a day is expected all the same
]


@pytest.mark.parametrize(("zone", "success", "late_after"), CLOCK_CHANGES)
def test_a_day_is_expected_by_the_clock_on_the_wall_and_never_sooner_than_a_day(
    zone: str, success: tuple[int, ...], late_after: tuple[int, ...]
) -> None:
    ended = datetime(*success, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[misc,arg-type]
    due = datetime(*late_after, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[misc,arg-type]
    seen = status(last_success_time=ended, scheduled_since=ended)
    assert look(seen, expect=WITHIN_A_DAY, time_zone=zone, now=due)[0].reason == "Succeeding"
    late = due + timedelta(seconds=1)
    assert look(seen, expect=WITHIN_A_DAY, time_zone=zone, now=late)[0].reason == "Late"


def test_late_stays_through_failures_pauses_and_resumes_and_ends_with_a_success() -> None:
    job = Watched(WITHIN_A_DAY)
    assert job.sees(status(), now=0) == "Succeeding"
    assert job.sees(status(), now=24 * HOUR + 1) == "Late"
    first = job.condition
    assert job.sees(status(scheduled_since=None), now=30 * HOUR) == "Late"
    assert job.sees(status(scheduled_since=after_noon(40 * HOUR)), now=40 * HOUR) == "Late"
    assert job.sees(status(pending=[pending()]), now=41 * HOUR) == "Late"
    assert job.sees(status(last_run=run(result=Result.CANCELLED)), now=42 * HOUR) == "Late"
    assert job.condition == first
    assert job.sees(failed(1, scheduled_since=after_noon(40 * HOUR)), now=43 * HOUR) == "Failing"
    succeeded = status(last_success_time=after_noon(44 * HOUR), scheduled_since=None)
    assert job.sees(succeeded, now=44 * HOUR) == "Succeeding"
    assert job.sees(succeeded, now=99 * HOUR) == "Succeeding"


def test_late_stays_though_the_condition_had_been_false_for_another_reason_before() -> None:
    job = Watched(WITHIN_A_DAY)
    assert job.sees(status(dead_letters=[letter("a")]), now=-HOUR) == "DeadLetters"
    assert job.sees(status(dead_letters=[letter("a")]), now=0) == "DeadLetters"
    assert job.sees(status(), now=25 * HOUR) == "Late"  # not noticed before; its success is newer than False
    assert job.sees(status(scheduled_since=after_noon(26 * HOUR)), now=26 * HOUR) == "Late"
    assert job.sees(status(last_success_time=after_noon(27 * HOUR)), now=27 * HOUR) == "Succeeding"


def test_late_ends_when_nothing_is_expected_any_more_or_less() -> None:
    job = Watched(WITHIN_A_DAY)
    for other in (None, TEN_MINUTES, Expect(success_within=timedelta(hours=48))):
        job.expect = WITHIN_A_DAY
        assert job.sees(status(), now=25 * HOUR) == "Late"
        job.expect = other
        assert job.sees(status(), now=25 * HOUR) == "Succeeding"
