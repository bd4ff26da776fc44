"""The next run, found step by step exactly as Kubernetes finds it: for the days around a clock change.

Where the clocks do not change, Kubernetes' next run is the next minute whose wall clock fits the schedule,
and `schedule` asks croniter for it. Near a change it is whatever the steps of robfig/cron come by: a time
that the clocks jump over is left out, one that they repeat runs twice, a day whose midnight is missing may
be passed over whole (Cairo) or entered without a look at its date (Santiago), and after Lord Howe's half
hour the steps are half an hour off until midnight. So the steps themselves are the specification, and
`next_run` takes the same ones: those of `(*SpecSchedule).Next` in `spec.go` of robfig/cron v3.0.1 (MIT
licence, Copyright (C) 2012 Rob Figueiredo), with the calendar arithmetic of Go's `time.Date` for wall
clocks that do not exist or exist twice.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

from scheduledjob_operator.cron.fields import CronFields

YEARS = 5
"""How far ahead Kubernetes looks for a run, in calendar years of the zone."""


def next_run(fields: CronFields, *, zone: tzinfo, after: datetime) -> datetime | None:
    """The first run after a whole second, in the zone; None when there is none within `YEARS`."""
    walk = _Walk(fields, at=_move(after.astimezone(zone), seconds=1))
    last_year = walk.at.year + YEARS
    while walk.at.year <= last_year:
        if not any(step() for step in walk.steps):
            return walk.at
    return None


class _Walk:
    """Where robfig's search stands. Each step moves `at` on to a time that fits one field.

    A step returns True when it came to the start of a larger unit (a year, a month, a day, an hour, a
    minute), so that the search has to begin again with the months: the label WRAP of the original.
    """

    def __init__(self, fields: CronFields, *, at: datetime) -> None:
        self.fields = fields
        self.at = at
        self.moved = False  # once moved, the parts smaller than the step at hand count as reset
        self.steps: tuple[Callable[[], bool], ...] = (
            self._to_month, self._to_day, self._to_hour, self._to_minute, self._to_second,
        )  # fmt: skip

    def _to_month(self) -> bool:
        while self.at.month not in self.fields.months:
            if not self.moved:
                self.moved = True
                self.at = _go_date(self.at.replace(day=1, hour=0, minute=0, second=0), zone=self.at.tzinfo)
            year, month = (self.at.year + 1, 1) if self.at.month == 12 else (self.at.year, self.at.month + 1)
            first = self.at.replace(year=year, month=month, day=1)
            self.at = _go_date(first + timedelta(days=self.at.day - 1), zone=self.at.tzinfo)
            if self.at.month == 1:
                return True
        return False

    def _to_day(self) -> bool:
        while not self.fields.has_day(self.at):
            if not self.moved:
                self.moved = True
                self.at = _go_date(self.at.replace(hour=0, minute=0, second=0), zone=self.at.tzinfo)
            before = self.at
            self.at = _go_date(before + timedelta(days=1), zone=before.tzinfo)
            if self.at == before:
                # The zone leaves out the next day (Samoa, 30 December 2011): robfig stays here for ever.
                self.at = _move(before, seconds=24 * 3600)
            if self.at.hour != 0:  # midnight is missing on this day
                hours = 24 - self.at.hour if self.at.hour > 12 else -self.at.hour
                self.at = _move(self.at, seconds=hours * 3600)
            if self.at.day == 1:
                return True
        return False

    def _to_hour(self) -> bool:
        while self.at.hour not in self.fields.hours:
            if not self.moved:
                self.moved = True
                self.at = _go_date(self.at.replace(minute=0, second=0), zone=self.at.tzinfo)
            self.at = _move(self.at, seconds=3600)
            if self.at.hour == 0:
                return True
        return False

    def _to_minute(self) -> bool:
        while self.at.minute not in self.fields.minutes:
            if not self.moved:
                self.moved = True
                self.at = _move(self.at, seconds=-self.at.second)
            self.at = _move(self.at, seconds=60)
            if self.at.minute == 0:
                return True
        return False

    def _to_second(self) -> bool:
        if self.at.second == 0:
            return False
        self.moved = True
        self.at = _move(self.at, seconds=60 - self.at.second)
        return True


def _move(at: datetime, *, seconds: int) -> datetime:
    """That many real seconds later, whatever the clocks do meanwhile."""
    return (at.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(at.tzinfo)


def _go_date(wall: datetime, *, zone: tzinfo | None) -> datetime:
    """The instant that Go's `time.Date` takes for a wall clock, with two looks at the offset, first as if
    in UTC.

    It matters for a wall clock that the zone skips or repeats, where Python's `fold` has another rule.
    """
    as_utc = wall.replace(tzinfo=UTC, fold=0)
    guess = as_utc - _offset(as_utc, zone)
    return (as_utc - _offset(guess, zone)).astimezone(zone)


def _offset(at: datetime, zone: tzinfo | None) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)
