"""The times of a crontab line, as crontab(5) reads them, in the words of a ScheduledJob."""

import re
from collections.abc import Iterator

from scheduledjob_operator.cli.importing.findings import UnreadableError
from scheduledjob_operator.cli.importing.schedule_text import fitting
from scheduledjob_operator.cron.dialect import MACROS
from scheduledjob_operator.cron.fields import DAY, FIELDS, WEEKDAY, Field, ScheduleError
from scheduledjob_operator.cron.values import read_step, read_value

_RANDOM = re.compile(r"([0-9]*)~([0-9]*)(/[0-9]+)?")


def macro_schedule(macro: str) -> str:
    """The schedule of @daily and the like. Raises UnreadableError."""
    if macro == "@reboot":
        raise UnreadableError(
            "@reboot cannot be carried over, as a cluster does not start: run it on demand, or as an init "
            "container of what needs it"
        )
    if macro.lower() not in MACROS:
        known = ", ".join(MACROS)
        raise UnreadableError(f"{macro} is no macro that cron knows: write one of {known}", malformed=True)
    return macro.lower()


def five_fields(texts: list[str]) -> str:
    """The schedule of five fields. Raises UnreadableError for what cron or Kubernetes would not take."""
    fields = [_field(text, field=field) for text, field in zip(texts, FIELDS, strict=True)]
    day, weekday = texts[2], texts[4]
    # To cron a field that begins with a star is "any day", whatever its step; to Kubernetes it is not.
    if _stepped_star(day, other=weekday) or _stepped_star(weekday, other=day):
        raise UnreadableError(
            f'"{" ".join(texts)}" runs on days that fit both day fields, which a ScheduledJob cannot say: '
            "write * in one of the two, and let the command look at the other"
        )
    return fitting(" ".join(fields))


def doubts(texts: list[str]) -> Iterator[str]:
    """What programs called cron read differently in five fields that are right."""
    for text, field in zip(texts, FIELDS, strict=True):
        for item in text.split(","):
            first, slash, step = item.partition("/")
            if slash and "-" not in first and "*" not in first and "~" not in first:
                last = 7 if field is WEEKDAY else field.high
                yield (
                    f"{item} is read as {first}-{last}/{step}, as cronie does, and other crons refuse it or "
                    f"take it for {first} alone: write what is meant"
                )
            if field is WEEKDAY and "~" in item and item.partition("/")[0].endswith("7"):
                yield f"{item} is a day at random up to Saturday, as H knows no Sunday behind it"


def _stepped_star(text: str, *, other: str) -> bool:
    stepped = text.startswith("*/") and text != "*/1"
    return stepped and other not in {"*", "*/1"}


def _field(text: str, *, field: Field) -> str:
    first, *others = text.split(",")
    if field in {DAY, WEEKDAY}:
        # Only a star at the beginning makes a field "any day" to cron, and to Kubernetes one anywhere does.
        every = f"{field.low}-{field.high}"
        others = [every if item in {"*", "*/1"} else item for item in others]
    try:
        return ",".join(_item(item, field=field) for item in (first, *others))
    except ScheduleError as error:
        raise UnreadableError(str(error), malformed=True) from None


def _item(item: str, *, field: Field) -> str:
    if match := _RANDOM.fullmatch(item):
        return _random(item, match, field=field)
    span, slash, step_text = item.partition("/")
    step = read_step(step_text, item=item, field=field) if slash else 1
    if span == "*":
        return item
    first, hyphen, last = span.partition("-")
    low = read_value(first, field=field)
    high = read_value(last, field=field) if hyphen else 7 if slash and field is WEEKDAY else low
    if low > high:
        raise UnreadableError(
            f'the range "{item}" runs backwards, which Kubernetes refuses: write the two ranges '
            f"{first}-{field.high},{field.low}-{last} in place of it"
        )
    return item if field is not WEEKDAY or high != 7 else _with_sunday(low, step=step)


def _random(item: str, match: re.Match[str], *, field: Field) -> str:
    """A value at random between two, which is one of the job's own here."""
    low = read_value(match[1], field=field) if match[1] else field.low
    high = read_value(match[2], field=field) if match[2] else field.high
    if low > high:
        raise UnreadableError(
            f'the range "{item}" runs backwards, which cron refuses: write the smaller number first',
            malformed=True,
        )
    if field is WEEKDAY and high == 7:
        if low == 7:
            return "0"
        high = 6
    step = match[3] or ""
    if step:
        read_step(step[1:], item=item, field=field)
    return f"H({low}-{high}){step}"


def _with_sunday(low: int, *, step: int) -> str:
    """A range up to Sunday as the seventh day, which Kubernetes does not know."""
    days = sorted({day % 7 for day in range(low, 8, step)})
    if len(days) == 7:
        return "0-6"  # not a star: beside a day of the month that means another thing
    if step == 1 and len(days) > 2:
        return f"0,{low}-6"
    return ",".join(str(day) for day in days)
