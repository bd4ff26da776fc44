"""Schedules without a clock on the wall: every so often, once, and on demand."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduledjob_operator.schedule import Schedule, ScheduleError, every, never, once
from tests.unit.moments import NOON
from tests.unit.test_schedule import utc

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def seconds(number: int) -> timedelta:
    return timedelta(seconds=number)


# Every so often


@pytest.mark.parametrize(
    ("interval", "anchor", "canonical"),
    [
        (seconds(1), None, "@every 1s"),
        (seconds(90), None, "@every 90s"),
        (seconds(60), None, "* * * * *"),
        (seconds(300), None, "*/5 * * * *"),
        (seconds(300), "2026-01-01T00:03Z", "3-59/5 * * * *"),
        (seconds(300), "2026-01-01T00:05Z", "*/5 * * * *"),
        (seconds(1800), "2026-01-01T00:10Z", "10-59/30 * * * *"),
        (seconds(3600), None, "0 * * * *"),
        (seconds(3600), "2026-01-01T12:17Z", "17 * * * *"),
        (seconds(7200), None, "0 */2 * * *"),
        (seconds(21600), "2026-01-01T02:30Z", "30 2-23/6 * * *"),
        (seconds(43200), "2026-01-01T13:00Z", "0 1-23/12 * * *"),
        (DAY, None, "0 0 * * *"),
        (DAY, "2026-01-01T10:00+02:00", "0 8 * * *"),
        (seconds(420), None, "@every 420s"),
        (seconds(5400), None, "@every 5400s"),
        (seconds(5 * 3600), None, "@every 18000s"),
        (2 * DAY, None, "@every 172800s"),
        (seconds(60), "2026-01-01T00:00:10Z", "@every 60s from 2026-01-01T00:00:10Z"),
        (seconds(90), "2026-01-01T00:00:10Z", "@every 90s from 2026-01-01T00:00:10Z"),
        (seconds(90), "2026-01-01T00:00Z", "@every 90s"),
        (seconds(1), "2026-01-01T00:00:10Z", "@every 1s"),
    ],
)
def test_an_interval_is_native_cron_where_five_fields_can_say_it(
    interval: timedelta, anchor: str | None, canonical: str
) -> None:
    schedule = every(interval, anchor=utc(anchor) if anchor else None)
    assert schedule.canonical == canonical
    assert schedule.native == (not canonical.startswith("@"))
    assert schedule.time_zone == "Etc/UTC"
    assert Schedule.read(canonical, time_zone="Europe/Berlin" if "@" in canonical else "Etc/UTC") == schedule


ANCHORS = st.datetimes(datetime(1990, 1, 1), datetime(2050, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
INTERVALS = st.integers(1, 400_000).map(seconds) | st.sampled_from(
    [timedelta(minutes=minutes) for minutes in (1, 2, 3, 5, 12, 20, 30, 60, 120, 180, 480, 720, 1440)]
)


@given(
    INTERVALS, st.none() | ANCHORS | ANCHORS.map(lambda at: at.replace(second=0)), ANCHORS, st.integers(0, 30)
)
def test_the_slots_are_whole_intervals_from_the_anchor_whatever_fires_them(
    interval: timedelta, anchor: datetime | None, start: datetime, count: int
) -> None:
    schedule = every(interval, anchor=anchor)
    origin = (anchor or utc("1970-01-01")).replace(microsecond=0)
    start = start.replace(microsecond=0)
    first = origin + ((start - origin) // interval + 1) * interval
    expected = tuple(first + number * interval for number in range(count))
    end = first + count * interval - SECOND
    assert schedule.next_after(start, count=count) == expected
    assert schedule.slots_between(start, end, limit=100) == expected
    assert schedule.count_between(start, end) == count
    assert schedule.latest_at_or_before(end, not_before=start) == (expected[-1] if count else None)
    assert Schedule.read(schedule.canonical) == schedule
    assert Schedule.read(schedule.canonical).next_after(start, count=count) == expected


def test_an_interval_has_slots_before_its_anchor_too() -> None:
    schedule = every(seconds(90), anchor=NOON)
    assert schedule.latest_at_or_before(NOON - SECOND, not_before=NOON - DAY) == NOON - seconds(90)
    assert schedule.next_after(NOON - seconds(91), count=2) == (NOON - seconds(90), NOON)


def test_decades_of_seconds_are_counted_at_once() -> None:
    schedule = every(SECOND, anchor=None)
    assert schedule.count_between(NOON - 10_000 * DAY, NOON) == 10_000 * 86400
    assert schedule.latest_at_or_before(NOON, not_before=FIRST) == NOON
    assert schedule.next_after(FIRST)[0].year == 1970
    assert schedule.next_after(LAST) == ()


@pytest.mark.parametrize(
    "interval", [timedelta(0), -DAY, timedelta(milliseconds=500), timedelta(seconds=1.5)]
)
def test_less_than_a_second_is_refused_in_a_sentence(interval: timedelta) -> None:
    with pytest.raises(ScheduleError, match="whole seconds, and at least one: write for example 90s"):
        every(interval, anchor=None)


# Once, and never


def test_once_has_one_slot() -> None:
    schedule = once(NOON + timedelta(milliseconds=300))
    assert schedule == Schedule.read("@at 2026-11-22T12:00:00Z", time_zone="Europe/Berlin")
    assert not schedule.native
    assert schedule.next_after(NOON - SECOND, count=5) == (NOON,)
    assert schedule.next_after(NOON) == ()
    assert schedule.slots_between(NOON - DAY, NOON, limit=5) == (NOON,)
    assert schedule.slots_between(NOON - DAY, NOON - SECOND, limit=5) == ()
    assert schedule.latest_at_or_before(NOON + DAY, not_before=NOON - DAY) == NOON
    assert schedule.latest_at_or_before(NOON + DAY, not_before=NOON) is None
    assert (schedule.count_between(NOON - DAY, NOON), schedule.count_between(NOON, NOON + DAY)) == (1, 0)


def test_on_demand_has_no_slots() -> None:
    schedule = never()
    assert schedule == Schedule.read("@never", time_zone="Europe/Berlin")
    assert not schedule.native
    assert schedule.next_after(NOON, count=3) == ()
    assert schedule.slots_between(FIRST, LAST, limit=3) == ()
    assert schedule.latest_at_or_before(LAST, not_before=FIRST) is None
    assert schedule.count_between(FIRST, LAST) == 0


def test_kinds_differ_by_their_text() -> None:
    kinds = {never(), once(NOON), once(NOON + SECOND), every(SECOND, anchor=None), Schedule.parse("@daily")}
    assert len(kinds) == 5


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("@every 1m30s", "@every 90s"),
        ("@every 5m", "*/5 * * * *"),
        ("@every 1h", "0 * * * *"),
        ("@daily", "@daily"),
        ("*/2 * * * * *", "*/2 * * * * *"),
        ("0 3 * * *", "0 3 * * *"),
    ],
)
def test_any_canonical_text_is_read(text: str, canonical: str) -> None:
    assert Schedule.read(text).canonical == canonical


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("@every 0s", "An interval has whole seconds, and at least one: write for example 90s."),
        ("@every 90s from noon", '"noon" is not a moment: write it as 2026-12-24T08:00:00Z.'),
        ("@at noon", '"noon" is not a moment'),
        ("@at 2026-02-30T00:00:00Z", "is not a moment"),
        ("@every", "write every: 90s in place of schedule."),
        ("@nevermore", "write"),
        ("", "The schedule is empty"),
    ],
)
def test_other_texts_are_refused_in_a_sentence(text: str, says: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        Schedule.read(text)
    assert says in str(caught.value)


@pytest.mark.parametrize("make", [once, lambda at: every(SECOND, anchor=at)])
def test_a_moment_without_a_zone_is_a_mistake_of_the_caller(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match="aware"):
        make(datetime(2026, 11, 22))  # noqa: DTZ001
