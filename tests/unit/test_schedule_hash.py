"""`H`: the value of a field that is the schedule's own."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduledjob_operator.cron.fields import DAY, FIELDS, HOUR, MINUTE, Field
from scheduledjob_operator.schedule import Schedule
from tests.unit.moments import NOON
from tests.unit.test_schedule_text import complaint

NAMES = [f"default/job-{number}" for number in range(1000)]


def canonical(expression: str, spread: str) -> str:
    return Schedule.parse(expression, spread=spread).canonical


def values(expression: str, *, field: Field) -> Counter[int]:
    """How many of a thousand schedules have each value of a field."""
    at = FIELDS.index(field)
    return Counter(int(canonical(expression, name).split()[at]) for name in NAMES)


def test_no_minute_has_more_than_twice_its_share_of_a_thousand_schedules() -> None:
    counts = values("H * * * *", field=MINUTE)
    assert set(counts) == set(range(60))
    assert max(counts.values()) <= 2 * 1000 / 60


def test_hours_are_spread_as_evenly_and_apart_from_the_minutes() -> None:
    assert max(values("H H * * *", field=HOUR).values()) <= 2 * 1000 / 24
    times = Counter(canonical("H H * * *", name) for name in NAMES)
    assert max(times.values()) <= 6


def test_a_day_of_the_month_is_one_that_every_month_has() -> None:
    assert set(values("0 0 H * *", field=DAY)) == set(range(1, 29))


def test_a_range_and_a_step_have_all_their_values() -> None:
    assert set(values("H(0-29) * * * *", field=MINUTE)) == set(range(30))
    assert {canonical("H/15 * * * *", name) for name in NAMES} == {
        f"{first}-59/15 * * * *" for first in range(15)
    }
    assert {canonical("H(0-29)/10 * * * *", name) for name in NAMES} == {
        f"{first}-29/10 * * * *" for first in range(10)
    }
    assert {canonical("0 0 H/10 * *", name) for name in NAMES} == {
        f"0 0 {first}-28/10 * *" for first in range(1, 11)
    }


@pytest.mark.parametrize(
    ("expression", "written_out"),
    [
        ("H * * * *", "17 * * * *"),
        ("H H * * *", "17 18 * * *"),
        ("H H H H H", "17 18 24 11 4"),
        ("h * * * *", "17 * * * *"),
        ("H/60 * * * *", "17 * * * *"),
        ("H/70 * * * *", "17 * * * *"),
        ("H(0-29),H(30-59) * * * *", "17,47 * * * *"),
        ("5,H(10-19) * * * *", "5,17 * * * *"),
        ("H 3 * * THU", "17 3 * * THU"),
        ("0 3 * * H(MON-FRI)", "0 3 * * 3"),
        ("0 H 3 * * *", "17 3 * * *"),
        ("H 0 3 * * *", "1 0 3 * * *"),
        ("H H L * *", "17 18 L * *"),
    ],
)
def test_h_is_written_out_and_stays_the_same_in_every_release(expression: str, written_out: str) -> None:
    assert canonical(expression, "default/report") == written_out


def test_h_works_without_a_name_too() -> None:
    assert Schedule.parse("H * * * *") == Schedule.parse("H * * * *", spread="")
    assert Schedule.parse("H * * * *").native


@given(
    st.sampled_from(["H", "H/7", "H(3-5)", "H(1-6)/2", "H,H/5", "1,H"]),
    st.integers(0, 5),
    st.text(max_size=20),
)
def test_h_can_stand_in_any_field_and_reads_the_same_again(item: str, place: int, spread: str) -> None:
    fields = ["0", "0", "0", "1", "1", "*"]
    fields[place] = item
    schedule = Schedule.parse(" ".join(fields), spread=spread)
    assert "H" not in schedule.canonical
    assert Schedule.read(schedule.canonical) == schedule
    assert schedule.next_after(Schedule.parse("@daily").next_after(NOON)[0])


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        (
            "H-5 * * * *",
            '"H-5" has the H in the wrong place: write H for one value, H/15 for every 15, or H(0-29)',
        ),
        ("5-H * * * *", '"5-H" has the H in the wrong place'),
        ("5/H * * * *", '"5/H" has the H in the wrong place'),
        ("*/H * * * *", '"*/H" has the H in the wrong place'),
        ("HH * * * *", '"HH" has the H in the wrong place'),
        ("H5 * * * *", '"H5" has the H in the wrong place'),
        ("H(0-29 * * * *", '"H(0-29" has the H in the wrong place'),
        ("* H-5 * * *", "write H for one value, H/2 for every 2, or H(0-11) for one value of a range."),
        ("H(5-70) * * * *", '"70" is not a minute: write 0 to 59.'),
        ("H(30-10) * * * *", 'The range of "H(30-10)" runs backwards: write H(10-30).'),
        ("0 0 * * H(fri-mon)", "write H(MON-FRI)."),
        ("H(1,2) * * * *", '"H(1,2)" has a list in its brackets: write one range, such as H(0-29).'),
        ("H(5) * * * *", 'The brackets of "H(5)" hold no range: write for example H(0-29), or H alone.'),
        ("H() * * * *", 'The brackets of "H()" hold no range'),
        ("H/0 * * * *", 'The step of "H/0" must be a number from 1 up: write for example */5.'),
        ("H/ * * * *", 'The step of "H/" must be'),
        ("H/5/5 * * * *", '"H/5/5" cannot be read as a minute'),
        ("0 0 * * H(5-7)", "Kubernetes does not know 7 as a day of the week: write"),
        ("0 0 H(30-31) 2 *", "would never run, because FEB has no day"),
    ],
)
def test_an_h_in_the_wrong_place_is_refused_in_a_sentence(expression: str, says: str) -> None:
    assert says in complaint(expression)
