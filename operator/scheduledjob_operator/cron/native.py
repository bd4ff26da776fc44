"""The runs of a schedule that Kubernetes fires, exactly as it fires them.

Where the zone's clock runs evenly, croniter finds the runs on it; near a clock change `walk` takes the steps
that Kubernetes' own library takes. The tests compare the whole with that library.
"""

import copy
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, croniter

from scheduledjob_operator.cron.fields import FIELDS, CronFields
from scheduledjob_operator.cron.kind import LAST, Kind
from scheduledjob_operator.cron.walk import YEARS, next_run
from scheduledjob_operator.cron.zones import clock_changes

_REACH = timedelta(days=32)
"""A clock change that long ago can still show: Kubernetes' search may start from the first of the month."""


@dataclass(frozen=True)
class NativeRuns(Kind):
    """The runs of a CronJob.

    Each is what Kubernetes finds from the one before it: a wall clock that is skipped when the clocks go
    forward has no run, one that is repeated has two. They end when Kubernetes finds no further run within
    five calendar years. Source: robfig/cron v3.0.1 `spec.go`.
    """

    fields: CronFields
    zone: ZoneInfo

    def runs(self, *, after: datetime) -> Iterator[datetime]:
        engine = copy.copy(_engine(self.fields))  # its search has a state of its own, so share no engine
        at = after
        while at < LAST:
            run = _next_even(engine, zone=self.zone, after=at) or next_run(
                self.fields, zone=self.zone, after=at
            )
            if run is None:
                return
            at = run.astimezone(UTC)
            yield at

    def latest(self, *, after: datetime, until: datetime) -> datetime | None:
        """The last run that `runs` finds from `after`.

        Between two clock changes every fitting wall clock is a run, so only the changes are walked over: an
        `after` of a year ago costs about a millisecond more than one of yesterday.
        """
        run = next(self.runs(after=after), None)
        if run is None or run > until:
            return None
        for change in clock_changes(self.zone, since=run, until=until):
            if change <= run:
                continue
            before = self._last_even(since=run, until=change - timedelta(seconds=1))
            run = next(self.runs(after=before), None)
            if run is None or run > until:
                return before
        return self._last_even(since=run, until=until)

    def count(self, *, after: datetime, until: datetime) -> int:
        """As many as `runs` would list.

        From the first run after a clock change to the next change every fitting wall clock is a run, so whole
        days are counted at once and only the changes are walked over: a year costs a few milliseconds.
        """
        count = 0
        run = next(self.runs(after=after), None)
        while run is not None and run <= until:
            change = next(iter(clock_changes(self.zone, since=run, until=until)), None)
            end = change - timedelta(seconds=1) if change else until
            wall, last_wall = run.astimezone(self.zone), end.astimezone(self.zone)
            more, span = _count_even(
                self.fields, after=wall.replace(tzinfo=None), until=last_wall.replace(tzinfo=None)
            )
            count += 1 + more
            run = next(self.runs(after=run + span), None)
        return count

    def _last_even(self, *, since: datetime, until: datetime) -> datetime:
        """The latest run up to an instant, no clock change being between it and an earlier run, `since`."""
        engine = copy.copy(_engine(self.fields))
        wall = until.astimezone(self.zone).replace(tzinfo=None)
        try:
            run: datetime = engine.get_prev(datetime, start_time=wall + timedelta(seconds=1))
        except CroniterBadDateError:
            return since
        return max(since, until - (wall - run))


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
