"""When a ScheduledJob runs: the slots of a cron schedule in a time zone, exactly as Kubernetes fires them.

Pure: time is an argument, and nothing is read but the time zone database of the tzdata package.
`cron.dialect` reads the text. Where the zone's clock runs evenly, croniter finds the runs on it; near a
clock change `cron.walk` takes the steps that Kubernetes' own library takes. The tests compare the whole
with that library.
"""

import copy
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from typing import Any
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, croniter

from scheduledjob_operator.cron.dialect import read_cron
from scheduledjob_operator.cron.fields import FIELDS, CronFields, ScheduleError
from scheduledjob_operator.cron.walk import YEARS, next_run
from scheduledjob_operator.cron.zones import clock_changes, load_zone

__all__ = ["Schedule", "ScheduleError"]

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9990, 1, 1, tzinfo=UTC)
"""Instants outside count as these. Nothing runs after the latter: the calendar of Python ends soon after."""

_REACH = timedelta(days=32)
"""A clock change that long ago can still show: Kubernetes' search may start from the first of the month."""


@dataclass(frozen=True)
class Schedule:
    """A schedule in a time zone; make one with `parse`. Immutable, hashable, equal by text and zone."""

    expression: str
    """As it was written, without the white space around it."""

    time_zone: str
    """IANA name."""

    canonical: str = field(compare=False)
    """What the CronJob gets: five fields or a macro, accepted by Kubernetes with the same meaning."""

    fields: CronFields = field(compare=False, repr=False)
    """The values of the five fields."""

    @classmethod
    def parse(cls, expression: str, *, time_zone: str = "Etc/UTC") -> "Schedule":
        """Read a schedule of five fields or a macro, in Kubernetes' dialect (see `cron.dialect`).

        Raises ScheduleError, whose text is one sentence for the author, when Kubernetes would refuse it, when
        it would never run, or when there is no such time zone.
        """
        return _parse(expression, time_zone)

    def next_after(self, instant: datetime, *, count: int = 1) -> tuple[datetime, ...]:
        """The next `count` runs strictly after an aware instant, in UTC, oldest first.

        Each is what Kubernetes finds from the one before it: a wall clock that is skipped when the clocks
        go forward has no run, one that is repeated has two. Fewer than `count`, or none, when Kubernetes
        finds no further run within five calendar years. Source: robfig/cron v3.0.1 `spec.go`.
        """
        return tuple(islice(self._runs(after=instant), count))

    def slots_between(self, start: datetime, end: datetime, *, limit: int) -> tuple[datetime, ...]:
        """The runs in (start, end], in UTC, oldest first, and at most the `limit` oldest of them."""
        return tuple(islice(takewhile(lambda run: run <= end, self._runs(after=start)), limit))

    def latest_at_or_before(self, instant: datetime, *, not_before: datetime) -> datetime | None:
        """The latest run in (not_before, instant], in UTC: the last that `next_after` finds from the former.

        Between two clock changes every fitting wall clock is a run, so only the changes are walked over: a
        `not_before` of a year ago costs about a millisecond more than one of yesterday.
        """
        start, end = _whole_second(not_before), _whole_second(instant)
        run = next(self._runs(after=start), None)
        if run is None or run > end:
            return None
        zone = load_zone(self.time_zone)
        for change in clock_changes(zone, since=run, until=end):
            if change <= run:
                continue
            before = self._last_even(zone, since=run, until=change - timedelta(seconds=1))
            run = next(self._runs(after=before), None)
            if run is None or run > end:
                return before
        return self._last_even(zone, since=run, until=end)

    def count_between(self, start: datetime, end: datetime) -> int:
        """How many runs are in (start, end]: as many as `slots_between` would list.

        From the first run after a clock change to the next change every fitting wall clock is a run, so whole
        days are counted at once and only the changes are walked over: a year costs a few milliseconds.
        """
        start, end = _whole_second(start), _whole_second(end)
        zone = load_zone(self.time_zone)
        count = 0
        run = next(self._runs(after=start), None)
        while run is not None and run <= end:
            change = next(iter(clock_changes(zone, since=run, until=end)), None)
            until = change - timedelta(seconds=1) if change else end
            wall, last_wall = run.astimezone(zone), until.astimezone(zone)
            more, span = _count_even(
                self.fields, after=wall.replace(tzinfo=None), until=last_wall.replace(tzinfo=None)
            )
            count += 1 + more
            run = next(self._runs(after=run + span), None)
        return count

    def _runs(self, *, after: datetime) -> Iterator[datetime]:
        """Every run after an instant, in UTC."""
        zone = load_zone(self.time_zone)
        engine = copy.copy(_engine(self.fields))  # its search has a state of its own, so share no engine
        at = _whole_second(after)
        while at < _LAST:
            run = _next_even(engine, zone=zone, after=at) or next_run(self.fields, zone=zone, after=at)
            if run is None:
                return
            at = run.astimezone(UTC)
            yield at

    def _last_even(self, zone: ZoneInfo, *, since: datetime, until: datetime) -> datetime:
        """The latest run up to an instant, no clock change being between it and an earlier run, `since`."""
        engine = copy.copy(_engine(self.fields))
        wall = until.astimezone(zone).replace(tzinfo=None)
        try:
            run: datetime = engine.get_prev(datetime, start_time=wall + timedelta(seconds=1))
        except CroniterBadDateError:
            return since
        return max(since, until - (wall - run))


