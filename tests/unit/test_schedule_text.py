"""What may stand in `schedule` and `timeZone`, how it is written to the CronJob, and what a refusal says."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduledjob_operator.cron.dialect import MACROS, MAX_LENGTH, read_cron
from scheduledjob_operator.cron.fields import FIELDS
from scheduledjob_operator.cron.zones import zone_names
from scheduledjob_operator.schedule import Schedule, ScheduleError

FIVE = "minute, hour, day of the month, month and day of the week"


def complaint(expression: str, *, time_zone: str = "Etc/UTC") -> str:
    """What the author of a refused schedule is told."""
    with pytest.raises(ScheduleError) as caught:
        Schedule.parse(expression, time_zone=time_zone)
    return str(caught.value)


# What the CronJob gets


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("0 3 * * *", "0 3 * * *"),
        ("  00  03\t* * * \n", "0 3 * * *"),
        ("*/5 9-17 1,15 * MON-FRI", "*/5 9-17 1,15 * MON-FRI"),
        ("0 0 ? jan-Mar sun", "0 0 * JAN-MAR SUN"),
        ("*/1 ?/2 5-5 1-12/1 0-6", "* */2 5 1-12 0-6"),
        ("10/15 20/1 * * MON/2", "10-59/15 20-23 * * MON-SAT/2"),
        ("59/15 23/1 31/5 12/3 6/2", "59 23 31 12 6"),
        ("*/90 5-7/100 * * *", "*/90 5-7/100 * * *"),
        ("@daily", "@daily"),
        (" @annually ", "@annually"),
    ],
)
def test_the_cronjob_gets_what_was_written_in_plain_form(written: str, canonical: str) -> None:
    schedule = Schedule.parse(written)
    assert schedule.canonical == canonical
    assert schedule.expression == written.strip()


@pytest.mark.parametrize(("macro", "fields"), MACROS.items())
def test_a_macro_means_its_five_fields(macro: str, fields: str) -> None:
    read, spelled_out = read_cron(macro), read_cron(fields)
    assert (read.minutes, read.hours, read.days, read.months, read.weekdays, read.either_day) == (
        spelled_out.minutes, spelled_out.hours, spelled_out.days, spelled_out.months, spelled_out.weekdays,
        spelled_out.either_day,
    )  # fmt: skip


def test_every_field_as_a_full_list_is_short_enough() -> None:
    lists = (",".join(map(str, range(field.low, field.high + 1))) for field in FIELDS)
    assert len(Schedule.parse(" ".join(lists)).canonical) <= MAX_LENGTH


def test_schedules_are_equal_by_text_and_zone() -> None:
    one = Schedule.parse("0 3 * * *", time_zone="Europe/Berlin")
    assert one == Schedule.parse("0 3 * * *", time_zone="Europe/Berlin")
    assert one != Schedule.parse("0 3 * * *")
    assert len({one, Schedule.parse("0 3 * * *", time_zone="Europe/Berlin")}) == 1


# What a refusal says


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("", 'The schedule is empty: write five fields such as "0 3 * * *", or a macro such as @daily.'),
        (" \n", "The schedule is empty: write five fields"),
        ("0 3 * *", f'"0 3 * *" has 4 fields, but a schedule has 5 ({FIVE}): write for example "0 3 * * *".'),
        ("daily", '"daily" has 1 field, but a schedule has 5'),
        ("daily", 'write for example "@daily".'),
        ("0 0 12 ? * MON#1 2027", "has 7 fields, and years are not supported here: write the 5 fields"),
        ("0 0 12 ? * MON 2027", f'5 fields {FIVE}, or 6 with the second first, such as "0 12 * * MON".'),
        ("* " * MAX_LENGTH, "has 799 characters: write at most 400"),
        ("5 *\n* * *", "contains the invisible character U+000A: write it on one line, with plain blanks."),
        ("5\u00a0* * * *", "the invisible character U+00A0"),
        ("\x00 * * * *", "the invisible character U+0000"),
        ("60 * * * *", '"60" is not a minute: write 0 to 59.'),
        ("* 24 * * *", '"24" is not an hour: write 0 to 23.'),
        ("* * 0 * *", '"0" is not a day of the month: write 1 to 31.'),
        ("* * * 13 *", '"13" is not a month: write 1 to 12 or JAN to DEC.'),
        ("* * * * 8", '"8" is not a day of the week: write 0 to 6 or SUN to SAT.'),
        ("+5 * * * *", '"+5" is not a minute: write 0 to 59.'),
        ("\uff15 * * * *", "is not a minute: write 0 to 59."),
        ("9" * 200 + " * * * *", '999…" is not a minute: write 0 to 59.'),
        ("0 0 * * Monday", '"Monday" is not a day of the week: write MON.'),
        ("0 0 * * wendsday", '"wendsday" is not a day of the week: write WED.'),
        ("0 0 * sept *", '"sept" is not a month: write SEP.'),
        ("0 0 1 \u017fep *", "is not a month: write"),
        ("0 mon * * *", "names of a day of the week in the last field."),
        ("0 0 * * jan", "names of a month in the last field but one."),
        ("0 0 * * 7", "Kubernetes does not know 7 as a day of the week: write 0 or SUN for Sunday."),
        ("0 0 * * 07", "write 0 or SUN for Sunday."),
        ("0 0 * * 5-7", 'write 5-6,0 instead of "5-7".'),
        ("0 0 * * 6-7", 'write 6,0 instead of "6-7".'),
        ("0 0 * * 1-7", 'write * instead of "1-7".'),
        ("0 0 * * 1-7/2", 'write 0,1,3,5 instead of "1-7/2".'),
        ("0 22-2 * * *", 'The range "22-2" runs backwards, which Kubernetes refuses: write 22-23,0-2.'),
        ("0 23-0 * * *", "write 23,0."),
        ("0 22-2/2 * * *", "write 0,2,22."),
        ("0 0 * * fri-mon", "write FRI-SAT,SUN-MON."),
        ("0 0 * nov-2 *", "write NOV-DEC,1-2."),
        ("*/0 * * * *", 'The step of "*/0" must be a number from 1 up: write for example */5.'),
        ("*/ * * * *", 'The step of "*/" must be'),
        ("*/x * * * *", 'The step of "*/x" must be'),
        ("*/9223372036854775808 * * * *", "must be a number from 1 up"),
        ("1,,2 * * * *", '"1,,2" has an empty item, which matches nothing: write "1,2".'),
        (", * * * *", '"," has an empty item, which matches nothing: write "*".'),
        ("*-5 * * * *", '"*-5" cannot be read as a minute: write a value, a range such as 0-4, or a step'),
        ("* -5 * * *", '"-5" cannot be read as an hour'),
        ("* * 1-2-3 * *", "a range such as 1-5"),
        ("*/5/2 * * * *", '"*/5/2" cannot be read as a minute'),
        ("/5 * * * *", '"/5" cannot be read as a minute'),
        ("0 0 30 2 *", '"0 0 30 2 *" would never run, because FEB has no day 30: write 28 or an earlier day'),
        ("0 0 31 2 ?", "would never run, because FEB has no day 31: write 28"),
        ("0 0 31 apr,jun *", "because APR and JUN have no day 31: write 30 or an earlier day"),
        ("@reboot", "@reboot means nothing in a cluster: write a schedule such as @daily, or leave the"),
        ("@every 5m", "An interval has a field of its own: write every: 5m in place of schedule."),
        ("@every 1h30m", "write every: 1h30m in place of schedule."),
        ("@every", "write every: 90s in place of schedule."),
        ("@every minute", "write every: 90s in place of schedule."),
        ("@at 2027-01-01T08:00:00Z", "of its own: write at: 2027-01-01T08:00:00Z in place of schedule."),
        ("@at noon", "write at: 2026-12-24T08:00:00Z in place of schedule."),
        ("@never", "@never is not a schedule: write none at all, and the job runs on demand."),
        ("@Daily", '"@Daily" is not spelt as Kubernetes knows it: write @daily.'),
        ("@dayly", 'Kubernetes does not know "@dayly": write @daily.'),
        ("@noon", "write one of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually, or five"),
        ("TZ=Europe/Berlin 0 3 * * *", 'write "0 3 * * *" as the schedule and "Europe/Berlin" as timeZone.'),
        ("CRON_TZ=Asia/Tokyo @daily", 'write "@daily" as the schedule and "Asia/Tokyo" as timeZone.'),
        ("TZ=", "A time zone cannot stand in the schedule"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_write_instead(expression: str, says: str) -> None:
    assert says in complaint(expression)


@pytest.mark.parametrize(
    ("time_zone", "says"),
    [
        ("", 'time zone is empty: write an IANA name such as "Europe/Berlin", or leave it out for Etc/UTC.'),
        ("Europe/Berln", '"Europe/Berln" is not a time zone: write "Europe/Berlin".'),
        ("europe/berlin", 'write "Europe/Berlin".'),
        ("Berlin", 'write "Europe/Berlin".'),
        ("new york", 'write "America/New_York".'),
        ("America/New York", 'write "America/New_York".'),
        ("utc", 'write "UTC".'),
        ("Local", '"Local" is another time zone on every machine: write an IANA name'),
        ("local", '"local" is another time zone on every machine'),
        ("CEST", '"CEST" is not a time zone: write an IANA name such as "Europe/Berlin".'),
        ("UTC+2", 'write a place such as "Europe/Berlin", or "Etc/GMT-2", whose sign is the other way'),
        ("-03:00", 'or "Etc/GMT+3", whose sign is the other way round.'),
        ("UTC+20", 'write a place such as "Europe/Berlin".'),
        ("../../etc/passwd", "is not a time zone: write an IANA name"),
        ("Europe/Berlin\n", 'write "Europe/Berlin".'),
        ("\x1b[31m", "is not a time zone"),
        ("x" * 5000, "is not a time zone"),
    ],
)  # fmt: skip
def test_an_unknown_time_zone_is_refused_with_the_likely_one(time_zone: str, says: str) -> None:
    text = complaint("@daily", time_zone=time_zone)
    assert says in text
    assert text.isprintable()


@pytest.mark.parametrize("time_zone", ["UTC", "CET", "EST5EDT", "US/Eastern", "America/Argentina/Jujuy"])
def test_links_and_abbreviations_of_the_database_are_time_zones(time_zone: str) -> None:
    assert Schedule.parse("@daily", time_zone=time_zone).time_zone == time_zone


def test_the_api_server_takes_every_time_zone_that_we_take() -> None:
    # validateTimeZone in Kubernetes 1.35, pkg/apis/batch/validation/validation.go
    characters = re.compile(r"[A-Za-z.\-_0-9+]{1,14}")
    for name in zone_names():
        assert name.lower() != "local"
        assert all(characters.fullmatch(part) and part[0] != "-" for part in name.split("/")), name


# Whatever is written


ALMOST_CRON = st.text("0123456789*/-,?() \tLWH#@=%TZabcdefjlmnoprstuvyMON\n\u00a0", max_size=40)


@given(st.text(max_size=60) | ALMOST_CRON, st.just("Etc/UTC") | st.text(max_size=30))
def test_any_text_is_read_or_refused_in_one_printable_sentence(expression: str, time_zone: str) -> None:
    try:
        schedule = Schedule.parse(expression, time_zone=time_zone)
    except ScheduleError as error:
        text = str(error)
        assert text.isprintable()
        assert text.endswith(".")
        assert ": write " in text
        assert len(text) < 400
    else:
        assert Schedule.parse(schedule.canonical).canonical == schedule.canonical


def item(low: int, high: int, names: tuple[str, ...]) -> st.SearchStrategy[str]:
    """One item of a field, written in any of the ways that Kubernetes reads."""
    value = st.integers(low, high).flatmap(
        lambda number: st.sampled_from([str(number), f"{number:02}", *names[number - low : number - low + 1]])
    )
    bounds = st.tuples(st.integers(low, high), st.integers(low, high)).map(sorted)
    span = bounds.map(lambda ends: f"{ends[0]}-{ends[1]}")
    step = st.integers(1, 70)
    stepped = st.tuples(st.sampled_from("*?") | value | span, step).map(
        lambda parts: f"{parts[0]}/{parts[1]}"
    )
    return st.sampled_from("*?") | value | span | stepped


def runs_at_all(expression: str) -> bool:
    """Chance also makes the 31st of February."""
    try:
        return bool(Schedule.parse(expression))
    except ScheduleError as error:
        if "would never run" in str(error):
            return False
        raise


EXPRESSIONS = (
    st.tuples(
        *(
            st.lists(item(field.low, field.high, field.names), min_size=1, max_size=3).map(",".join)
            for field in FIELDS
        )
    )
    .map(" ".join)
    .filter(runs_at_all)
)


@given(EXPRESSIONS)
def test_the_plain_form_means_the_same_and_stays_as_it_is(expression: str) -> None:
    schedule = Schedule.parse(expression)
    again = Schedule.parse(schedule.canonical)
    assert again.fields == schedule.fields
    assert again.canonical == schedule.canonical
