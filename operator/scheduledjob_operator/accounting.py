"""The part of the books that is about slots: their verdicts, and the runs that come of them. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime

from scheduledjob_operator.activity import Span
from scheduledjob_operator.due import added
from scheduledjob_operator.evidence import unseen_of
from scheduledjob_operator.ledger import Sorted
from scheduledjob_operator.models import (
    CatchUp,
    Counts,
    ScheduledJobStatus,
    Trigger,
)
from scheduledjob_operator.names import SlotReason
from scheduledjob_operator.observation import Observation
from scheduledjob_operator.slots import Accounts, Timetable, account
from scheduledjob_operator.suspension import Standing
from scheduledjob_operator.timetables import (
    before_single_slot,
    hides_deletions,
    lifted_at,
    room,
    timetable_of,
    would_claim,
)
from scheduledjob_operator.unstarted import without_slot

MOST_ROUNDS = 10
"""How often `account` is asked for more at once: for a hundred thousand slots in all."""


def with_late_starts(
    status: ScheduledJobStatus, *, previous: ScheduledJobStatus, found: Sorted
) -> ScheduledJobStatus:
    """Take back the verdict on slots that were given up, and whose Jobs have come after all."""
    if previous.accounted_until is None or not previous.unstarted:
        return status
    known = {run.id for run in (*previous.active, *previous.pending, *previous.recent_runs)}
    for run in (*found.active, *found.ended):
        if run.id in known or run.trigger is not Trigger.SCHEDULE or run.slot is None:
            continue
        entries, entry = without_slot(status.unstarted, run.slot)
        if entry is not None:
            counts = added(status.counts or Counts(), [entry.model_copy(update={"count": 1})], sign=-1)
            status = status.model_copy(update={"unstarted": entries, "counts": counts})
    return status


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """The slots that have passed since the last accounting."""

    accounts: Accounts
    undecided: datetime | None = None
    """The newest of them, if Kubernetes may still start it."""
    closed: bool = False
    """Whether the verdicts are the last ones of a timetable that is about to be another."""


def accounts_of(
    *,
    previous: ScheduledJobStatus,
    status: ScheduledJobStatus,
    found: Sorted,
    stand: Standing,
    seen: Observation,
) -> Slots:
    """The slots that have passed."""
    single = before_single_slot(previous, seen=seen)
    since = min(filter(None, [_mark(previous, seen=seen), single]))
    timetable = timetable_of(previous=previous, stand=stand, seen=seen)
    if timetable is None:
        whole = seen.now.replace(microsecond=0)
        return Slots(accounts=Accounts(until=min(filter(None, [max(since, whole), single]))))
    if timetable.queues and seen.spec:
        timetable = replace(timetable, room=room(seen.spec, found=found))
    catch_up = seen.spec.catch_up if seen.spec and not stand.suspension else CatchUp()
    spans = _spans(status, found=found)
    changing = timetable.final
    held = Accounts(until=since)
    if (lifted := lifted_at(timetable, seen=seen)) is not None:
        held = account(since=since, now=lifted, timetable=timetable, spans=spans, catch_up=CatchUp())
        held = replace(held, until=max(lifted, held.until))
        # What the bounds do not hold back any more may still start, once the CronJob is in force.
        may_start = timetable.suspended is SlotReason.OUT_OF_BOUNDS
        timetable = replace(timetable, suspended=None, final=changing and not may_start)
    accounts = _in_rounds(held, timetable=timetable, spans=spans, catch_up=catch_up, seen=seen)
    moved = accounts.until > since and would_claim(since, seen=seen)
    closed = changing and bool(accounts.verdicts or accounts.to_catch_up or accounts.to_queue or moved)
    closed = closed or (seen.first_look and (changing or hides_deletions(seen)))
    undecided = None
    if timetable.suspended is None:
        undecided = timetable.schedule.latest_at_or_before(seen.now, not_before=accounts.until)
    return Slots(accounts=accounts, undecided=undecided, closed=closed)


def _mark(previous: ScheduledJobStatus, *, seen: Observation) -> datetime:
    """Up to when slots are accounted for already."""
    whole = seen.now.replace(microsecond=0)
    since = previous.accounted_until
    if since is None:
        fresh = previous.observed_generation < 0 and seen.cron_job and seen.cron_job.created
        since = fresh or whole
    if seen.cron_job and seen.cron_job.adopted:
        since = max(since, min(seen.cron_job.adopted, whole))  # what was before was somebody else's
    return since


def _in_rounds(
    held: Accounts, *, timetable: Timetable, spans: list[Span], catch_up: CatchUp, seen: Observation
) -> Accounts:
    """Go on from `held` until now, or until `MOST_ROUNDS` of slots are accounted for."""
    unseen = unseen_of(seen)
    accounts = replace(held, look_again=seen.now)
    for _ in range(MOST_ROUNDS):
        if accounts.look_again != seen.now:
            break
        more = account(
            since=accounts.until,
            now=seen.now,
            timetable=timetable,
            spans=spans,
            catch_up=catch_up,
            unseen_before=unseen,
        )
        accounts = replace(
            more,
            verdicts=(*accounts.verdicts, *more.verdicts),
            to_catch_up=(*accounts.to_catch_up, *more.to_catch_up),
            to_queue=(*accounts.to_queue, *more.to_queue),
        )
    return accounts


def _spans(status: ScheduledJobStatus, *, found: Sorted) -> list[Span]:
    """The runs as far as slots are concerned."""
    active = [Span(slot=run.slot, start=run.start_time, end=None) for run in found.active]
    ended = [
        Span(slot=run.slot, start=run.start_time or run.end_time, end=run.end_time)
        for run in status.recent_runs
    ]
    waiting = [
        Span(slot=run.slot, start=run.start_time or run.since, end=run.start_time or run.since)
        for run in found.pending
        if run.slot
    ]
    return [*active, *ended, *waiting]
