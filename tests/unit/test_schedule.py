"""When a schedule runs. The moments of the tables come from the tests of Kubernetes' own cron library."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scheduledjob_operator.cron.zones import zone_names
from scheduledjob_operator.schedule import Schedule
from tests.unit.moments import NOON
from tests.unit.test_schedule_text import EXPRESSIONS

NEW_YORK = "America/New_York"


def utc(text: str) -> datetime:
    """An instant from ISO 8601, in UTC where the text names no offset."""
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


# The tables of robfig/cron v3.0.1, spec_test.go


@pytest.mark.parametrize(
    ("expression", "at", "runs"),
    [
        ("0/15 * * * *", "2012-07-09T15:00", True),
        ("0/15 * * * *", "2012-07-09T15:40", False),
        ("5/15 * * * *", "2012-07-09T15:50", True),
        ("0/15 * * Jul *", "2012-07-15T15:00", True),
        ("0/15 * * Jun *", "2012-07-15T15:00", False),
        ("30 08 ? Jul Sun", "2012-07-15T08:30", True),
        ("30 08 15 Jul ?", "2012-07-16T08:30", False),
        ("@hourly", "2012-07-09T15:04", False),
        ("@weekly", "2012-07-08T00:00", True),
        ("@weekly", "2012-07-08T01:00", False),
        ("@monthly", "2012-07-01T00:00", True),
        # Both days restricted: one is enough.
        ("* * 1,15 * Sun", "2012-07-15T00:00", True),
        ("* * 1,15 * Sun", "2012-06-15T00:00", True),
        ("* * 1,15 * Sun", "2012-08-01T00:00", True),
        ("* * */10 * Sun", "2012-07-15T00:00", True),
        # One of them a star: both must fit.
        ("* * * * Mon", "2012-07-15T00:00", False),
        ("* * 1,15 * *", "2012-07-09T00:00", False),
        ("* * */2 * Sun", "2012-07-15T00:00", True),
    ],
)
def test_a_minute_is_a_run_or_not(expression: str, at: str, runs: bool) -> None:
    second_before = utc(at) - timedelta(seconds=1)
    assert (Schedule.parse(expression).next_after(second_before) == (utc(at),)) == runs


@pytest.mark.parametrize(
    ("expression", "time_zone", "after", "expected"),
    [
        ("0/15 * * * *", "UTC", "2012-07-09T14:59:59", "2012-07-09T15:00"),
        ("20-35/15 * * * *", "UTC", "2012-07-09T23:45", "2012-07-10T00:20"),
        ("20-35/15 10-12 * * *", "UTC", "2012-07-09T23:35:51", "2012-07-10T10:20"),
        ("20-35/15 1/2 */2 * *", "UTC", "2012-07-09T23:35:51", "2012-07-11T01:20"),
        ("0 0 9 Apr-Oct ?", "UTC", "2012-07-09T23:35", "2012-08-09T00:00"),
        ("0 0 */5 Apr,Aug,Oct Mon", "UTC", "2012-07-09T23:35", "2012-08-01T00:00"),
        ("0 0 */5 Oct Mon", "UTC", "2012-07-09T23:35", "2012-10-01T00:00"),
        ("0 0 * Feb Mon", "UTC", "2012-07-09T23:35", "2013-02-04T00:00"),
        ("0 0 * Feb Mon/2", "UTC", "2012-07-09T23:35", "2013-02-01T00:00"),
        ("* * * * *", "UTC", "2012-12-31T23:59:45", "2013-01-01T00:00"),
        ("0 0 29 Feb ?", "UTC", "2012-07-09T23:35", "2016-02-29T00:00"),
        ("14 14 * * *", "Asia/Kolkata", "2016-01-03T13:09:03+05:30", "2016-01-03T14:14+05:30"),
        # The clocks of New York go forward: 02:30 is skipped, an hourly job is not.
        ("30 2 11 Mar ?", NEW_YORK, "2012-03-11T00:00-05:00", "2013-03-11T02:30-04:00"),
        ("0 * * * ?", NEW_YORK, "2012-03-11T01:00-05:00", "2012-03-11T03:00-04:00"),
        ("0 1 * * ?", NEW_YORK, "2012-03-11T01:00-05:00", "2012-03-12T01:00-04:00"),
        ("0 2 * * ?", NEW_YORK, "2012-03-11T00:00-05:00", "2012-03-12T02:00-04:00"),
        # They go back: 01:00 runs twice, and so does an hourly job.
        ("30 2 04 Nov ?", NEW_YORK, "2012-11-04T00:00-04:00", "2012-11-04T02:30-05:00"),
        ("30 1 04 Nov ?", NEW_YORK, "2012-11-04T01:45-04:00", "2012-11-04T01:30-05:00"),
        ("0 * * * ?", NEW_YORK, "2012-11-04T01:00-04:00", "2012-11-04T01:00-05:00"),
        ("0 1 * * ?", NEW_YORK, "2012-11-04T00:00-04:00", "2012-11-04T01:00-04:00"),
        ("0 1 * * ?", NEW_YORK, "2012-11-04T01:00-04:00", "2012-11-04T01:00-05:00"),
        ("0 1 * * ?", NEW_YORK, "2012-11-04T01:00-05:00", "2012-11-05T01:00-05:00"),
        ("0 2 * * ?", NEW_YORK, "2012-11-04T00:00-04:00", "2012-11-04T02:00-05:00"),
        ("0 3 3 * ?", NEW_YORK, "2012-11-04T00:00-04:00", "2012-12-03T03:00-05:00"),
        # A midnight that does not exist.
        ("0 9 10 * ?", "America/Sao_Paulo", "2018-10-17T05:00-04:00", "2018-11-10T06:00-05:00"),
        ("0 9 22 * ?", "America/Sao_Paulo", "2018-02-14T05:00-05:00", "2018-02-22T07:00-05:00"),
    ],
)
def test_the_next_run_is_the_one_of_the_library_of_kubernetes(
    expression: str, time_zone: str, after: str, expected: str
) -> None:
    assert Schedule.parse(expression, time_zone=time_zone).next_after(utc(after)) == (utc(expected),)


# What Kubernetes does and nobody expects


def runs_of(expression: str, *, time_zone: str, after: str, count: int) -> list[str]:
    """The next runs on the zone's own clock."""
    found = Schedule.parse(expression, time_zone=time_zone).next_after(utc(after), count=count)
    return [run.astimezone(ZoneInfo(time_zone)).strftime("%a %d %H:%M %z") for run in found]


