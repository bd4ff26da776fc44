"""The runs of a schedule by the clock on the wall that Kubernetes cannot fire: with seconds, `L`, `#` or `W`.

When the zone changes its clocks:

- A schedule for certain hours runs once for each time that it names. Those that the clocks skip are made up
  for by one run at the first instant after the gap, where one may be due anyway. A time that comes twice
  runs the first time only.
- A schedule for every hour follows the time that really passes: the runs go on in the hour that comes twice,
  and none is added after a gap. A job of every two seconds must not pause for an hour.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from scheduledjob_operator.cron.clock import WallClock
from scheduledjob_operator.cron.fields import CronFields
from scheduledjob_operator.cron.kind import LAST, SECOND, Kind
from scheduledjob_operator.cron.zones import clock_changes

_REPEATED = timedelta(days=2)
"""A change that long ago may still have its repeated times going on: a zone has gone back a whole day."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which the zone's clock runs evenly, at most as long as a year in UTC; `end` is outside."""

    start: datetime
    end: datetime
    offset: timedelta
    offset_before: timedelta
    """What the clock was set to just before the start: less when the start is the end of a gap."""
    new_from: datetime
    """The wall clock from which on nothing is a repetition of what the clock showed before."""

    def wall(self, at: datetime) -> datetime:
        return at.replace(tzinfo=None) + self.offset

    def instant(self, wall: datetime) -> datetime:
        return (wall - self.offset).replace(tzinfo=UTC)


@lru_cache(maxsize=4096)
def stretches(zone: ZoneInfo, year: int) -> tuple[Stretch, ...]:
    """The stretches of a year in UTC, in order and without a gap between them."""
    start, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    changes = [change for change in clock_changes(zone, since=start, until=end) if change < end]
    return tuple(
        _stretch(zone, start=since, end=until)
        for since, until in zip([start, *changes], [*changes, end], strict=True)
    )


def _stretch(zone: ZoneInfo, *, start: datetime, end: datetime) -> Stretch:
    offset = offset_at(zone, start)
    recent = clock_changes(zone, since=start - _REPEATED, until=start)
    shown = [change.replace(tzinfo=None) + offset_at(zone, change - SECOND) for change in recent]
    return Stretch(
        start=start,
        end=end,
        offset=offset,
        offset_before=offset_at(zone, start - SECOND),
        new_from=max([start.replace(tzinfo=None) + offset, *shown]),
    )


def offset_at(zone: ZoneInfo, at: datetime) -> timedelta:
    """How far the zone's clock is ahead of UTC."""
    return at.astimezone(zone).utcoffset() or timedelta(0)


@dataclass(frozen=True)
class WallRuns(Kind):
    """The runs of the operator's own cron schedules; the module says what a change of the clocks does."""

    fields: CronFields
    zone: ZoneInfo

    @cached_property
    def _clock(self) -> WallClock:
        return WallClock(self.fields)

    def runs(self, *, after: datetime) -> Iterator[datetime]:
        since = after + SECOND
        for stretch in self._forward(since, LAST):
            if since <= stretch.start and self._is_made_up_for(stretch):
                yield stretch.start
            for wall in self._clock.between(**self._walls(stretch, since=since, before=LAST + SECOND)):
                yield stretch.instant(wall)

    def latest(self, *, after: datetime, until: datetime) -> datetime | None:
        since, before = after + SECOND, until + SECOND
        for stretch in self._backward(until, since):
            wall = self._clock.last(**self._walls(stretch, since=since, before=before))
            if wall is not None:
                return stretch.instant(wall)
            if since <= stretch.start < before and self._is_made_up_for(stretch):
                return stretch.start
        return None

    def count(self, *, after: datetime, until: datetime) -> int:
        since, before = after + SECOND, until + SECOND
        count = 0
        for stretch in self._forward(since, until):
            count += self._clock.count(**self._walls(stretch, since=since, before=before))
            count += since <= stretch.start < before and self._is_made_up_for(stretch)
        return count

    def _forward(self, since: datetime, until: datetime) -> Iterator[Stretch]:
        for year in range(since.year, until.year + 1):
            yield from (stretch for stretch in stretches(self.zone, year) if stretch.end > since)

    def _backward(self, until: datetime, since: datetime) -> Iterator[Stretch]:
        for year in range(until.year, since.year - 1, -1):
            yield from (stretch for stretch in reversed(stretches(self.zone, year)) if stretch.start <= until)

    def _walls(self, stretch: Stretch, *, since: datetime, before: datetime) -> dict[str, datetime]:
        """The wall clocks of a stretch that have a run of their own, from one instant to another."""
        first = stretch.wall(max(since, stretch.start))
        if not self.fields.every_hour:
            first = max(first, stretch.new_from)
        return {"since": first, "before": stretch.wall(min(before, stretch.end))}

    def _is_made_up_for(self, stretch: Stretch) -> bool:
        """Whether the start of the stretch runs in place of the times that the clocks have skipped."""
        if self.fields.every_hour or stretch.offset <= stretch.offset_before:
            return False
        here = stretch.wall(stretch.start)
        skipped = here - (stretch.offset - stretch.offset_before)
        # What is due at the first instant anyway is among the wall clocks of the stretch.
        return (
            self._clock.first(since=here, before=here + SECOND) is None
            and self._clock.first(since=skipped, before=here) is not None
        )
