"""The times of a crontab line, as crontab(5) reads them, in the words of a ScheduledJob."""

import re

from scheduledjob_operator.cli.importing.findings import UnreadableError
from scheduledjob_operator.cron.dialect import MACROS
from scheduledjob_operator.cron.fields import FIELDS, WEEKDAY, Field, ScheduleError
from scheduledjob_operator.cron.values import read_step, read_value

_RANDOM = re.compile(r"(\d*)~(\d*)(/\d+)?")


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
    return " ".join(fields)


def _stepped_star(text: str, *, other: str) -> bool:
    stepped = text.startswith("*/") and text != "*/1"
    return stepped and other not in {"*", "*/1"}


def _field(text: str, *, field: Field) -> str:
    try:
        return ",".join(_item(item, field=field) for item in text.split(","))
    except ScheduleError as error:
        raise UnreadableError(str(error), malformed=True) from None


def _item(item: str, *, field: Field) -> str:
    if match := _RANDOM.fullmatch(item):
        low, high, step = match[1] or field.low, match[2] or field.high, match[3] or ""
        return f"H({low}-{high}){step}"
    span, slash, step_text = item.partition("/")
    step = read_step(step_text, item=item, field=field) if slash else 1
    if span == "*":
        return item
    first, hyphen, last = span.partition("-")
    low = read_value(first, field=field)
    high = read_value(last, field=field) if hyphen else low
    if low > high:
        raise UnreadableError(
            f'the range "{item}" runs backwards, which Kubernetes refuses: write the two ranges '
            f"{first}-{field.high},{field.low}-{last} in place of it"
        )
    return item if field is not WEEKDAY or high != 7 else _with_sunday(low, step=step)


def _with_sunday(low: int, *, step: int) -> str:
    """A range up to Sunday as the seventh day, which Kubernetes does not know."""
    days = sorted({day % 7 for day in range(low, 8, step)})
    if len(days) == 7:
        return "0-6"  # not a star: beside a day of the month that means another thing
    if step == 1 and len(days) > 2:
        return f"0,{low}-6"
    return ",".join(str(day) for day in days)
