"""What a ScheduledJob says about the clock changes of the year ahead."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduledjob_operator.cron.zones import load_zone
from scheduledjob_operator.schedule import Schedule, clock_change_notes, every, never, once
from tests.unit.moments import NOON
from tests.unit.test_schedule import utc

BERLIN = "Europe/Berlin"
NOONS = "12:00 to 12:09 (2 slots)"
LATER = "on 2027-10-04 Kubernetes leaves out 00:00, because the clocks change"
DAY = timedelta(days=1)


def notes(expression: str, *, time_zone: str = BERLIN, now: str = "2026-11-22T12:00Z") -> list[str]:
    """The clauses of the sentence."""
    text = clock_change_notes(Schedule.parse(expression, time_zone=time_zone), now=utc(now))
    return text.split("; ") if text else []


@pytest.mark.parametrize(
    ("expression", "first", "second"),
    [
        ("30 2 * * *", "skip 02:30, so that slot does not run", "02:30 comes twice and runs twice"),
        (
            "*/10 2 * * *",
            "skip 02:00 to 02:50 (6 slots), so those slots do not run",
            "02:00 to 02:50 (6 slots) come twice and run twice",
        ),
        (
            "5 30 2 * * *",
            "skip 02:30:05, so that slot runs at 03:00 instead",
            "02:30:05 comes twice and runs the first time only",
        ),
        (
            "30 2 * * SUNL",
            "skip 02:30, so that slot runs at 03:00 instead",
            "02:30 comes twice and runs the first time only",
        ),
        (
            "* * 2 * * *",
            "skip 02:00 to 02:59:59 (3,600 slots), so they run once, at 03:00",
            "02:00 to 02:59:59 (3,600 slots) come twice and run the first time only",
        ),
    ],
)
def test_a_note_names_what_is_skipped_and_what_comes_twice(expression: str, first: str, second: str) -> None:
    assert notes(expression) == [
        f"on 2027-03-28 the clocks of Europe/Berlin {first}",
        f"on 2027-10-31 {second}",
    ]


@pytest.mark.parametrize(
    ("expression", "time_zone", "says"),
    [
        ("30 1 * * *", "America/New_York", "on 2027-11-07 in {zone} 01:30 comes twice and runs twice"),
        (
            "30 1 * * SAT",
            "America/Santiago",
            "on 2027-09-05 Kubernetes runs it at 01:30 besides, because the clocks of {zone} change",
        ),
        (
            "0,9 12 * * FRI",
            "Africa/Cairo",
            "on 2027-04-30 Kubernetes leaves out " + NOONS + ", because the clocks of {zone} change",
        ),
        (
            "0 0 * * *",
            "Australia/Lord_Howe",
            "on 2027-04-05 Kubernetes leaves out 00:00, because the clocks of {zone} change; " + LATER,
        ),
    ],
)
def test_a_note_says_what_kubernetes_makes_of_a_change(expression: str, time_zone: str, says: str) -> None:
    assert "; ".join(notes(expression, time_zone=time_zone)) == says.format(zone=time_zone)


def test_a_day_that_a_zone_leaves_out_is_made_up_for_on_the_next() -> None:
    assert notes("1 0 12 * * *", time_zone="Pacific/Apia", now="2011-12-01")[0] == (
        "on 2011-12-30 the clocks of Pacific/Apia skip 12:00:01, "
        "so that slot runs at 00:00 on 2011-12-31 instead"
    )


@pytest.mark.parametrize(
    ("expression", "time_zone"),
    [
        ("30 2 * * *", "Etc/UTC"),
        ("30 2 * * *", "Asia/Tokyo"),
        ("30 3 * * *", BERLIN),
        ("30 2 1 * *", BERLIN),
        ("30 2 * 6 *", BERLIN),
        ("* * * * *", BERLIN),
        ("*/2 * * * * *", BERLIN),
        ("0 3 L * *", BERLIN),
    ],
)
def test_there_is_no_note_where_no_slot_is_concerned(expression: str, time_zone: str) -> None:
    assert notes(expression, time_zone=time_zone) == []


def test_there_is_no_note_without_a_clock_on_the_wall() -> None:
    for schedule in (never(), once(NOON), every(timedelta(seconds=90), anchor=None)):
        assert clock_change_notes(schedule, now=NOON) == ""


@pytest.mark.parametrize("time_zone", [BERLIN, "America/New_York", "America/Santiago"])
def test_the_note_changes_only_when_a_change_has_passed(time_zone: str) -> None:
    schedule = Schedule.parse("*/5 0-5 * * *", time_zone=time_zone)
    texts = [clock_change_notes(schedule, now=NOON + number * DAY) for number in range(730)]
    assert all(texts)
    assert sum(one != two for one, two in pairwise(texts)) == 4


def test_a_day_is_still_named_on_the_day_itself() -> None:
    assert notes("30 2 * * *", now="2027-03-28T23:00Z")[0].startswith("on 2027-03-28 the clocks")
    assert notes("30 2 * * *", now="2027-03-29T00:00Z")[0].startswith("on 2027-10-31")


# Whatever the note says, it is what the schedule does

TIMES = st.tuples(st.integers(0, 5), st.sampled_from([0, 15, 30]))
WEEKDAYS = st.sampled_from(["*", "SAT", "SUN", "FRI", "MON"])
ZONES = st.sampled_from(
    [BERLIN, "America/New_York", "America/Santiago", "Africa/Cairo", "Australia/Lord_Howe", "America/Havana"]
)


@settings(max_examples=100, deadline=None)
@given(TIMES, WEEKDAYS, ZONES, st.sampled_from(["", "0,1 "]), st.integers(2024, 2034))
def test_there_is_a_note_exactly_when_a_slot_is_missing_doubled_or_moved(
    at: tuple[int, int], weekday: str, zone: str, second: str, year: int
) -> None:
    hour, minute = at
    schedule = Schedule.parse(f"{second}{minute} {hour} * * {weekday}", time_zone=zone)
    now = utc(f"{year}-01-15")
    end = now + 372 * DAY
    runs = schedule.slots_between(now, end, limit=5000)
    walls = [run.astimezone(load_zone(zone)).replace(tzinfo=None) for run in runs]
    named = {(hour, minute, each) for each in ((0, 1) if second else (0,))}
    days = {wall.date() for wall in walls}
    expected_days = {
        (now + number * DAY).date()
        for number in range(1, 371)
        if weekday in {"*", f"{now + number * DAY:%a}".upper()}
    }
    as_named = (
        len(set(walls)) == len(walls)
        and all((wall.hour, wall.minute, wall.second) in named for wall in walls)
        and expected_days <= days
        and all(weekday in {"*", f"{wall:%a}".upper()} for wall in walls)
    )
    repeated = bool(second) and "the first time only" in clock_change_notes(schedule, now=now)
    assert bool(clock_change_notes(schedule, now=now)) == (not as_named or repeated)
