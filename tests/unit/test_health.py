"""The condition `Healthy`: failing, dead letters, late, slow, and how each of them ends."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduledjob_operator.health import healthy
from scheduledjob_operator.models import (
    ActiveRun,
    Condition,
    DeadLetter,
    PendingReason,
    PendingRun,
    Result,
    Run,
    ScheduledJobStatus,
    Trigger,
)
from scheduledjob_operator.models.policies import Expect
from tests.unit.moments import NOON, after_noon

HOUR = 3600
LONG_AGO = after_noon(-1000 * HOUR)
WITHIN_A_DAY = Expect(success_within=timedelta(hours=24))
TEN_MINUTES = Expect(max_duration=timedelta(minutes=10))
BOTH = Expect(success_within=timedelta(hours=24), max_duration=timedelta(minutes=10))


def run(
    name: str = "sync-1",
    *,
    end: datetime = NOON,
    seconds: float | None = 60,
    result: Result = Result.SUCCEEDED,
    **fields: Any,
) -> Run:
    return Run(
        id=name,
        job_name=name,
        trigger=Trigger.SCHEDULE,
        result=result,
        reason=fields.pop("reason", "Completed"),
        end_time=end,
        duration_seconds=seconds,
        **fields,
    )


def active(name: str = "sync-2", *, start: datetime = NOON, **fields: Any) -> ActiveRun:
    return ActiveRun(id=name, job_name=name, start_time=start, **{"trigger": Trigger.SCHEDULE, **fields})


def pending(
    name: str = "sync-3", *, reason: PendingReason = PendingReason.CATCH_UP, **fields: Any
) -> PendingRun:
    return PendingRun(
        id=name,
        job_name=name,
        reason=reason,
        due_time=NOON,
        since=NOON,
        **{"trigger": Trigger.CATCH_UP, **fields},
    )


def letter(name: str) -> DeadLetter:
    return DeadLetter(
        id=name,
        run=name,
        trigger=Trigger.SCHEDULE,
        attempts=3,
        result=Result.FAILED,
        reason="ExitCode",
        time=NOON,
    )


def status(**fields: Any) -> ScheduledJobStatus:
    """One that ran well at noon and has been scheduled for long, but for `fields`."""
    return ScheduledJobStatus(
        **{"last_run": run(), "last_success_time": NOON, "scheduled_since": LONG_AGO, **fields}
    )


def failed(count: int, **fields: Any) -> ScheduledJobStatus:
    last = run(result=Result.FAILED, reason="ExitCode", exit_code=3)
    return status(**{"last_run": last, "consecutive_failures": count, **fields})


def look(
    seen: ScheduledJobStatus,
    *,
    expect: Expect | None = None,
    previous: Condition | None = None,
    now: datetime = NOON,
    time_zone: str = "Etc/UTC",
) -> tuple[Condition, datetime | None]:
    return healthy(status=seen, previous=previous, expect=expect, time_zone=time_zone, generation=4, now=now)


class Watched:
    """One ScheduledJob whose condition is looked at again and again."""

    def __init__(self, expect: Expect | None = None) -> None:
        self.expect = expect
        self.condition: Condition | None = None

    def sees(self, seen: ScheduledJobStatus, *, now: float) -> str:
        """The reason, so many seconds after noon."""
        self.condition, _ = look(seen, expect=self.expect, previous=self.condition, now=after_noon(now))
        return self.condition.reason


# What it says

SAYS: list[tuple[ScheduledJobStatus, tuple[str, str, str]]] = [
    (
        status(last_run=None, last_success_time=None),
        ("Unknown", "NeverRan", "no run has succeeded or failed yet"),
    ),
    (
        status(last_run=run(result=Result.CANCELLED), last_success_time=None),
        ("Unknown", "NeverRan", "no run has succeeded or failed yet"),
    ),
    (status(), ("True", "Succeeding", "no run has failed since the last success")),
    (
        status(last_run=run(result=Result.CANCELLED)),
        ("True", "Succeeding", "no run has failed since the last success"),
    ),
    (
        failed(1),
        ("False", "Failing", "sync-1 failed at 2026-11-22T12:00:00Z (ExitCode, exit code 3); 1 failure"),
    ),
    (
        failed(3, last_run=run(result=Result.TIMED_OUT, reason="DeadlineExceeded")),
        (
            "False",
            "Failing",
            "sync-1 timed out at 2026-11-22T12:00:00Z (DeadlineExceeded); 3 failures in a row",
        ),
    ),
    (
        failed(
            2,
            last_run=run("sync-9", result=Result.CANCELLED),
            recent_runs=[
                run("sync-9", result=Result.CANCELLED),
                run("sync-8", result=Result.FAILED, reason="OOMKilled", exit_code=137),
            ],
        ),
        (
            "False",
            "Failing",
            "sync-8 failed at 2026-11-22T12:00:00Z (OOMKilled, exit code 137); 2 failures in a row",
        ),
    ),
    (failed(2, last_run=None), ("False", "Failing", "2 failures in a row")),
    (
        status(dead_letters=[letter("a")]),
        ("False", "DeadLetters", "1 run failed for good: retry or clear them"),
    ),
    (
        status(dead_letters=[letter("a"), letter("b")], dead_letters_dropped=7),
        (
            "False",
            "DeadLetters",
            "2 runs failed for good, and 7 older of them are no longer listed: retry or clear them",
        ),
    ),
    (status(dead_letters_dropped=7), ("True", "Succeeding", "no run has failed since the last success")),
]


@pytest.mark.parametrize(("seen", "expected"), SAYS)
def test_the_condition_says_how_the_runs_went(
    seen: ScheduledJobStatus, expected: tuple[str, str, str]
) -> None:
    condition, look_again = look(seen)
    assert (condition.status, condition.reason, condition.message) == expected
    assert (condition.type, condition.observed_generation) == ("Healthy", 4)
    assert condition.last_transition_time == NOON
    assert look_again is None


def test_of_several_troubles_the_first_one_is_named() -> None:
    later = after_noon(25 * HOUR)
    letters, slow = [letter("a")], [active()]
    everything = failed(1, dead_letters=letters, active=slow)
    assert look(everything, expect=BOTH, now=later)[0].reason == "Failing"
    assert look(status(dead_letters=letters, active=slow), expect=BOTH, now=later)[0].reason == "DeadLetters"
    assert look(status(active=slow), expect=BOTH, now=later)[0].reason == "Late"
    assert look(status(active=slow), expect=TEN_MINUTES, now=later)[0].reason == "Slow"


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


def test_the_error_of_a_run_is_not_repeated() -> None:
    seen = failed(1, last_run=run(result=Result.FAILED, reason="ExitCode", message="pa55word", value="v4lue"))
    message = look(seen)[0].message
    assert "pa55word" not in message
    assert "v4lue" not in message


# Late


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


# Slow


def test_a_run_that_takes_too_long_makes_it_slow_while_it_runs() -> None:
    seen = status(active=[active()])
    condition, again = look(seen, expect=TEN_MINUTES, now=after_noon(600))
    assert (condition.reason, again) == ("Succeeding", after_noon(601))
    condition, again = look(seen, expect=TEN_MINUTES, now=after_noon(601))
    assert (condition.status, condition.reason, again) == ("False", "Slow", None)
    assert condition.message == "sync-2 takes longer than 10m"


def test_a_run_that_waits_for_its_next_attempt_still_takes_its_time() -> None:
    waiting = pending(reason=PendingReason.BACKOFF, attempt=2, start_time=NOON, trigger=Trigger.SCHEDULE)
    condition, _ = look(status(pending=[waiting]), expect=TEN_MINUTES, now=after_noon(601))
    assert (condition.reason, condition.message) == ("Slow", "sync-3 takes longer than 10m")
    assert (
        look(status(pending=[pending()]), expect=TEN_MINUTES, now=after_noon(601))[0].reason == "Succeeding"
    )


def test_of_several_slow_runs_the_oldest_is_named() -> None:
    seen = status(active=[active("old"), active("new", start=after_noon(60))])
    condition, _ = look(seen, expect=TEN_MINUTES, now=after_noon(900))
    assert condition.message == "old takes longer than 10m"


def test_a_run_that_took_too_long_makes_it_slow() -> None:
    condition, _ = look(status(last_run=run(seconds=725.4)), expect=TEN_MINUTES)
    assert (condition.reason, condition.message) == ("Slow", "sync-1 took 725s, longer than 10m")
    assert look(status(last_run=run(seconds=600)), expect=TEN_MINUTES)[0].reason == "Succeeding"
    assert look(status(last_run=run(seconds=725.4)), expect=WITHIN_A_DAY)[0].reason == "Succeeding"


def test_slow_stays_until_a_run_that_ended_later_was_quick() -> None:
    job = Watched(TEN_MINUTES)
    assert job.sees(status(last_run=run(seconds=700)), now=0) == "Slow"
    first = job.condition
    cancelled = run("sync-2", result=Result.CANCELLED, end=after_noon(60), seconds=5)
    assert job.sees(status(last_run=cancelled), now=60) == "Slow"
    unknown = run("sync-3", end=after_noon(90), seconds=None)
    assert job.sees(status(last_run=unknown), now=90) == "Slow"
    assert job.condition == first
    quick = run("sync-4", end=after_noon(120), seconds=5)
    assert job.sees(status(last_run=quick), now=120) == "Succeeding"
    assert job.sees(status(last_run=cancelled), now=180) == "Succeeding"


def test_slow_stays_though_the_condition_had_been_false_for_another_reason_before() -> None:
    job = Watched(TEN_MINUTES)
    assert job.sees(status(dead_letters=[letter("a")]), now=-60) == "DeadLetters"
    long = active(start=after_noon(-700))
    assert job.sees(status(active=[long]), now=0) == "Slow"
    ended = run("sync-2", result=Result.CANCELLED, end=after_noon(10), seconds=710)
    assert job.sees(status(last_run=ended), now=10) == "Slow"
    assert job.sees(status(last_run=run(end=after_noon(20), seconds=5)), now=20) == "Succeeding"


def test_slow_ends_when_nothing_is_expected_of_the_duration_any_more() -> None:
    job = Watched(TEN_MINUTES)
    assert job.sees(status(last_run=run(seconds=700)), now=0) == "Slow"
    job.expect = WITHIN_A_DAY
    assert job.sees(status(last_run=run(seconds=700)), now=0) == "Succeeding"


# The clock


def test_the_sooner_of_late_and_slow_is_the_next_look() -> None:
    _, again = look(status(active=[active()]), expect=BOTH, now=NOON)
    assert again == after_noon(601)
    _, again = look(status(active=[active()]), expect=BOTH, now=after_noon(700))
    assert again == after_noon(24 * HOUR + 1)


def test_the_condition_is_as_old_as_its_status_not_as_its_reason() -> None:
    job = Watched(TEN_MINUTES)
    job.sees(failed(1), now=0)
    job.sees(status(last_run=run(seconds=700)), now=60)
    assert job.condition is not None
    assert (job.condition.reason, job.condition.last_transition_time) == ("Slow", NOON)
    job.sees(status(), now=120)
    assert (job.condition.reason, job.condition.last_transition_time) == ("Succeeding", after_noon(120))


SECONDS = st.integers(min_value=-100 * HOUR, max_value=100 * HOUR)
STATUSES = st.builds(
    status,
    last_success_time=st.none() | SECONDS.map(after_noon),
    scheduled_since=st.none() | SECONDS.map(after_noon),
    consecutive_failures=st.integers(min_value=0, max_value=2),
    last_run=st.builds(
        run,
        seconds=st.sampled_from([None, 5, 700]),
        result=st.sampled_from([Result.SUCCEEDED, Result.FAILED]),
    ),
    active=st.lists(SECONDS.map(lambda start: active(start=after_noon(start))), max_size=2),
    pending=st.lists(st.just(pending()), max_size=1),
)


@given(STATUSES, SECONDS, st.integers(min_value=0, max_value=400 * HOUR))
def test_nothing_changes_by_time_alone_before_the_moment_that_was_foretold(
    seen: ScheduledJobStatus, start: int, seconds: int
) -> None:
    first, again = look(seen, expect=BOTH, now=after_noon(start))
    later = after_noon(start + seconds)
    assert again is None or again > after_noon(start)
    if again is None or later < again:
        assert look(seen, expect=BOTH, previous=first, now=later)[0] == first
