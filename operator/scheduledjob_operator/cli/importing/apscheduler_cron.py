"""The fields of APScheduler's CronTrigger in the words of a ScheduledJob.

They differ from cron's: 0 is Monday, both day fields have to fit, and a field that is not given is its least
value below the smallest that is given, and any value above it.
Source: APScheduler 3.11, `apscheduler/triggers/cron`.
"""

import re
from typing import Any

from scheduledjob_operator.cli.importing.findings import UnreadableError
from scheduledjob_operator.cli.importing.schedule_text import fitting
from scheduledjob_operator.cron.fields import WEEKDAY

ORDER = ("year", "month", "day", "week", "day_of_week", "hour", "minute", "second")
_LEAST = {"month": "1", "day": "1", "hour": "0", "minute": "0", "second": "0"}
_MONDAY_FIRST = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_POSITION = re.compile(r"(1st|2nd|3rd|4th|5th|last)\s+(mon|tue|wed|thu|fri|sat|sun)")
_SPAN = re.compile(r"(\*|[a-z]{3}|\d+)(?:-([a-z]{3}|\d+))?(?:/(\d+))?")


def cron_of(fields: dict[str, Any]) -> str:
    """The schedule of a CronTrigger's fields. Raises UnreadableError."""
    texts = {name: _text(name, value) for name, value in fields.items() if value is not None}
    smallest = max((ORDER.index(name) for name in texts), default=-1)
    for position, name in enumerate(ORDER):
        texts.setdefault(name, _LEAST.get(name, "*") if 0 <= smallest < position else "*")
    for name in ("year", "week"):
        if texts[name] not in {"*", "*/1"}:
            raise UnreadableError(
                f"{name} has no counterpart in a schedule: leave it out, or bound the schedule with "
                "startsAt and endsAt"
            )
    day, weekday = _days(texts["day"], _weekdays(texts["day_of_week"]))
    five = (texts["minute"], texts["hour"], day, texts["month"], weekday)
    return fitting(" ".join(five if texts["second"] == "0" else (texts["second"], *five)))


def cron_of_five(expression: str) -> str:
    """The schedule of a text for CronTrigger.from_crontab, in which 0 is Monday, too."""
    texts = expression.split()
    if len(texts) == 6:
        raise UnreadableError("from_crontab takes five fields and not six", malformed=True)
    if len(texts) != 5:
        raise UnreadableError(
            f"a crontab expression has five fields and not {len(texts)}: write for example 0 3 * * *",
            malformed=True,
        )
    places = ("minute", "hour", "day", "month", "day_of_week")
    return cron_of({**dict(zip(places, texts, strict=True)), "second": 0})


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise UnreadableError(f"{name} is neither a number nor a text: write for example 3", malformed=True)
    if isinstance(value, int) and not 0 <= value < 10_000:
        raise UnreadableError(f"{name} is no number that a clock has: write for example 3", malformed=True)
    text = re.sub(r"\s*,\s*", ",", str(value).strip().lower())
    if not text:
        raise UnreadableError(f"{name} is empty: write for example 3", malformed=True)
    return text


def _days(day: str, weekday: str) -> tuple[str, str]:
    """The two day fields. APScheduler wants both to fit, and a schedule either of them."""
    if match := _POSITION.fullmatch(day):
        name = match[2].upper()
        day, special = "*", f"{name}L" if match[1] == "last" else f"{name}#{match[1][0]}"
        if weekday != "*":
            raise UnreadableError(_both())
        return day, special
    if _POSITION.search(day):
        raise UnreadableError(f'day "{day}" has no counterpart in a schedule: make a job of each item')
    if day not in {"*", "*/1"} and weekday != "*":
        raise UnreadableError(_both())
    return re.sub(r"\blast\b", "L", day), weekday


def _both() -> str:
    return (
        "day and day_of_week have to fit both, which a schedule cannot say: give one of them, and let the "
        "handler look at the other"
    )


def _weekdays(text: str) -> str:
    """A day_of_week with the names that everybody reads alike, in place of numbers."""
    if text == "*":
        return "*"
    numbers = frozenset().union(*(_span(item) for item in text.split(",")))
    if len(numbers) == 7:
        return "*"
    days = sorted((number + 1) % 7 for number in numbers)
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{WEEKDAY.names[days[0]]}-{WEEKDAY.names[days[-1]]}"
    return ",".join(WEEKDAY.names[day] for day in days)


def _span(item: str) -> frozenset[int]:
    match = _SPAN.fullmatch(item)
    if match is None:
        raise UnreadableError(_no_weekday(item), malformed=True)
    first, last, step = match[1], match[2], int(match[3] or 1)
    low = 0 if first == "*" else _weekday(first)
    high = 6 if first == "*" or (match[3] and not last) else _weekday(last or first)
    if low > high or step < 1:
        raise UnreadableError(_no_weekday(item), malformed=True)
    return frozenset(range(low, high + 1, step))


def _weekday(text: str) -> int:
    if text in _MONDAY_FIRST:
        return _MONDAY_FIRST.index(text)
    if text.isdecimal() and int(text) < 7:
        return int(text)
    raise UnreadableError(_no_weekday(text), malformed=True)


def _no_weekday(text: str) -> str:
    return f'"{text}" is no day_of_week to APScheduler: write 0 (Monday) to 6 or mon to sun'