def test_a_saturday_job_also_runs_on_a_sunday_whose_midnight_is_skipped() -> None:
    assert runs_of("30 1 * * SAT", time_zone="America/Santiago", after="2025-09-05T00:00Z", count=3) == [
        "Sat 06 01:30 -0400",
        "Sun 07 01:30 -0300",
        "Sat 13 01:30 -0300",
    ]


def test_a_friday_job_does_not_run_on_a_friday_whose_midnight_is_skipped() -> None:
    schedule = Schedule.parse("* 12 * * FRI", time_zone="Africa/Cairo")
    week_before = utc("2025-04-18T12:59+02:00")
    assert schedule.next_after(week_before) == (utc("2025-05-02T12:00+03:00"),)
    assert schedule.latest_at_or_before(utc("2025-04-28"), not_before=utc("2025-04-01")) == week_before


def test_lord_howe_has_no_midnight_run_on_the_day_after_the_clocks_go_forward() -> None:
    assert runs_of("0 0 * * *", time_zone="Australia/Lord_Howe", after="2025-10-04T00:00Z", count=3) == [
        "Sun 05 00:00 +1030",
        "Tue 07 00:00 +1100",
        "Wed 08 00:00 +1100",
    ]


def test_the_day_that_samoa_left_out_has_no_run() -> None:
    assert runs_of("0 12 * * *", time_zone="Pacific/Apia", after="2011-12-28T00:00Z", count=3) == [
        "Wed 28 12:00 -1000",
        "Thu 29 12:00 -1000",
        "Sat 31 12:00 +1400",
    ]


def test_a_day_that_is_left_out_does_not_end_the_search_for_days() -> None:
    assert runs_of("0 3 1 * SUN", time_zone="Pacific/Apia", after="2011-12-29T00:00Z", count=2) == [
        "Sun 01 03:00 +1400",
        "Sun 08 03:00 +1400",
    ]


# The interface


