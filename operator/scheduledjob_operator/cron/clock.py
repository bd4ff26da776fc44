"""The wall clocks that fit a schedule, found and counted on naive datetimes: zones come in with `wall`."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property, lru_cache

from scheduledjob_operator.cron.fields import CronFields

_DAY_CACHE = 8192


@dataclass(frozen=True)
class WallClock:
    """The wall clocks of a schedule in order. The times of its days are numbered: 0 is the first of a day."""

    fields: CronFields

    @cached_property
    def per_day(self) -> int:
        """How many times a day has."""
        return len(self._hours) * len(self._minutes) * len(self._seconds)

    @cached_property
    def _hours(self) -> tuple[int, ...]:
        return tuple(sorted(self.fields.hours))

    @cached_property
    def _minutes(self) -> tuple[int, ...]:
        return tuple(sorted(self.fields.minutes))

    @cached_property
    def _seconds(self) -> tuple[int, ...]:
        return tuple(sorted(self.fields.seconds))

    def first(self, *, since: datetime, before: datetime) -> datetime | None:
        """The first that fits in [since, before)."""
        return next(self.between(since=since, before=before), None)

    def last(self, *, since: datetime, before: datetime) -> datetime | None:
        """The last that fits in [since, before)."""
        if since >= before:
            return None
        number = self._number(before.time())
        for day in self._days_back(before.date(), until=since.date()):
            if day < before.date():
                number = self.per_day
            if number > 0:
                found = datetime.combine(day, self._time(number - 1))
                return found if found >= since else None
        return None

    def between(self, *, since: datetime, before: datetime) -> Iterator[datetime]:
        """Those that fit in [since, before), in order."""
        if since >= before:
            return
        number = self._number(since.time())
        for day in self._days(since.date(), until=before.date()):
            first = number if day == since.date() else 0
            for index in range(first, self.per_day):
                found = datetime.combine(day, self._time(index))
                if found >= before:
                    return
                yield found

    def count(self, *, since: datetime, before: datetime) -> int:
        """How many fit in [since, before)."""
        if since >= before:
            return 0
        count = 0
        for year, month in _months(since.date(), before.date()):
            days = _days_of(self.fields, year, month)
            first = since.day if (year, month) == (since.year, since.month) else 1
            after = before.day if (year, month) == (before.year, before.month) else 32
            count += bisect_left(days, after) - bisect_left(days, first)
        count *= self.per_day
        if self._has(since.date()):
            count -= self._number(since.time())
        if self._has(before.date()):
            count += self._number(before.time())
        return count

    def _has(self, day: date) -> bool:
        return day.month in self.fields.months and self.fields.has_day(day)

    def _number(self, at: time) -> int:
        """How many times of a day are before this one."""
        hour, minute, second = (
            bisect_left(self._hours, at.hour),
            bisect_left(self._minutes, at.minute),
            bisect_left(self._seconds, at.second),
        )
        if hour == len(self._hours) or self._hours[hour] != at.hour:
            minute = second = 0
        elif minute == len(self._minutes) or self._minutes[minute] != at.minute:
            second = 0
        return (hour * len(self._minutes) + minute) * len(self._seconds) + second

    def _time(self, number: int) -> time:
        minutes, second = divmod(number, len(self._seconds))
        hour, minute = divmod(minutes, len(self._minutes))
        return time(self._hours[hour], self._minutes[minute], self._seconds[second])

    def _days(self, since: date, *, until: date) -> Iterator[date]:
        for year, month in _months(since, until):
            for day in _days_of(self.fields, year, month):
                if since <= (found := date(year, month, day)):
                    if found > until:
                        return
                    yield found

    def _days_back(self, since: date, *, until: date) -> Iterator[date]:
        for year, month in _months(since, until):
            for day in reversed(_days_of(self.fields, year, month)):
                if since >= (found := date(year, month, day)):
                    if found < until:
                        return
                    yield found


def _months(first: date, last: date) -> Iterator[tuple[int, int]]:
    """The months from one to the other, forwards or backwards."""
    start, end = first.year * 12 + first.month - 1, last.year * 12 + last.month - 1
    step = 1 if start <= end else -1
    for number in range(start, end + step, step):
        year, month = divmod(number, 12)
        yield year, month + 1


@lru_cache(maxsize=_DAY_CACHE)
def _days_of(fields: CronFields, year: int, month: int) -> tuple[int, ...]:
    if month not in fields.months:
        return ()
    first = date(year, month, 1).toordinal()
    after = date(year + month // 12, month % 12 + 1, 1).toordinal()
    return tuple(
        ordinal - first + 1 for ordinal in range(first, after) if fields.has_day(date.fromordinal(ordinal))
    )
