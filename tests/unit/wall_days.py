"""The slots of our own cron schedules found the slow, obvious way: by a look at every minute of some days."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
LOOK_BACK = 3 * DAY
"""What a clock that was put back has shown before is not older than that."""


@dataclass(frozen=True)
class Written:
    """A schedule as lists of values; each day field is a star or a list of items."""

    seconds: tuple[int, ...] = (0,)
    minutes: tuple[int, ...] = (0,)
    hours: tuple[int, ...] = (0,)
    day: str = "*"
    weekday: str = "*"

    @property
    def expression(self) -> str:
        numbers = (",".join(map(str, values)) for values in (self.seconds, self.minutes, self.hours))
        return f"{' '.join(numbers)} {self.day} * {self.weekday}"

    def fits(self, wall: datetime) -> bool:
        """Whether it names a second of this minute."""
        return wall.minute in self.minutes and wall.hour in self.hours and self.fits_day(wall.date())

    def fits_day(self, day: date) -> bool:
        in_month = [in_month_fits(item, day) for item in self.day.split(",")]
        in_week = [in_week_fits(item, day) for item in self.weekday.split(",")]
        return any(in_month) and any(in_week)


def in_month_fits(item: str, day: date) -> bool:
    """Whether this is the day of `*`, `15`, `L`, `L-3`, `15W` or `LW`."""
    month = days_of_month(day)
    if item == "*":
        return True
    if item.endswith("W"):
        number = month[-1].day if item == "LW" else int(item[:-1])
        working = [other for other in month if other.isoweekday() <= 5]
        return number <= month[-1].day and day == min(working, key=lambda other: abs(other.day - number))
    if item.startswith("L"):
        return day + int(item[2:] or 0) * DAY == month[-1]
    return day.day == int(item)


def in_week_fits(item: str, day: date) -> bool:
    """Whether this is the day of `*`, `MON`, `MON#2` or `MONL`."""
    same = [other for other in days_of_month(day) if other.weekday() == day.weekday()]
    if item != "*" and WEEKDAYS.index(item[:3]) != day.weekday():
        return False
    if item.endswith("L") and item != "*":
        return day == same[-1]
    return "#" not in item or same.index(day) + 1 == int(item[4:])


def days_of_month(day: date) -> list[date]:
    first = day.replace(day=1)
    return [first + number * DAY for number in range(31) if (first + number * DAY).month == day.month]


def slots_by_looking(written: Written, *, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """Those in (start, end], in UTC and in order; `start` is a whole minute."""
    found: set[datetime] = set()
    shown: set[datetime] = set()
    before: datetime | None = None
    for at in minutes_between(start - LOOK_BACK, end):
        wall = at.astimezone(zone).replace(tzinfo=None)
        if len(written.hours) == 24:
            if written.fits(wall):
                found.update(at + timedelta(seconds=second) for second in written.seconds)
        else:
            if written.fits(wall) and wall not in shown:
                found.update(at + timedelta(seconds=second) for second in written.seconds)
            if before is not None and any(map(written.fits, minutes_between(before + MINUTE, wall - MINUTE))):
                found.add(at)
        shown.add(wall)
        before = wall
    return sorted(slot for slot in found if start < slot <= end)


def minutes_between(first: datetime, last: datetime) -> Iterator[datetime]:
    """From the first to the last of them, both included."""
    while first <= last:
        yield first
        first += MINUTE