def test_runs_are_in_utc_and_strictly_after_the_instant() -> None:
    schedule = Schedule.parse("0 13 * * *", time_zone="Europe/Berlin")
    runs = schedule.next_after(NOON, count=2)
    assert runs == (NOON + timedelta(days=1), NOON + timedelta(days=2))
    assert all(run.tzinfo is UTC for run in runs)
    assert schedule.next_after(NOON - timedelta(microseconds=1)) == (NOON,)
    assert schedule.next_after(NOON.astimezone(timezone(timedelta(hours=9)))) == runs[:1]


def test_there_are_fewer_runs_than_asked_for_when_the_next_is_more_than_five_years_away() -> None:
    schedule = Schedule.parse("0 0 29 2 *")
    assert schedule.next_after(utc("2095-01-01"), count=5) == (utc("2096-02-29"),)
    assert schedule.next_after(utc("2097-01-01"), count=5) == ()
    assert schedule.latest_at_or_before(utc("2103-01-01"), not_before=utc("2097-01-01")) is None


def test_slots_leave_the_start_out_and_take_the_end_in() -> None:
    schedule = Schedule.parse("*/15 * * * *")
    quarter = timedelta(minutes=15)
    assert schedule.slots_between(NOON, NOON + 2 * quarter, limit=10) == (NOON + quarter, NOON + 2 * quarter)
    assert schedule.slots_between(NOON, NOON + 2 * quarter, limit=1) == (NOON + quarter,)
    assert schedule.slots_between(NOON, NOON, limit=10) == ()
    assert schedule.slots_between(NOON, NOON + timedelta(days=1), limit=0) == ()


def test_the_latest_slot_may_be_the_instant_itself_but_not_the_bound() -> None:
    schedule = Schedule.parse("0 12 * * *")
    day = timedelta(days=1)
    assert schedule.latest_at_or_before(NOON, not_before=NOON - day) == NOON
    assert schedule.latest_at_or_before(NOON - timedelta(seconds=1), not_before=NOON - 2 * day) == NOON - day
    assert schedule.latest_at_or_before(NOON - timedelta(seconds=1), not_before=NOON - day) is None
    assert schedule.latest_at_or_before(NOON, not_before=NOON) is None
    assert schedule.latest_at_or_before(NOON, not_before=NOON + day) is None


@pytest.mark.parametrize("expression", ["* * * * *", "* * * 1 *", "0 3 * * 1"])
def test_the_latest_slot_is_found_across_years(expression: str) -> None:
    schedule = Schedule.parse(expression, time_zone="Europe/Berlin")
    latest = schedule.latest_at_or_before(NOON, not_before=utc("1970-01-01"))
    assert latest is not None
    assert schedule.next_after(latest)[0] > NOON
    assert schedule.next_after(latest - timedelta(seconds=1)) == (latest,)


def test_an_instant_without_a_zone_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="aware"):
        Schedule.parse("@daily").next_after(datetime(2026, 11, 22))  # noqa: DTZ001


@pytest.mark.parametrize("time_zone", ["Etc/UTC", "Pacific/Kiritimati", "Etc/GMT+12", "Europe/Berlin"])
def test_the_ends_of_the_calendar_are_no_trouble(time_zone: str) -> None:
    schedule = Schedule.parse("0 0 1 1 *", time_zone=time_zone)
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert schedule.next_after(last) == ()
    assert schedule.next_after(first)[0].year in {1970, 1971}
    assert len(schedule.slots_between(first, last, limit=3)) == 3
    assert schedule.latest_at_or_before(utc("2050-06-01"), not_before=first) is not None
    assert schedule.latest_at_or_before(last, not_before=utc("9985-01-01")) is not None


# Whatever the schedule


