"""When a schedule runs that Kubernetes cannot fire, and what the clock changes of a zone do to it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduledjob_operator.cron.zones import clock_changes, load_zone
from scheduledjob_operator.schedule import Schedule
from tests.unit.moments import NOON
from tests.unit.test_schedule import utc
from tests.unit.wall_days import Written, slots_by_looking

BERLIN = "Europe/Berlin"
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def runs_of(expression: str, *, time_zone: str, after: str, count: int) -> list[str]:
    """The next runs on the zone's own clock."""
    found = Schedule.parse(expression, time_zone=time_zone).next_after(utc(after), count=count)
    return [run.astimezone(ZoneInfo(time_zone)).strftime("%a %d %H:%M:%S %z") for run in found]


# The policy, by example


def test_a_time_that_the_clocks_skip_runs_at_the_first_instant_after_the_gap() -> None:
    assert runs_of("15 30 2 * * *", time_zone=BERLIN, after="2026-03-28T00:00Z", count=3) == [
        "Sat 28 02:30:15 +0100",
        "Sun 29 03:00:00 +0200",
        "Mon 30 02:30:15 +0200",
    ]


def test_all_times_of_one_gap_are_made_up_for_by_one_run() -> None:
    assert runs_of("5 */20 2 * * *", time_zone=BERLIN, after="2026-03-28T22:00Z", count=2) == [
        "Sun 29 03:00:00 +0200",
        "Mon 30 02:00:05 +0200",
    ]


def test_a_run_after_the_gap_is_found_from_the_second_before_it() -> None:
    schedule = Schedule.parse("5 */20 2 * * *", time_zone=BERLIN)
    change = utc("2026-03-29T03:00+02:00")
    assert schedule.next_after(change - SECOND) == (change,)
    assert schedule.latest_at_or_before(change, not_before=change - SECOND) == change
    assert schedule.latest_at_or_before(change + DAY, not_before=change) == utc("2026-03-30T02:40:05+02:00")
    assert schedule.count_between(change - SECOND, change) == 1
    assert schedule.count_between(change, change + HOUR) == 0


def test_a_run_that_is_due_after_the_gap_is_not_doubled() -> None:
    assert runs_of("0,30 0 2-3 * * *", time_zone=BERLIN, after="2026-03-28T22:00Z", count=3) == [
        "Sun 29 03:00:00 +0200",
        "Sun 29 03:00:30 +0200",
        "Mon 30 02:00:00 +0200",
    ]


def test_a_time_that_comes_twice_runs_the_first_time_only() -> None:
    assert runs_of("15 30 2 * * *", time_zone=BERLIN, after="2026-10-24T10:00Z", count=2) == [
        "Sun 25 02:30:15 +0200",
        "Mon 26 02:30:15 +0100",
    ]


def test_a_schedule_for_every_hour_goes_on_in_the_hour_that_comes_twice() -> None:
    assert runs_of("30 20 * * * *", time_zone=BERLIN, after="2026-10-24T23:00Z", count=4) == [
        "Sun 25 01:20:30 +0200",
        "Sun 25 02:20:30 +0200",
        "Sun 25 02:20:30 +0100",
        "Sun 25 03:20:30 +0100",
    ]


def test_a_schedule_for_every_hour_adds_nothing_after_a_gap() -> None:
    assert runs_of("30 20 * * * *", time_zone=BERLIN, after="2026-03-29T00:00Z", count=2) == [
        "Sun 29 01:20:30 +0100",
        "Sun 29 03:20:30 +0200",
    ]


def test_every_other_second_is_every_other_second_in_all_of_the_year() -> None:
    schedule = Schedule.parse("*/2 * * * * *", time_zone=BERLIN)
    for change in clock_changes(load_zone(BERLIN), since=NOON, until=NOON + 400 * DAY):
        runs = schedule.next_after(change - 2 * HOUR, count=7200)
        assert {later - earlier for earlier, later in pairwise(runs)} == {2 * SECOND}


def test_the_day_that_samoa_left_out_is_made_up_for_at_its_end() -> None:
    assert runs_of("1 0 12 * * *", time_zone="Pacific/Apia", after="2011-12-29T00:00Z", count=3) == [
        "Thu 29 12:00:01 -1000",
        "Sat 31 00:00:00 +1400",
        "Sat 31 12:00:01 +1400",
    ]


def test_the_first_sunday_of_a_month_runs_where_midnight_is_skipped() -> None:
    assert runs_of("0 0 * * SUN#1", time_zone="America/Santiago", after="2026-08-20T00:00Z", count=2) == [
        "Sun 06 01:00:00 -0300",
        "Sun 04 00:00:00 -0300",
    ]


def test_a_year_of_seconds_is_counted_at_once() -> None:
    schedule = Schedule.parse("* * * * * *", time_zone=BERLIN)
    assert schedule.count_between(NOON, NOON + 365 * DAY) == 365 * 86400
    assert schedule.count_between(NOON - 40 * 365 * DAY, NOON) == 40 * 365 * 86400


@pytest.mark.parametrize("expression", ["1 0 0 1 1 *", "0 0 L 2 *", "0 0 * 2 THU#5"])
@pytest.mark.parametrize("time_zone", ["Etc/UTC", "Pacific/Kiritimati", "Etc/GMT+12", BERLIN])
def test_the_ends_of_the_calendar_are_no_trouble(expression: str, time_zone: str) -> None:
    schedule = Schedule.parse(expression, time_zone=time_zone)
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert schedule.next_after(last) == ()
    assert schedule.next_after(first)[0].year < 2000
    assert len(schedule.slots_between(first, last, limit=3)) == 3
    assert schedule.latest_at_or_before(last, not_before=first) is not None
    assert schedule.latest_at_or_before(first, not_before=first) is None
    assert schedule.count_between(first, last) > 200


