"""The kinds without a clock on the wall: every so many seconds, once, and never."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from scheduledjob_operator.cron.kind import FIRST, LAST, SECOND, Kind


@dataclass(frozen=True)
class IntervalRuns(Kind):
    """Runs at `anchor` and at every whole number of intervals before and after it, in time that passes."""

    interval: timedelta
    anchor: datetime

    def runs(self, *, after: datetime) -> Iterator[datetime]:
        number = self._number(after) + 1
        while self.interval * number <= LAST - self.anchor:
            yield self.anchor + self.interval * number
            number += 1

    def latest(self, *, after: datetime, until: datetime) -> datetime | None:
        number = self._number(until)
        return self.anchor + self.interval * number if number > self._number(after) else None

    def count(self, *, after: datetime, until: datetime) -> int:
        return max(0, self._number(until) - self._number(after))

    def _number(self, at: datetime) -> int:
        """The number of the latest run at an instant; that of the anchor is 0."""
        return (at - self.anchor) // self.interval


@dataclass(frozen=True)
class SingleRun(Kind):
    """One run at an instant."""

    at: datetime

    def runs(self, *, after: datetime) -> Iterator[datetime]:
        if after < self.at:
            yield self.at

    def latest(self, *, after: datetime, until: datetime) -> datetime | None:
        return self.at if after < self.at <= until else None

    def count(self, *, after: datetime, until: datetime) -> int:
        return int(after < self.at <= until)


@dataclass(frozen=True)
class BoundedRuns(Kind):
    """The runs of another kind from an instant to another, both included."""

    kind: Kind
    first: datetime
    last: datetime

    def runs(self, *, after: datetime) -> Iterator[datetime]:
        return takewhile(lambda run: run <= self.last, self.kind.runs(after=self._after(after)))

    def latest(self, *, after: datetime, until: datetime) -> datetime | None:
        after, until = self._after(after), min(until, self.last)
        return self.kind.latest(after=after, until=until) if after < until else None

    def count(self, *, after: datetime, until: datetime) -> int:
        after, until = self._after(after), min(until, self.last)
        return self.kind.count(after=after, until=until) if after < until else 0

    def _after(self, after: datetime) -> datetime:
        return max(after, self.first - SECOND)


class NoRuns(Kind):
    """On demand: no run is ever due."""

    def runs(self, *, after: datetime) -> Iterator[datetime]:  # noqa: ARG002
        return iter(())

    def latest(self, *, after: datetime, until: datetime) -> datetime | None:  # noqa: ARG002
        return None

    def count(self, *, after: datetime, until: datetime) -> int:  # noqa: ARG002
        return 0


def cron_for(interval: timedelta, *, anchor: datetime) -> str | None:
    """The five fields that run at the same instants in UTC; None when there are none.

    There are some for whole minutes that divide the hour, and for whole hours that divide the day, where the
    anchor lies on a whole minute.
    """
    minutes, rest = divmod(interval // SECOND, 60)
    if rest or minutes == 0 or (60 % minutes and (minutes % 60 or 24 * 60 % minutes)):
        return None
    offset = (anchor - FIRST) % interval
    if offset % timedelta(minutes=1):
        return None
    hour, minute = divmod(offset // timedelta(minutes=1), 60)
    if minutes < 60:
        return f"{_stepped(minute, minutes, size=60)} * * * *"
    return f"{minute} {_stepped(hour, minutes // 60, size=24)} * * *"


def _stepped(first: int, step: int, *, size: int) -> str:
    """Every `step` values of a field from `first` on."""
    if step == size:
        return str(first)
    if first == 0:
        return "*" if step == 1 else f"*/{step}"
    return f"{first}-{size - 1}/{step}"
