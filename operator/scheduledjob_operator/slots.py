"""Every slot gets one verdict: that of its run, or Skipped, or Missed. Here are those without a run. Pure.

The slots from a high-water mark to now are looked at in order, and the mark moves behind those decided. A
slot is left undecided for as long as Kubernetes may still start it. Its CronJob controller starts only the
latest slot that has passed, and none later than `startingDeadlineSeconds`: a slot is given up when a later
one has passed or has a run, or when its deadline is over. Source: `mostRecentScheduleTime` and `syncCronJob`
in `pkg/controller/cronjob` of Kubernetes. What the operator fires by itself goes by the same rules, less the
patience: it knows what it has started.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby, pairwise

from scheduledjob_operator.activity import SETTLING, Activity, Span
from scheduledjob_operator.cron.kind import SECOND
from scheduledjob_operator.models import CatchUp, CatchUpPolicy, ConcurrencyPolicy, Result, Unstarted
from scheduledjob_operator.names import SlotReason
from scheduledjob_operator.schedule import Schedule

MOST_SLOTS = 10_000
"""How many slots are looked at one by one in one call: a week of every minute."""

_MISSED = (SlotReason.NOTHING_STARTED_IT, SlotReason.STARTING_DEADLINE)
_A_MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
_A_MINUTE_OF_SECONDS = 61
_FOR_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """What the CronJob in the cluster stood for, from the last accounting until now."""

    schedule: Schedule
    concurrency_policy: ConcurrencyPolicy
    starting_deadline: timedelta
    suspended: SlotReason | None
    """Why no slot was to run: DISABLED, PAUSED, SUSPENDED or OUT_OF_BOUNDS; None while in force."""
    final: bool = False
    """Whether it changes now: no slot up to now will be started by Kubernetes any more."""
    by_operator: bool = False
    """Whether the operator starts its slots, and not Kubernetes."""
    room: int = 0
    """With Queue: how many more slots may wait."""

    @property
    def settling(self) -> timedelta:
        """How long a slot may still be on its way when a later one has come."""
        return timedelta() if self.by_operator else SETTLING

    @property
    def queues(self) -> bool:
        """Whether a slot waits for the end of the run that is active."""
        return self.concurrency_policy is ConcurrencyPolicy.QUEUE

    @property
    def excludes(self) -> bool:
        """Whether a slot has no run because another run is active."""
        replaces = self.concurrency_policy is ConcurrencyPolicy.REPLACE and self.by_operator
        return self.concurrency_policy is ConcurrencyPolicy.FORBID or replaces


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """What became of the slots up to a new high-water mark."""

    until: datetime
    """The new high-water mark: that of before when nothing was accounted. It never goes back."""
    verdicts: tuple[Unstarted, ...] = ()
    """The new ones, oldest first; neighbours with one result and reason are one entry."""
    to_catch_up: tuple[datetime, ...] = ()
    """Slots to be started after all, oldest first. They are accounted, and in no verdict."""
    to_queue: tuple[datetime, ...] = ()
    """Slots that wait for the active run to end, oldest first. They are accounted, and in no verdict."""
    look_again: datetime | None = None
    """When a slot that is undecided now gets decided by time alone."""

    @property
    def urgent(self) -> bool:
        """Whether it is worth a status write of its own: a slot was missed, or is to be caught up."""
        return bool(self.to_catch_up) or any(entry.result is Result.MISSED for entry in self.verdicts)


@lru_cache(maxsize=4096)
def shortest_gap(schedule: Schedule) -> timedelta | None:
    """The least time between two slots, as a week in winter shows it; None when there are no two."""
    slots = schedule.next_after(_A_MONDAY, count=_A_MINUTE_OF_SECONDS)
    return min((later - slot for slot, later in pairwise(slots)), default=None)


def account(
    *,
    since: datetime,
    now: datetime,
    timetable: Timetable,
    spans: Sequence[Span],
    catch_up: CatchUp,
    unseen_before: datetime | None = None,
) -> Accounts:
    """The verdicts on the slots in (since, now] that have no run.

    `spans` are the runs known, active and ended, whatever asked for them; a slot that one of them names is
    accounted without a verdict. A slot before `unseen_before` may have had a Job that came and went while
    nobody looked: without a run it is Unknown, and is not caught up. `until` becomes the last slot accounted,
    which is where Kubernetes' own search for the next one begins. With `final` it becomes `now`, to the
    second: what comes later belongs to another timetable. Of more than `MOST_SLOTS` slots in force the oldest
    are accounted, and `look_again` is `now`: call again, with `final` before the timetable changes. Nothing
    is accounted when the clock was set back behind `since`.
    """
    started = frozenset(span.slot for span in spans if span.slot is not None)
    period = _Period(
        since=since, now=now, timetable=timetable, started=started, unseen_before=unseen_before or since
    )
    if timetable.suspended is not None:
        return _suspended(period, reason=timetable.suspended)
    return _in_force(period, spans=spans, catch_up=catch_up)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Period:
    """The time from the mark to now, and the slots that runs name."""

    since: datetime
    now: datetime
    timetable: Timetable
    started: frozenset[datetime]
    unseen_before: datetime

    def mark(self, last: datetime | None) -> datetime:
        """The new mark when every slot was accounted, of which `last` is the newest."""
        if self.timetable.final:
            return max(self.since, self.now.replace(microsecond=0))
        return last or self.since


def _suspended(period: _Period, *, reason: SlotReason) -> Accounts:
    """All slots at once, however many there are: a year of every minute costs milliseconds."""
    schedule, since = period.timetable.schedule, period.since
    last = newest = schedule.latest_at_or_before(period.now, not_before=since)
    # A run may name any time as its slot: only the schedule's own slots are in the count.
    own = {
        slot
        for slot in period.started
        if since < slot <= period.now and schedule.latest_at_or_before(slot, not_before=since) == slot
    }
    count = schedule.count_between(since, period.now) - len(own)
    if count <= 0:
        return Accounts(until=period.mark(newest))
    first = next(slot for slot in schedule.next_after(since, count=len(own) + 1) if slot not in own)
    while last in own:
        last = schedule.latest_at_or_before(last - SECOND, not_before=since)
    entry = Unstarted(
        result=Result.SKIPPED, reason=reason.value, count=count, first=first, last=last or first
    )
    return Accounts(until=period.mark(newest), verdicts=(entry,))


def _in_force(period: _Period, *, spans: Sequence[Span], catch_up: CatchUp) -> Accounts:
    """Slot by slot."""
    active = Activity.during(spans)
    timetable, slots = period.timetable, _Slots.look(period, active=active)
    without_run = [slot for slot in slots.decided if slot not in period.started]
    seen = [slot for slot in without_run if slot >= period.unseen_before]
    overlapping: list[datetime] = []
    if timetable.queues or timetable.excludes:
        overlapping = [slot for slot in seen if active.at(slot) or (slots.busy and slot == slots.decided[-1])]
    queued = overlapping[: timetable.room] if timetable.queues else []
    skipped = set(overlapping[len(queued) :])
    missed = [slot for slot in seen if slot not in skipped and slot not in queued]
    to_catch_up = _to_catch_up(missed, slots=slots, catch_up=catch_up, period=period)
    newest = slots.decided[-1] if slots.decided and not slots.undecided else None
    overdue = newest is not None and newest + timetable.starting_deadline < period.now

    def reason(slot: datetime) -> SlotReason:
        if slot < period.unseen_before:
            return SlotReason.NOT_OBSERVED
        if slot in skipped:
            return SlotReason.QUEUE_FULL if timetable.queues else SlotReason.OVERLAP_FORBIDDEN
        late = overdue and slot == newest
        return SlotReason.STARTING_DEADLINE if late else SlotReason.NOTHING_STARTED_IT

    given_up = sorted(set(without_run).difference(to_catch_up, queued))
    last = slots.decided[-1] if slots.decided else None
    return Accounts(
        until=(last or period.since) if slots.undecided else period.mark(last),
        verdicts=tuple(_entry(why, list(group)) for why, group in groupby(given_up, key=reason)),
        to_catch_up=to_catch_up,
        to_queue=tuple(queued),
        look_again=_look_again(slots, period=period),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slots:
    """The slots of a period in force, in order."""

    decided: tuple[datetime, ...]
    """Those that Kubernetes has started or will never start: at most `MOST_SLOTS`."""
    undecided: tuple[datetime, ...]
    """Those that follow: the ones that it may still start, or the first of too many."""
    newest_started: datetime | None
    """The newest that has a run."""
    cut: bool
    """Whether there were too many."""
    busy: bool
    """Whether they have to wait now for the end of a run, in a queue."""

    @classmethod
    def look(cls, period: _Period, *, active: "Activity") -> "_Slots":
        schedule, now = period.timetable.schedule, period.now
        found = schedule.slots_between(period.since, now, limit=MOST_SLOTS + 1)
        # A run may name any time as its slot: only the schedule's own slots say how far Kubernetes came.
        own = period.started.intersection(found) | {slot for slot in period.started if slot > now}
        newest_started = max(own, default=None)
        busy = period.timetable.queues and active.at(now)
        open_from = _open_from(found, period=period, started=newest_started, busy=busy)
        bound = min(bisect_left(found, open_from), MOST_SLOTS)
        return cls(
            decided=found[:bound],
            undecided=found[bound:],
            newest_started=newest_started,
            cut=bound == MOST_SLOTS < len(found),
            busy=busy,
        )


def _open_from(
    found: Sequence[datetime], *, period: _Period, started: datetime | None, busy: bool
) -> datetime:
    """The instant from which on a slot may still be started; every slot before it is decided."""
    if period.timetable.final or busy:
        return _FOR_EVER
    settling = period.timetable.settling
    deadline_over = period.now - period.timetable.starting_deadline - settling
    settled = bisect_right(found, period.now - settling)
    bounds = [deadline_over, *found[settled - 1 : settled]]
    if started is not None:
        bounds.append(started + SECOND)
    return max(bounds)


def _look_again(slots: _Slots, *, period: _Period) -> datetime | None:
    """When the first undecided slot is given up though nothing happens."""
    if not slots.undecided:
        return None
    if slots.cut:
        return period.now
    slot, timetable = slots.undecided[0], period.timetable
    deadline_over = slot + timetable.starting_deadline + timetable.settling + SECOND
    if timetable.by_operator:
        return deadline_over  # what is later, the operator fires itself
    return min([deadline_over, *(later + SETTLING for later in timetable.schedule.next_after(slot))])


def _to_catch_up(
    missed: Sequence[datetime], *, slots: _Slots, catch_up: CatchUp, period: _Period
) -> tuple[datetime, ...]:
    """Which of the missed slots are started after all."""
    fresh = tuple(slot for slot in missed if slot >= period.now - catch_up.window)
    if catch_up.policy is CatchUpPolicy.ALL:
        room = max(catch_up.limit - _left(slots, period=period), 0)
        return fresh[max(len(fresh) - room, 0) :]
    if catch_up.policy is CatchUpPolicy.NONE or not fresh:
        return ()
    # A later slot that has a run stands for it, and so will one that may still be started, or else be missed.
    stands = slots.newest_started is not None and slots.newest_started > fresh[-1]
    return () if stands or slots.undecided else fresh[-1:]


def _left(slots: _Slots, *, period: _Period) -> int:
    """How many slots without a run the next call will find: newer ones, which are caught up before these."""
    if not slots.cut:
        return 0
    last = slots.decided[-1]
    ran = sum(last < slot <= period.now for slot in period.started)
    return period.timetable.schedule.count_between(last, period.now) - ran


def _entry(reason: SlotReason, slots: Sequence[datetime]) -> Unstarted:
    """One verdict on several slots, oldest first."""
    result = Result.SKIPPED
    if reason is SlotReason.NOT_OBSERVED:
        result = Result.UNKNOWN
    elif reason in _MISSED:
        result = Result.MISSED
    return Unstarted(result=result, reason=reason.value, count=len(slots), first=slots[0], last=slots[-1])
