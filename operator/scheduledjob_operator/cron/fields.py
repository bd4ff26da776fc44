"""The fields of a schedule: what each may hold, and what a schedule holds once it was read."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol


class ScheduleError(ValueError):
    """A schedule or time zone that cannot be used; its text is one sentence saying what to write instead."""


class NoSuchDateError(ScheduleError):
    """One that Kubernetes takes and never runs, as no year has such a day."""


@dataclass(frozen=True, slots=True)
class Field:
    """One of the places of a schedule; `names[i]` stands for the value `low + i`."""

    noun: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """The values in words, for example "1 to 12 or JAN to DEC"."""
        numbers = f"{self.low} to {self.high}"
        return f"{numbers} or {self.names[0]} to {self.names[-1]}" if self.names else numbers

    def last_beside(self, first: str) -> str:
        """The highest value, as a name when the first value of the range is one."""
        return self.names[-1] if self.names and first.isalpha() else str(self.high)


SECOND = Field("second", 0, 59)
MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
DAY = Field("day of the month", 1, 31)
MONTH = Field(
    "month", 1, 12, ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
)
WEEKDAY = Field("day of the week", 0, 6, ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))
FIELDS = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)
"""Those of Kubernetes. A sixth, `SECOND`, may stand before them."""

LONGEST_MONTHS = {1: 31, 2: 29, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}


class SpecialDay(Protocol):
    """A day that is another number in every month, such as the last one."""

    def in_month(self, year: int, month: int) -> int | None:
        """Its number in this month; None when the month has no such day."""


@dataclass(frozen=True, slots=True)
class CronFields:
    """A schedule that was read: the values of each field (weekday 0 is Sunday) and its canonical text."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    """Neither day field has a star: a day of the month or a day of the week is enough. Else both must fit."""
    seconds: frozenset[int] = frozenset({0})
    special_days: tuple[SpecialDay, ...] = ()
    """Days besides those of the two day fields."""

    @property
    def native(self) -> bool:
        """Whether Kubernetes can read the text."""
        return self.seconds == {0} and not self.special_days

    @property
    def every_hour(self) -> bool:
        return len(self.hours) == HOUR.high - HOUR.low + 1

    def has_day(self, day: date) -> bool:
        """Whether the two day fields allow this day, whatever its month."""
        in_month = day.day in self.days
        in_week = day.isoweekday() % 7 in self.weekdays
        if in_month or in_week if self.either_day else in_month and in_week:
            return True
        return any(special.in_month(day.year, day.month) == day.day for special in self.special_days)
