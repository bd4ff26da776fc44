"""Days that no list of numbers can name: `L`, `15W` and `LW` of a month; `MON#2` and `FRIL` among weekdays.

Kubernetes knows none of them, so a schedule that has one is fired by the operator.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from scheduledjob_operator.cron import advice_special as advice
from scheduledjob_operator.cron.fields import DAY, WEEKDAY, Field, ScheduleError, SpecialDay
from scheduledjob_operator.cron.values import is_number, plain, read_value

_WEEKDAYS = "|".join(WEEKDAY.names)
_LOOKS_SPECIAL = re.compile(
    rf"#|(?<![A-Z])L(?![A-Z])|(?<![A-Z])(?:L?W|WL)(?![A-Z])|(?<![A-Z])(?:{_WEEKDAYS})L(?![A-Z])"
)
_LAST_DAY = re.compile(r"L(?:-(\d{1,4}))?")
_NEAREST = re.compile(r"(L|\d{1,4})W")
_NTH = re.compile(rf"(\d{{1,4}}|{_WEEKDAYS})#(\d{{1,4}})")
_LAST_WEEKDAY = re.compile(rf"(\d{{1,4}}|{_WEEKDAYS})L")


@dataclass(frozen=True, slots=True)
class LastDay:
    """`L`, and `L-3` for the third day before the last."""

    before: int = 0

    def in_month(self, year: int, month: int) -> int | None:
        day = monthrange(year, month)[1] - self.before
        return day if day > 0 else None


@dataclass(frozen=True, slots=True)
class NearestWeekday:
    """`15W`: the day from Monday to Friday nearest to the 15th in the same month; `LW`: to the last day.

    A month that has no such day has no such weekday, as in Quartz, where the rule comes from.
    """

    day: int | None

    def in_month(self, year: int, month: int) -> int | None:
        length = monthrange(year, month)[1]
        day = length if self.day is None else self.day
        if day > length:
            return None
        weekday = date(year, month, day).isoweekday()
        if weekday == 6:
            return day - 1 if day > 1 else day + 2
        if weekday == 7:
            return day + 1 if day < length else day - 2
        return day


@dataclass(frozen=True, slots=True)
class NthWeekday:
    """`MON#2`: the second Monday of the month; without a number the last one, `MONL`. Sunday is 0."""

    weekday: int
    number: int | None

    def in_month(self, year: int, month: int) -> int | None:
        first, length = monthrange(year, month)
        earliest = 1 + (self.weekday - 1 - first) % 7
        if self.number is None:
            return earliest + (length - earliest) // 7 * 7
        day = earliest + 7 * (self.number - 1)
        return day if day <= length else None


def read_special(item: str, *, field: Field) -> tuple[str, SpecialDay] | None:
    """The canonical text and the day of an item; None for an item that has no `L`, `#` or `W`."""
    text = item.upper() if item.isascii() else item
    if not _LOOKS_SPECIAL.search(text):
        return None
    if field is DAY:
        return _read_day(text)
    if field is WEEKDAY:
        return _read_weekday(text)
    raise ScheduleError(advice.on_wrong_field(item, field=field))


def _read_day(text: str) -> tuple[str, SpecialDay]:
    if last := _LAST_DAY.fullmatch(text):
        before = int(last[1] or 0)
        if last[1] and not 0 < before <= 30:
            raise ScheduleError(advice.on_day_before_last(text))
        return (f"L-{before}" if before else "L"), LastDay(before)
    if nearest := _NEAREST.fullmatch(text):
        if nearest[1] == "L":
            return "LW", NearestWeekday(None)
        day = int(nearest[1])
        if not DAY.low <= day <= DAY.high:
            raise ScheduleError(advice.on_nearest_weekday(text))
        return f"{day}W", NearestWeekday(day)
    if _NTH.fullmatch(text) or _LAST_WEEKDAY.fullmatch(text):
        raise ScheduleError(advice.on_weekday_among_days(text))
    raise ScheduleError(advice.on_special_shape(text, field=DAY))


def _read_weekday(text: str) -> tuple[str, SpecialDay]:
    if nth := _NTH.fullmatch(text):
        weekday, number = _weekday(nth[1], item=text), int(nth[2])
        if not 1 <= number <= 5:
            raise ScheduleError(advice.on_nth(text, weekday=plain(nth[1])))
        return f"{plain(nth[1])}#{number}", NthWeekday(weekday, number)
    if last := _LAST_WEEKDAY.fullmatch(text):
        return f"{plain(last[1])}L", NthWeekday(_weekday(last[1], item=text), None)
    if text == "L":
        raise ScheduleError(advice.ON_LAST_WEEKDAY)
    if _LAST_DAY.fullmatch(text) or _NEAREST.fullmatch(text):
        raise ScheduleError(advice.on_day_among_weekdays(text))
    raise ScheduleError(advice.on_special_shape(text, field=WEEKDAY))


def _weekday(text: str, *, item: str) -> int:
    if is_number(text) and int(text) == 7:
        raise ScheduleError(advice.on_seven(item))
    return read_value(text, field=WEEKDAY)
