"""`L`, `#`, `W` and the field of the second: what may be written, and which days it is."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduledjob_operator.cron.dialect import read_cron
from scheduledjob_operator.schedule import Schedule
from tests.unit.test_schedule import utc
from tests.unit.test_schedule_text import complaint
from tests.unit.wall_days import WEEKDAYS, Written


@pytest.mark.parametrize(
    ("written", "canonical", "native"),
    [
        ("*/10 * * * * *", "*/10 * * * * *", False),
        ("0 */10 * * * *", "*/10 * * * *", True),
        ("00 0 3 ? jan MON-FRI", "0 3 * JAN MON-FRI", True),
        ("0,0 5 * * * *", "5 * * * *", True),
        ("0,30 5 * * * *", "0,30 5 * * * *", False),
        ("0 3 l * *", "0 3 L * *", False),
        ("0 0 3 L * *", "0 3 L * *", False),
        ("7 0 3 L-03 * ?", "7 0 3 L-3 * *", False),
        ("0 3 015w,lw * *", "0 3 15W,LW * *", False),
        ("0 3 1,L 2 *", "0 3 1,L 2 *", False),
        ("0 3 * * mon#2,1#4", "0 3 * * MON#2,1#4", False),
        ("0 3 * * friL,5L,SUN", "0 3 * * FRIL,5L,SUN", False),
        ("0 3 31W * *", "0 3 31W * *", False),
        ("0 3 29W 2 *", "0 3 29W 2 *", False),
        ("0 3 L-28 2 *", "0 3 L-28 2 *", False),
        ("0 3 30W,L 2 *", "0 3 30W,L 2 *", False),
    ],
)
def test_the_canonical_text_is_native_where_kubernetes_can_read_it(
    written: str, canonical: str, native: bool
) -> None:
    schedule = Schedule.parse(written)
    assert (schedule.canonical, schedule.native) == (canonical, native)
    assert Schedule.read(canonical) == schedule
    assert schedule.next_after(utc("2026-11-22"))


@pytest.mark.parametrize(
    ("expression", "after", "days"),
    [
        ("0 0 L * *", "2028-01-15", ["2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30"]),
        ("0 0 L-3 * *", "2027-01-15", ["2027-01-28", "2027-02-25", "2027-03-28", "2027-04-27"]),
        ("0 0 L-30 * *", "2027-01-15", ["2027-03-01", "2027-05-01"]),
        ("0 0 15W * *", "2026-07-20", ["2026-08-14", "2026-09-15", "2026-10-15", "2026-11-16"]),  # Sat, Sun
        ("0 0 1W * *", "2026-07-20", ["2026-08-03", "2026-09-01", "2026-10-01", "2026-11-02"]),  # not in July
        ("0 0 31W * *", "2026-04-20", ["2026-05-29", "2026-07-31", "2026-08-31"]),  # Sunday, not in June
        ("0 0 LW * *", "2026-04-20", ["2026-04-30", "2026-05-29", "2026-06-30"]),
        ("0 0 * * MON#2", "2026-11-01", ["2026-11-09", "2026-12-14"]),
        ("0 0 * * 0#5", "2026-11-01", ["2026-11-29", "2027-01-31"]),
        ("0 0 * * FRIL", "2026-11-01", ["2026-11-27", "2026-12-25"]),
        ("0 0 * * 5L", "2026-11-01", ["2026-11-27", "2026-12-25"]),
        ("0 0 * * FRI#1,MONL", "2026-11-01", ["2026-11-06", "2026-11-30", "2026-12-04"]),
        ("0 0 1,L * *", "2026-11-15", ["2026-11-30", "2026-12-01", "2026-12-31"]),
    ],
)
def test_the_days_are_these(expression: str, after: str, days: list[str]) -> None:
    found = Schedule.parse(expression).next_after(utc(after), count=len(days))
    assert [str(run.date()) for run in found] == days


IN_MONTH = st.one_of(
    st.just("L"),
    st.just("LW"),
    st.integers(1, 30).map("L-{}".format),
    st.integers(1, 31).map("{}W".format),
    st.integers(1, 31).map(str),
)
IN_WEEK = st.one_of(
    st.sampled_from(WEEKDAYS),
    st.sampled_from(WEEKDAYS).map("{}L".format),
    st.tuples(st.sampled_from(WEEKDAYS), st.integers(1, 5)).map(lambda pair: f"{pair[0]}#{pair[1]}"),
)


def lists(items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(items, min_size=1, max_size=3, unique=True).map(",".join)


@settings(max_examples=200)
@given(
    lists(IN_MONTH).map(lambda day: (day, "*")) | lists(IN_WEEK).map(lambda weekday: ("*", weekday)),
    st.dates(date(1990, 1, 1), date(2090, 1, 1)),
)
def test_whatever_the_day_fields_say_the_days_are_those_of_the_calendar(
    fields: tuple[str, str], first: date
) -> None:
    read = read_cron(f"0 0 {fields[0]} * {fields[1]}")
    written = Written(day=fields[0], weekday=fields[1])
    days = [first + timedelta(days=number) for number in range(70)]
    assert [day for day in days if read.has_day(day)] == [day for day in days if written.fits_day(day)]


SHAPE = "because L, W and # stand in no range and take no step: write"


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("0 0 * * 1-5#2", f'"1-5#2" cannot be read as a day of the week, {SHAPE} MON#2 or FRIL'),
        ("0 0 * * *#2", f'"*#2" cannot be read as a day of the week, {SHAPE}'),
        ("0 0 * * #2", '"#2" cannot be read as a day of the week'),
        ("0 0 * * MON#", '"MON#" cannot be read as a day of the week'),
        ("0 0 * * MON#x", '"MON#X" cannot be read as a day of the week'),
        ("0 0 * * MON#2/2", '"MON#2/2" cannot be read'),
        ("0 0 * * FRIL-SATL", '"FRIL-SATL" cannot be read'),
        ("0 0 L/2 * *", f'"L/2" cannot be read as a day of the month, {SHAPE} L, L-3, 15W or LW'),
        ("0 0 15W-20W * *", '"15W-20W" cannot be read as a day of the month'),
        ("0 0 1-L * *", '"1-L" cannot be read as a day of the month'),
        ("0 0 L-3W * *", '"L-3W" cannot be read as a day of the month'),
        ("0 0 W * *", '"W" cannot be read as a day of the month'),
        ("0 0 WL * *", '"WL" cannot be read as a day of the month'),
        ("L 0 * * *", '"L" is not a minute, because L, W and # name days: write 0 to 59 here.'),
        ("0 15W * * *", '"15W" is not an hour, because'),
        ("0 0 1 L *", '"L" is not a month, because L, W and # name days: write 1 to 12 or JAN to DEC here.'),
        ("1#2 0 0 * * *", '"1#2" is not a second'),
        ("0 0 * * 1#6", '"1#6" never comes, because no month has it: write 1#1 to 1#5, or 1L'),
        ("0 0 * * MON#0", '"MON#0" never comes'),
        ("0 0 * * 7#2", 'Kubernetes does not know 7 as a day of the week: write SUN#2 instead of "7#2".'),
        ("0 0 * * 7L", 'write SUNL instead of "7L".'),
        ("0 0 * * 8L", '"8" is not a day of the week'),
        ("0 0 0W * *", '"0W" is not the weekday nearest to a day of the month: write 1W to 31W, or LW.'),
        ("0 0 32W * *", '"32W" is not the weekday nearest to a day of the month'),
        ("0 0 L-0 * *", '"L-0" is not a day before the last of a month: write L, or L-1 to L-30.'),
        ("0 0 L-31 * *", '"L-31" is not a day before the last of a month'),
        ("0 0 * * L", '"L" is not a day of the week: write SAT for every Saturday, FRIL for the last Friday'),
        ("0 0 * * 15W", '"15W" is a day of the month: write it in the field before the month, and * in the'),
        ("0 0 * * LW", '"LW" is a day of the month'),
        ("0 0 MON#2 * *", '"MON#2" is a day of the week: write it in the last field, and * in'),
        ("0 0 5L * *", '"5L" is a day of the week'),
        ("0 0 *,L * *", '"*,L" has a star, which is every day: write * or "L".'),
        ("0 0 L * MON", '"L" cannot be joined with a day of the week: write * in the place of the day'),
        ("0 0 15 * FRIL", '"FRIL" cannot be joined with a day of the month: write * in the place'),
        ("0 0 L * FRIL", '"L" cannot be joined with a day of the week'),
        ("0 0 L * */2", '"L" cannot be joined with a day of the week'),
        ("0 0 30W 2 *", '"0 0 30W 2 *" would never run, because FEB has no such day: write L for'),
        ("0 0 31,31W feb,apr *", "would never run, because FEB and APR have no such day: write L"),
        ("0 0 L-29 2 *", "would never run, because FEB has no such day"),
        ("60 * * * * *", '"60" is not a second: write 0 to 59.'),
        ("* * * * * mon#2 2027", "has 7 fields, and years are not supported here"),
        ("* * * * * * *", 'or 6 with the second first, such as "* * * * * *".'),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_write_instead(expression: str, says: str) -> None:
    assert says in complaint(expression)
