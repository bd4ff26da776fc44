"""When a ScheduledJob runs: the slots of a schedule, whatever its kind.

Pure: time is an argument, and nothing is read but the time zone database of the tzdata package.
`cron.dialect` reads the text; the kinds are `cron.native` (Kubernetes fires it, and we find exactly its
runs), `cron.wall` (by the clock on the wall, with what Kubernetes does not know) and `cron.intervals`.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, takewhile

from scheduledjob_operator.cron.advice import quoted
from scheduledjob_operator.cron.dialect import read_cron
from scheduledjob_operator.cron.fields import CronFields, ScheduleError
from scheduledjob_operator.cron.intervals import BoundedRuns, IntervalRuns, NoRuns, SingleRun, cron_for
from scheduledjob_operator.cron.kind import FIRST, LAST, SECOND, Kind, whole_second
from scheduledjob_operator.cron.native import NativeRuns
from scheduledjob_operator.cron.notes import notes_on
from scheduledjob_operator.cron.wall import WallRuns
from scheduledjob_operator.cron.zones import load_zone
from scheduledjob_operator.models import ConcurrencyPolicy

__all__ = ["Schedule", "ScheduleError", "clock_change_notes", "every", "fired_by_operator", "never", "once"]

_UTC = "Etc/UTC"
_EVERY = re.compile(
    r"@every (?=[0-9])(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?(?: from (\S+))?", re.ASCII
)
_AT = re.compile(r"@at (\S+)", re.ASCII)
_NEVER = "@never"


@dataclass(frozen=True)
class Schedule:
    """The slots of a schedule of any kind; make one with `parse`, `read`, `every`, `once` or `never`.

    Immutable, hashable, equal by canonical text and zone. Slots are in UTC; `cron.native` and `cron.wall` say
    what they are when the zone changes its clocks.
    """

    canonical: str
    """From this and the zone `read` makes an equal schedule. The CronJob of a native one gets it."""

    time_zone: str
    """IANA name; always Etc/UTC where there is no clock on the wall."""

    expression: str = field(compare=False)
    """As it was written, without the white space around it."""

    fields: CronFields | None = field(compare=False, repr=False)
    """The values of a cron schedule's fields; None for other kinds."""

    kind: Kind = field(compare=False, repr=False)

    @property
    def native(self) -> bool:
        """Whether Kubernetes' own CronJob can fire it."""
        return self.fields is not None and self.fields.native

    @classmethod
    def parse(cls, expression: str, *, time_zone: str = _UTC, spread: str = "") -> "Schedule":
        """Read what a user writes as the schedule: five or six fields or a macro (see `cron.dialect`).

        `spread` is the name whose own value `H` is. Raises ScheduleError, whose text is one sentence for the
        author, when it cannot be read, when it would never run, or when there is no such time zone.
        """
        # Schedules without an H are shared, whatever their names are.
        return _parse(expression, time_zone, spread if "H" in expression.upper() else "")

    @classmethod
    def read(cls, text: str, *, time_zone: str = _UTC) -> "Schedule":
        """Read the canonical text of a schedule of any kind. Raises ScheduleError as `parse` does."""
        return _read(text, time_zone)

    def within(self, *, starts_at: datetime | None, ends_at: datetime | None) -> "Schedule":
        """The slots from `starts_at` to `ends_at` only, both included; the canonical text is the same."""
        if starts_at is None and ends_at is None:
            return self
        first = FIRST if starts_at is None else _no_earlier_second(starts_at)
        last = LAST if ends_at is None else whole_second(ends_at)
        return replace(self, kind=BoundedRuns(self.kind, first=first, last=last))

    def next_after(self, instant: datetime, *, count: int = 1) -> tuple[datetime, ...]:
        """The next `count` slots strictly after an aware instant, oldest first; fewer when no more come."""
        return tuple(islice(self.kind.runs(after=whole_second(instant)), count))

    def slots_between(self, start: datetime, end: datetime, *, limit: int) -> tuple[datetime, ...]:
        """The slots in (start, end], oldest first, and at most the `limit` oldest of them."""
        runs = self.kind.runs(after=whole_second(start))
        return tuple(islice(takewhile(lambda run: run <= end, runs), limit))

    def latest_at_or_before(self, instant: datetime, *, not_before: datetime) -> datetime | None:
        """The latest slot in (not_before, instant]: the last that `next_after` finds from the former."""
        return self.kind.latest(after=whole_second(not_before), until=whole_second(instant))

    def count_between(self, start: datetime, end: datetime) -> int:
        """How many slots are in (start, end]: as many as `slots_between` would list."""
        return self.kind.count(after=whole_second(start), until=whole_second(end))