@lru_cache(maxsize=4096)
def _parse(expression: str, time_zone: str) -> Schedule:
    fields = read_cron(expression)
    load_zone(time_zone)
    return Schedule(expression=expression.strip(), time_zone=time_zone, canonical=fields.text, fields=fields)


def _whole_second(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone: pass an aware datetime")
    return min(max(instant, _FIRST), _LAST).astimezone(UTC).replace(microsecond=0)


def _next_even(engine: Any, *, zone: ZoneInfo, after: datetime) -> datetime | None:
    """The next run after an instant by the wall clock; None when that clock does not run evenly up to it."""
    wall = after.astimezone(zone).replace(tzinfo=None)
    try:
        run: datetime = engine.get_next(datetime, start_time=wall)
    except CroniterBadDateError:
        return None
    at = after + (run - wall)
    if run.year - wall.year > YEARS:
        return None
    return None if clock_changes(zone, since=after - _REACH, until=at + timedelta(days=1)) else at


def _count_even(fields: CronFields, *, after: datetime, until: datetime) -> tuple[int, timedelta]:
    """How many wall clocks in (after, until] fit, and how far the last of them is from `after`, a run.

    It ends early where Kubernetes' search does: at two fitting days more than `YEARS` apart.
    """
    times = _times(fields)
    days = tuple(_days(fields, since=after.date(), until=until.date()))
    if not days:
        return 0, timedelta()
    passed = bisect_right(times, after.time()) if days[0] == after.date() else 0
    on_last = bisect_right(times, until.time()) if days[-1] == until.date() else len(times)
    count = (len(days) - 1) * len(times) + on_last - passed
    if count == 0:
        return 0, timedelta()
    last = datetime.combine(*((days[-1], times[on_last - 1]) if on_last else (days[-2], times[-1])))
    return count, last - after


def _times(fields: CronFields) -> tuple[time, ...]:
    """The times of a day that fit, in order."""
    return tuple(time(hour, minute) for hour in sorted(fields.hours) for minute in sorted(fields.minutes))


def _days(fields: CronFields, *, since: date, until: date) -> Iterator[date]:
    """The days from `since` to `until` that fit, in order, up to the first gap of more than `YEARS`."""
    year = since.year
    for ordinal in range(since.toordinal(), until.toordinal() + 1):
        day = date.fromordinal(ordinal)
        if day.month in fields.months and fields.has_day(day):
            if day.year - year > YEARS:
                return
            year = day.year
            yield day


@lru_cache(maxsize=1024)
def _engine(fields: CronFields) -> Any:
    """A croniter for wall clocks, from plain lists of values, which it reads as Kubernetes does.

    Its own reading of `5-5`, of full lists and of 7 differs, so it never sees the text that was written.
    """
    minutes, hours, days, months, weekdays = (
        "*" if len(values) == place.high - place.low + 1 else ",".join(map(str, sorted(values)))
        for values, place in zip(
            (fields.minutes, fields.hours, fields.days, fields.months, fields.weekdays), FIELDS, strict=True
        )
    )
    if fields.either_day and "*" in {days, weekdays}:
        days = weekdays = "*"
    return croniter(
        f"{minutes} {hours} {days} {months} {weekdays}",
        start_time=datetime(1970, 1, 1),  # noqa: DTZ001  # the wall clock of any zone
        max_years_between_matches=YEARS + 1,
    )
