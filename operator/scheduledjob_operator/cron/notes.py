"""What the clock changes of the year ahead do to a schedule for certain hours, in a sentence."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from scheduledjob_operator.cron.clock import WallClock
from scheduledjob_operator.cron.fields import CronFields
from scheduledjob_operator.cron.kind import FIRST, LAST, SECOND, Kind
from scheduledjob_operator.cron.wall import Stretch, stretches
from scheduledjob_operator.cron.zones import clock_changes

AHEAD = timedelta(days=372)
"""A year and a week, because summer time begins 52 or 53 weeks after it last did: so the note is the same on
every day between two changes."""

MOST_CHANGES = 2

_LOOK_BACK = timedelta(days=35)
"""A run before a change, from which Kubernetes looks for the next one, is looked for so far back."""


def notes_on(fields: CronFields, *, zone: ZoneInfo, kind: Kind, now: datetime) -> str:
    """What happens to the slots at the first two changes after `now` that concern any; empty when nothing.

    `kind` has the runs of these fields in the zone, so what is said is what happens: near some changes
    Kubernetes leaves out times that do exist, or runs at others.
    """
    if fields.every_hour:
        return ""
    clock = WallClock(fields)
    notes: list[str] = []
    concerned = 0
    for at in clock_changes(zone, since=max(now, FIRST), until=min(now + AHEAD, LAST)):
        stretch = next(stretch for stretch in stretches(zone, at.year) if stretch.start == at)
        found = list(_Change(clock, stretch, kind).notes())
        notes += found
        concerned += bool(found)
        if concerned == MOST_CHANGES:
            break
    return "; ".join([_with_zone(note, zone.key or "") for note in notes[:1]] + notes[1:])


def _with_zone(note: str, zone: str) -> str:
    """The first clause says whose clocks they are."""
    if "the clocks" in note:
        return note.replace("the clocks", f"the clocks of {zone}", 1)
    day, _, rest = note.removeprefix("on ").partition(" ")
    return f"on {day} in {zone} {rest}"


@dataclass(frozen=True)
class _Change:
    """A clock change, at the start of a stretch."""

    clock: WallClock
    stretch: Stretch
    kind: Kind

    def notes(self) -> Iterator[str]:
        """A clause for everything that it does."""
        here = self.stretch.wall(self.stretch.start)
        would_be = here - self.stretch.offset + self.stretch.offset_before
        run = self._first_run() if self.clock.fields.native else None
        again_from = max(here, self.stretch.wall(run) if run else would_be)
        if skipped := self._slots(would_be, before=here):
            yield _on_skipped(skipped, made_up_at=None if self.clock.fields.native else here)
        if twice := self._slots(again_from, before=would_be):
            yield f"{_on_repeated(twice)} twice"
        if single := self._slots(here, before=min(again_from, would_be)):
            yield f"{_on_repeated(single)} the first time only"
        if run is not None:
            yield from self._oddities(run, since=max(here, would_be))

    def _first_run(self) -> datetime | None:
        """The first run from the change on, as Kubernetes finds it from the run before."""
        change = self.stretch.start
        before = self.kind.latest(after=change - _LOOK_BACK, until=change - SECOND)
        return next(self.kind.runs(after=before or change - _LOOK_BACK), None)

    def _oddities(self, run: datetime, *, since: datetime) -> Iterator[str]:
        """What Kubernetes leaves out before its first run, and whether the schedule names that run at all.

        After it, it keeps to the schedule again.
        """
        wall = self.stretch.wall(min(run, self.stretch.end))
        if left_out := self._slots(since, before=wall):
            yield f"on {left_out.day} Kubernetes leaves out {left_out}, because the clocks change"
        if run < self.stretch.end and not self._slots(wall, before=wall + SECOND):
            yield f"on {wall:%Y-%m-%d} Kubernetes runs it at {wall:%H:%M} besides, because the clocks change"

    def _slots(self, since: datetime, *, before: datetime) -> "_Slots | None":
        """The slots that the schedule names in [since, before)."""
        first = self.clock.first(since=since, before=before)
        last = self.clock.last(since=since, before=before)
        if first is None or last is None:
            return None
        return _Slots(first, last, self.clock.count(since=since, before=before))


@dataclass(frozen=True)
class _Slots:
    """Wall clocks in order: the first, the last and how many."""

    first: datetime
    last: datetime
    count: int

    @property
    def day(self) -> str:
        return f"{self.first:%Y-%m-%d}"

    def verb(self, one: str, many: str) -> str:
        return one if self.count == 1 else many

    def __str__(self) -> str:
        if self.count == 1:
            return _time(self.first)
        return f"{_time(self.first)} to {_time(self.last)} ({self.count:,} slots)"


def _on_skipped(slots: _Slots, *, made_up_at: datetime | None) -> str:
    skip = f"on {slots.day} the clocks skip {slots}, so"
    if made_up_at is None:
        return f"{skip} {slots.verb('that slot does', 'those slots do')} not run"
    day = "" if made_up_at.date() == slots.first.date() else f" on {made_up_at:%Y-%m-%d}"
    at = f"{_time(made_up_at)}{day}"
    return f"{skip} that slot runs at {at} instead" if slots.count == 1 else f"{skip} they run once, at {at}"


def _on_repeated(slots: _Slots) -> str:
    return f"on {slots.day} {slots} {slots.verb('comes twice and runs', 'come twice and run')}"


def _time(wall: datetime) -> str:
    return f"{wall:%H:%M:%S}" if wall.second else f"{wall:%H:%M}"