INSTANTS = st.datetimes(datetime(1995, 1, 1), datetime(2045, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
ZONES = st.sampled_from(
    ["Etc/UTC", "Europe/Berlin", NEW_YORK, "America/Santiago", "Africa/Cairo", "Australia/Lord_Howe"]
) | st.sampled_from(sorted(zone_names()))


@given(EXPRESSIONS, ZONES, INSTANTS)
def test_runs_follow_each_other_and_each_leads_to_the_next(expression: str, zone: str, at: datetime) -> None:
    schedule = Schedule.parse(expression, time_zone=zone)
    runs = schedule.next_after(at, count=6)
    assert all(earlier < later for earlier, later in zip((at, *runs), runs, strict=False))
    assert all(run.second == 0 for run in runs)
    if runs:
        assert schedule.next_after(runs[0], count=5) == runs[1:]


@settings(max_examples=300)
@given(EXPRESSIONS, ZONES, INSTANTS, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_the_latest_slot_is_the_last_of_the_slots(
    expression: str, zone: str, end: datetime, span: timedelta
) -> None:
    schedule = Schedule.parse(expression, time_zone=zone)
    slots = schedule.slots_between(end - span, end, limit=500)
    assume(len(slots) < 500)
    assert schedule.latest_at_or_before(end, not_before=end - span) == (slots[-1] if slots else None)


CHANGES = st.sampled_from(
    [
        ("Europe/Berlin", "2026-03-29"),
        ("Europe/Berlin", "2026-10-25"),
        (NEW_YORK, "2026-03-08"),
        (NEW_YORK, "2026-11-01"),
        ("Australia/Lord_Howe", "2025-10-05"),
        ("Australia/Lord_Howe", "2026-04-05"),
        ("Africa/Cairo", "2025-04-25"),
        ("Africa/Cairo", "2025-10-31"),
        ("America/Santiago", "2025-09-07"),
        ("Pacific/Apia", "2011-12-30"),
    ]
)
COMMON = st.sampled_from(
    ["* * * * *", "*/30 * * * *", "@daily", "0 2 * * *", "30 1 * * SAT", "15 0-4 1,5 * FRI"]
)
HOURS = st.integers(0, 96).map(lambda hours: timedelta(hours=hours, minutes=hours * 7 % 60))


@settings(max_examples=100)
@given(EXPRESSIONS | COMMON, CHANGES, HOURS, HOURS)
def test_as_many_runs_are_counted_around_a_clock_change_as_there_are_slots(
    expression: str, change: tuple[str, str], before: timedelta, after: timedelta
) -> None:
    zone, day = change
    schedule = Schedule.parse(expression, time_zone=zone)
    start, end = utc(day) - before, utc(day) + after
    assert schedule.count_between(start, end) == len(schedule.slots_between(start, end, limit=20_000))


@settings(max_examples=150)
@given(EXPRESSIONS | COMMON, ZONES, INSTANTS, st.timedeltas(timedelta(0), timedelta(days=4000)))
def test_as_many_runs_are_counted_as_there_are_slots(
    expression: str, zone: str, start: datetime, span: timedelta
) -> None:
    schedule = Schedule.parse(expression, time_zone=zone)
    slots = schedule.slots_between(start, start + span, limit=500)
    end = slots[-1] if len(slots) == 500 else start + span
    assert schedule.count_between(start, end) == len(slots)


@pytest.mark.parametrize(
    ("expression", "time_zone", "start", "end", "expected"),
    [
        ("* * * * *", "Europe/Berlin", "2026-01-01T00:00Z", "2027-01-01T00:00Z", 365 * 1440),
        ("0 2 * * *", "Europe/Berlin", "2026-03-28T00:00Z", "2026-03-29T22:00Z", 1),  # the 29th skips it
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:00Z", "2026-10-26T00:00Z", 2),  # repeated
        ("0 12 * * *", "Etc/UTC", "2026-11-21T12:00Z", "2026-11-22T12:00Z", 1),  # from outside, to inside
        ("0 12 * * *", "Etc/UTC", "2026-11-22T12:00Z", "2026-11-22T12:00Z", 0),
        ("0 12 * * *", "Etc/UTC", "2026-11-23T12:00Z", "2026-11-22T12:00Z", 0),
        ("0 12 13 * FRI", "Etc/UTC", "2026-11-01T00:00Z", "2026-12-01T00:00Z", 4),  # 6, 13, 20, 27
        ("30 1 * * SAT", "America/Santiago", "2025-09-05T00:00Z", "2025-09-14T00:00Z", 3),  # and a Sunday
        ("0 0 29 2 *", "Etc/UTC", "2090-01-01T00:00Z", "2110-01-01T00:00Z", 2),  # never found after 2096
    ],
)
def test_runs_are_counted(expression: str, time_zone: str, start: str, end: str, expected: int) -> None:
    schedule = Schedule.parse(expression, time_zone=time_zone)
    assert schedule.count_between(utc(start), utc(end)) == expected