def test_the_fifth_friday_of_february_is_found_decades_ahead() -> None:
    schedule = Schedule.parse("0 0 * 2 FRI#5")
    assert schedule.next_after(NOON, count=2) == (utc("2036-02-29"), utc("2064-02-29"))
    assert schedule.latest_at_or_before(NOON, not_before=utc("1980-01-01")) == utc("2008-02-29")


# Whatever the schedule: against the slow, obvious way

CHANGES = st.sampled_from(
    [
        (BERLIN, "2026-03-29"),
        (BERLIN, "2026-10-25"),
        ("America/New_York", "2026-03-08"),
        ("America/New_York", "2026-11-01"),
        ("Australia/Lord_Howe", "2025-10-04"),
        ("Australia/Lord_Howe", "2026-04-04"),
        ("America/Santiago", "2025-09-07"),
        ("America/Santiago", "2026-04-05"),
        ("Africa/Cairo", "2025-04-25"),
        ("Africa/Cairo", "2025-10-31"),
        ("Asia/Tehran", "2022-03-22"),
        ("Asia/Tehran", "2022-09-21"),
        ("Pacific/Apia", "2011-12-30"),
        ("Asia/Kathmandu", "1985-12-31"),  # at the turn of the year
        ("Pacific/Kwajalein", "1993-08-21"),
        ("Etc/UTC", "2026-06-30"),
    ]
)


def some(values: Sequence[int], *, most: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True).map(
        lambda found: tuple(sorted(found))
    )


def lists_of(*items: str) -> st.SearchStrategy[str]:
    return st.just("*") | st.lists(st.sampled_from(items), min_size=1, max_size=3, unique=True).map(",".join)


SECONDS = st.sampled_from([(0,), (0, 30), (1,), (7, 59)])
NIGHT = (23, 0, 1, 2, 3)
EVERY_HOUR = st.just(tuple(range(24)))
DAYS = lists_of("1", "7", "15", "25", "31", "L", "L-1", "L-6", "1W", "25W", "30W", "LW").map(
    lambda day: (day, "*")
) | lists_of("SUN", "FRI", "SUN#1", "SUN#4", "FRI#5", "SUNL", "FRIL", "SATL").map(
    lambda weekday: ("*", weekday)
)
WRITTEN = st.builds(
    lambda seconds, minutes, hours, days: Written(seconds, minutes, hours, *days),
    SECONDS,
    some(range(60), most=4) | st.just((0,)) | st.just(tuple(range(0, 60, 10))),
    st.one_of(some(range(24), most=3), some(NIGHT, most=3), some(NIGHT, most=3), EVERY_HOUR),
    st.one_of(st.just(("*", "*")), st.just(("*", "*")), DAYS),
)
MINUTES = st.integers(0, 40 * 60).map(lambda minutes: timedelta(minutes=minutes))


@settings(max_examples=150, deadline=None)
@given(WRITTEN, CHANGES, MINUTES, MINUTES)
def test_the_slots_are_those_of_a_look_at_every_minute(
    written: Written, change: tuple[str, str], before: timedelta, after: timedelta
) -> None:
    zone, day = change
    schedule = Schedule.parse(written.expression, time_zone=zone)
    start, end = utc(day) - before, utc(day) + after
    if schedule.native:  # Kubernetes has rules of its own
        return
    expected = slots_by_looking(written, zone=load_zone(zone), start=start, end=end)
    assert list(schedule.slots_between(start, end, limit=100_000)) == expected
    assert schedule.count_between(start, end) == len(expected)
    assert schedule.latest_at_or_before(end, not_before=start) == (expected[-1] if expected else None)
    assert list(schedule.next_after(start, count=len(expected) + 1))[: len(expected)] == expected


@settings(max_examples=200, deadline=None)
@given(
    WRITTEN.filter(lambda written: written.seconds != (0,)),
    CHANGES,
    st.timedeltas(timedelta(0), 900 * DAY),
    st.timedeltas(timedelta(0), 900 * DAY),
)
def test_the_four_answers_agree_over_years(
    written: Written, change: tuple[str, str], before: timedelta, after: timedelta
) -> None:
    schedule = Schedule.parse(written.expression, time_zone=change[0])
    start, end = utc(change[1]) - before, utc(change[1]) + after
    slots = schedule.slots_between(start, end, limit=300)
    until = slots[-1] if len(slots) == 300 else end
    assert schedule.next_after(start, count=len(slots)) == slots
    assert schedule.count_between(start, until) == len(slots)
    assert schedule.latest_at_or_before(until, not_before=start) == (slots[-1] if slots else None)
    for slot in slots[:5]:
        assert schedule.latest_at_or_before(slot, not_before=slot - SECOND) == slot
        assert schedule.latest_at_or_before(slot - SECOND, not_before=slot - SECOND) is None


WHOLE = st.builds(
    lambda minutes, hours, days: Written((0,), minutes, hours, days),
    some(range(60), most=4),
    some(range(24), most=3),
    st.sampled_from(["*", "1", "7,15"]),
)


@given(WHOLE, st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_schedule_of_ours_runs_like_a_native_one_where_no_clock_changes(
    written: Written, at: datetime
) -> None:
    native = Schedule.parse(written.expression)
    ours = Schedule.parse(written.expression.replace("0", "1", 1))
    assert native.native
    assert not ours.native
    at = at.replace(microsecond=0, second=30)
    assert [run - SECOND for run in ours.next_after(at, count=9)] == list(native.next_after(at, count=9))