def fired_by_operator(schedule: Schedule, policy: ConcurrencyPolicy) -> bool:
    """Whether the operator fires a schedule under a policy, because a CronJob cannot."""
    return not schedule.native or policy is ConcurrencyPolicy.QUEUE


def every(interval: timedelta, *, anchor: datetime | None) -> Schedule:
    """A slot at every whole number of intervals from the anchor (the beginning of 1970), before and after it.

    It counts time that passes, so it knows no zone. Where five fields in UTC have the same slots it is
    native. Raises ScheduleError for less than a second and for fractions of one.
    """
    if interval < SECOND or interval % SECOND:
        raise ScheduleError("An interval has whole seconds, and at least one: write for example 90s.")
    anchor = FIRST if anchor is None else _moment(anchor)
    cron = cron_for(interval, anchor=anchor)
    if cron is not None:
        return _parse(cron, _UTC, "")
    shifted = (anchor - FIRST) % interval
    canonical = f"@every {interval // SECOND}s" + (f" from {_text(anchor)}" if shifted else "")
    return _without_zone(canonical, kind=IntervalRuns(interval=interval, anchor=anchor))


def once(at: datetime) -> Schedule:
    """The one slot at an instant, without its fraction of a second."""
    at = _moment(at)
    return _without_zone(f"@at {_text(at)}", kind=SingleRun(at))


def never() -> Schedule:
    """No slot at all: the job runs on demand."""
    return _without_zone(_NEVER, kind=NoRuns())


def clock_change_notes(schedule: Schedule, *, now: datetime) -> str:
    """What the clock changes of the year ahead do to a schedule for certain hours; empty when nothing.

    One sentence without its full stop, about the first two changes that concern it. It stays the same until
    one of them has passed.
    """
    return _notes(schedule, now.astimezone(UTC).date().toordinal())


@lru_cache(maxsize=4096)
def _parse(expression: str, time_zone: str, spread: str) -> Schedule:
    fields = read_cron(expression, spread=spread)
    zone = load_zone(time_zone)
    return Schedule(
        canonical=fields.text,
        time_zone=time_zone,
        expression=expression.strip(),
        fields=fields,
        kind=NativeRuns(fields, zone) if fields.native else WallRuns(fields, zone),
    )


@lru_cache(maxsize=4096)
def _read(text: str, time_zone: str) -> Schedule:
    if text == _NEVER:
        return never()
    if match := _AT.fullmatch(text):
        return once(_read_moment(match[1]))
    if match := _EVERY.fullmatch(text):
        hours, minutes, seconds = (int(part or 0) for part in match.group(1, 2, 3))
        interval = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        return every(interval, anchor=_read_moment(match[4]) if match[4] else None)
    return _parse(text, time_zone, "")


@lru_cache(maxsize=4096)
def _notes(schedule: Schedule, day: int) -> str:
    if schedule.fields is None:
        return ""
    now = datetime.fromordinal(day).replace(tzinfo=UTC)
    return notes_on(schedule.fields, zone=load_zone(schedule.time_zone), kind=schedule.kind, now=now)


def _without_zone(canonical: str, *, kind: Kind) -> Schedule:
    return Schedule(canonical=canonical, time_zone=_UTC, expression=canonical, fields=None, kind=kind)


def _moment(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone: pass an aware datetime")
    return at.astimezone(UTC).replace(microsecond=0)


def _no_earlier_second(at: datetime) -> datetime:
    return whole_second(at + timedelta(microseconds=999_999))


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _read_moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise ScheduleError(f"{quoted(text)} is not a moment: write it as 2026-12-24T08:00:00Z.") from None
