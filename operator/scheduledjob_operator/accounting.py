"""The part of the books that is about slots: their verdicts, and the runs that come of them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from scheduledjob_operator import job_names
from scheduledjob_operator.evidence import boundaries
from scheduledjob_operator.ledger import Sorted
from scheduledjob_operator.models import (
    CatchUp,
    CatchUpPolicy,
    ConcurrencyPolicy,
    Counts,
    PendingReason,
    PendingRun,
    Result,
    ScheduledJobSpec,
    ScheduledJobStatus,
    Trigger,
    Unstarted,
)
from scheduledjob_operator.models.policies import History
from scheduledjob_operator.names import ConditionType, SlotReason
from scheduledjob_operator.observation import Observation
from scheduledjob_operator.observed import CronJobSeen, JobSeen
from scheduledjob_operator.schedule import Schedule, ScheduleError, fired_by_operator
from scheduledjob_operator.slots import Accounts, Span, Timetable, account, with_verdicts, without_slot
from scheduledjob_operator.suspension import Standing

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
            counts = _added(status.counts or Counts(), [entry.model_copy(update={"count": 1})], sign=-1)
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
    whole = seen.now.replace(microsecond=0)
    since = previous.accounted_until
    if since is None:
        fresh = previous.observed_generation < 0 and seen.cron_job and seen.cron_job.created
        since = fresh or whole
    single = _before_single_slot(previous, seen=seen)
    since = min(filter(None, [since, single]))
    timetable = _timetable(previous=previous, stand=stand, seen=seen)
    if timetable is not None and timetable.queues and seen.spec:
        timetable = replace(timetable, room=_room(seen.spec, found=found))
    if timetable is None:
        return Slots(accounts=Accounts(until=min(filter(None, [max(since, whole), single]))))
    catch_up = seen.spec.catch_up if seen.spec and not stand.suspension else CatchUp()
    spans = _spans(status, found=found)
    unseen = unseen_of(seen)
    changing = timetable.final
    held = Accounts(until=since)
    if (lifted := _lifted(timetable, seen=seen)) is not None:
        held = account(since=since, now=lifted, timetable=timetable, spans=spans, catch_up=CatchUp())
        held = replace(held, until=max(lifted, held.until))
        # What the bounds do not hold back any more may still start, once the CronJob is in force.
        may_start = timetable.suspended is SlotReason.OUT_OF_BOUNDS
        timetable = replace(timetable, suspended=None, final=changing and not may_start)
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
    moved = accounts.until > since and _would_claim(since, seen=seen)
    closed = changing and bool(accounts.verdicts or accounts.to_catch_up or accounts.to_queue or moved)
    closed = closed or (seen.first_look and (changing or _hides_deletions(seen)))
    undecided = None
    if timetable.suspended is None:
        undecided = timetable.schedule.latest_at_or_before(seen.now, not_before=accounts.until)
    return Slots(accounts=accounts, undecided=undecided, closed=closed)


def _before_single_slot(previous: ScheduledJobStatus, *, seen: Observation) -> datetime | None:
    """The moment before the one slot there is: it may be past when the ScheduledJob is first seen."""
    if seen.spec is None or seen.spec.at is None or previous.observed_generation >= 0:
        return None
    return seen.spec.at.replace(microsecond=0) - timedelta(seconds=1)


def _hides_deletions(seen: Observation) -> bool:
    """Whether the CronJob is about to become one that would not tell that Jobs have been deleted."""
    have, spec = seen.cron_job, seen.spec
    if have is None or spec is None or seen.schedule is None:
        return False
    kept = spec.history
    raised = have.kept_succeeded < kept.succeeded_jobs or have.kept_failed < kept.failed_jobs
    replaces = spec.concurrency_policy is ConcurrencyPolicy.REPLACE and seen.schedule.native
    return raised or (_replaces_by_itself(have) and not replaces)


def _replaces_by_itself(cron_job: CronJobSeen) -> bool:
    """Whether each slot deletes the Job before it: one that the operator ends stays, as one that failed."""
    return cron_job.concurrency_policy == ConcurrencyPolicy.REPLACE and not cron_job.fired_by_operator


def _room(spec: ScheduledJobSpec, *, found: Sorted) -> int:
    """How many more slots may wait for the end of the run that is active."""
    waiting = [
        run for run in found.pending if run.trigger is Trigger.SCHEDULE and run.reason is PendingReason.QUEUED
    ]
    return max((spec.queue_depth or 1) - len(waiting), 0)


def _would_claim(since: datetime, *, seen: Observation) -> bool:
    """Whether the new schedule has slots before it came into force, which never were any."""
    if seen.schedule is None or seen.cron_job is None or since >= seen.now:
        return False
    return seen.schedule.latest_at_or_before(seen.now, not_before=since) is not None


def _lifted(timetable: Timetable, *, seen: Observation) -> datetime | None:
    """When what held the schedule back was over, if the CronJob is suspended beyond that: nobody was there.

    What comes later was not held back; nothing started it.
    """
    if timetable.suspended is SlotReason.OUT_OF_BOUNDS and seen.spec and seen.spec.starts_at:
        over = seen.spec.starts_at - timedelta(seconds=1)
    elif timetable.suspended is SlotReason.SUSPENDED:
        over = max((switch.until for switch in seen.switches if switch.until), default=seen.now)
    else:
        return None
    return over if over < seen.now else None


def _timetable(*, previous: ScheduledJobStatus, stand: Standing, seen: Observation) -> Timetable | None:
    """What the slots up to now had to go by: the CronJob as it stands in the cluster."""
    have, reason = seen.cron_job, stand.suspension.reason if stand.suspension else None
    if have is None:
        # One that was deleted by hand: nothing could start its slots.
        if seen.schedule is None or seen.spec is None or previous.cron_job_name is None:
            return None
        before = SlotReason(previous.suspended) if previous.suspended else None
        return Timetable(
            schedule=seen.schedule,
            concurrency_policy=seen.concurrency_policy,
            starting_deadline=seen.spec.starting_deadline,
            suspended=before,
            final=True,
            by_operator=fired_by_operator(seen.schedule, seen.concurrency_policy),
        )
    try:
        schedule = Schedule.read(have.schedule, time_zone=have.time_zone or "Etc/UTC")
    except ScheduleError:  # a hand-edited one, which is about to be put back
        return None
    refused = any(
        entry.type == ConditionType.READY and entry.status == "False" for entry in previous.conditions
    )
    # While the API server refuses the new CronJob, the old one goes on.
    changes = (
        seen.schedule is not None
        and not refused
        and (
            (seen.schedule.canonical, seen.schedule.time_zone) != (have.schedule, have.time_zone)
            or have.suspended is not (reason is not None)
            or have.fired_by_operator
            is not (seen.spec and fired_by_operator(seen.schedule, seen.concurrency_policy))
        )
    )
    suspended = (SlotReason(previous.suspended) if previous.suspended else reason) if have.suspended else None
    if have.fired_by_operator and suspended is None and seen.spec:
        # Beyond its bounds nothing is fired, however late the CronJob is held.
        schedule = schedule.within(starts_at=seen.spec.starts_at, ends_at=seen.spec.ends_at)
    return Timetable(
        schedule=schedule,
        concurrency_policy=ConcurrencyPolicy(have.concurrency_policy),
        starting_deadline=timedelta(seconds=have.starting_deadline_seconds or 0),
        suspended=suspended,
        final=changes,
        by_operator=have.fired_by_operator,
    )


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


def with_slots(
    status: ScheduledJobStatus, *, accounts: Accounts, found: Sorted, stand: Standing, seen: Observation
) -> tuple[ScheduledJobStatus, list[PendingRun]]:
    """The status with the slots accounted for, what waits, and what is to be caught up."""
    caught_up = [_waiting(slot, trigger=Trigger.CATCH_UP, seen=seen) for slot in accounts.to_catch_up]
    queued = [_waiting(slot, trigger=Trigger.SCHEDULE, seen=seen) for slot in accounts.to_queue]
    waiting = [run for run in found.pending if run.reason is not PendingReason.COOL_DOWN]
    verdicts = list(accounts.verdicts)
    stale = _stale([*(run for run in waiting if run.reason is PendingReason.CATCH_UP), *caught_up], seen=seen)
    verdicts += [_unstarted(run, Result.MISSED, reason=SlotReason.NOTHING_STARTED_IT) for run in stale]
    waiting = [run for run in waiting if run not in stale]
    caught_up = [run for run in caught_up if run not in stale]
    if stand.suspension:  # resuming starts no slot of the past
        dropped = [run for run in waiting if run.reason is PendingReason.CATCH_UP and run.slot]
        waiting = [run for run in waiting if run not in dropped]
        verdicts += [_unstarted(run, Result.SKIPPED, reason=stand.suspension.reason) for run in dropped]
    probe = _probe(stand, status=status, found=found, seen=seen)
    suspended = str(stand.suspension.reason) if stand.suspension else None
    return status.model_copy(
        update={
            "accounted_until": accounts.until,
            "unstarted": with_verdicts(status.unstarted, verdicts),
            "counts": _added(status.counts or Counts(), verdicts, sign=1),
            "pending": [*waiting, *probe, *caught_up, *queued],
            "suspended": suspended if seen.spec else status.suspended,
        }
    ), caught_up


def _waiting(
    slot: datetime, *, trigger: Literal[Trigger.CATCH_UP, Trigger.SCHEDULE], seen: Observation
) -> PendingRun:
    """The run of a slot that is to be caught up, or that waits for the one before it to end."""
    name = job_names.slot_job(seen.name, slot, by_operator=_by_operator(seen))
    since, late = seen.now.replace(microsecond=0), trigger is Trigger.CATCH_UP
    return PendingRun(
        id=name,
        job_name=name,
        slot=slot,
        trigger=trigger,
        reason=PendingReason.CATCH_UP if late else PendingReason.QUEUED,
        due_time=since if late else slot,
        since=since,
    )


def _by_operator(seen: Observation) -> bool:
    """Whether the operator fires the slots that have passed; the CronJob that they went by says so."""
    if seen.cron_job is not None:
        return seen.cron_job.fired_by_operator
    return bool(seen.spec and seen.schedule and fired_by_operator(seen.schedule, seen.concurrency_policy))


def _stale(catching_up: list[PendingRun], *, seen: Observation) -> list[PendingRun]:
    """The slots waiting to be caught up that are too many by now: the oldest of them."""
    if seen.spec is None:
        return []
    policy = seen.spec.catch_up
    most = {CatchUpPolicy.ALL: policy.limit, CatchUpPolicy.LATEST: 1, CatchUpPolicy.NONE: 0}[policy.policy]
    oldest_first = sorted(catching_up, key=lambda run: run.slot or run.due_time)
    return oldest_first[: max(len(oldest_first) - most, 0)]


def _unstarted(
    run: PendingRun, result: Literal[Result.SKIPPED, Result.MISSED], *, reason: SlotReason
) -> Unstarted:
    slot = run.slot or run.due_time
    return Unstarted(result=result, reason=reason, count=1, first=slot, last=slot)


def unseen_of(seen: Observation) -> datetime | None:
    """Before when Jobs may have come and gone unseen; None while the operator was watching."""
    kept = max((job.created for job in oldest_kept(seen)), default=None)
    if seen.cron_job is not None and seen.cron_job.fired_by_operator:
        return kept
    last = seen.cron_job.last_schedule_time if seen.cron_job else None
    if kept is None or last is None:
        return None
    # Kubernetes notes the last slot that it started: what is later it has not.
    return min(kept, last + timedelta(seconds=1))


def oldest_kept(seen: Observation) -> list[JobSeen]:
    """The Jobs before which others may have come and gone unseen; none while the operator was watching."""
    if not seen.first_look:
        return []
    cron_job = seen.cron_job
    if cron_job is None:
        history = seen.spec.history if seen.spec else History()
        kept = history.succeeded_jobs, history.failed_jobs
        return boundaries(seen.jobs, kept=kept, replacing=False)
    kept = cron_job.kept_succeeded, cron_job.kept_failed
    return boundaries(seen.jobs, kept=kept, replacing=_replaces_by_itself(cron_job))


def _probe(
    stand: Standing, *, status: ScheduledJobStatus, found: Sorted, seen: Observation
) -> list[PendingRun]:
    """The run that is tried while the schedule is paused."""
    if stand.probe is None or any(run.trigger is Trigger.PROBE for run in found.active):
        return []
    due = stand.probe
    tried = [run.end_time for run in status.recent_runs if run.trigger is Trigger.PROBE]
    if tried and seen.spec and seen.spec.pause_after:
        # One that neither failed nor succeeded, because somebody cancelled it, is waited after too.
        due = max(due, max(tried) + seen.spec.pause_after.cool_down)
    name = job_names.probe_job(seen.name, due)
    if before := [run for run in found.pending if run.id == name]:
        return before
    return [
        PendingRun(
            id=name,
            job_name=name,
            trigger=Trigger.PROBE,
            reason=PendingReason.COOL_DOWN,
            due_time=due,
            since=seen.now.replace(microsecond=0),
        )
    ]


def _added(counts: Counts, verdicts: Sequence[Unstarted], *, sign: int) -> Counts:
    names = {Result.SKIPPED: "skipped", Result.MISSED: "missed", Result.UNKNOWN: "unknown"}
    for entry in verdicts:
        name = names[entry.result]
        counts = counts.model_copy(update={name: max(getattr(counts, name) + sign * entry.count, 0)})
    return counts
