"""What every kind of schedule can say: its runs, its latest run, and how many runs there are."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(9990, 1, 1, tzinfo=UTC)
"""Instants outside count as these. Nothing runs after the latter: the calendar of Python ends soon after."""
SECOND = timedelta(seconds=1)
"""No two runs are closer to each other."""


class Kind(ABC):
    """The runs of one schedule. All instants, given and returned, are whole seconds in UTC."""

    @abstractmethod
    def runs(self, *, after: datetime) -> Iterator[datetime]:
        """Every run strictly after an instant, oldest first."""

    @abstractmethod
    def latest(self, *, after: datetime, until: datetime) -> datetime | None:
        """The latest run in (after, until]."""

    @abstractmethod
    def count(self, *, after: datetime, until: datetime) -> int:
        """How many runs are in (after, until]."""


def whole_second(instant: datetime) -> datetime:
    """An aware instant as the kinds want it: in UTC, within `FIRST` and `LAST`, without the fraction."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone: pass an aware datetime")
    return min(max(instant, FIRST), LAST).astimezone(UTC).replace(microsecond=0)
