"""What is to be started, after all or in its turn: slots to be caught up, queued, tried. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from scheduledjob_operator import job_names
from scheduledjob_operator.ledger import Sorted
from scheduledjob_operator.models import (
    CatchUpPolicy,
    Counts,
    PendingReason,
    PendingRun,
    Result,
    ScheduledJobStatus,
    Trigger,
    Unstarted,
)
from scheduledjob_operator.names import SlotReason
from scheduledjob_operator.observation import Observation
from scheduledjob_operator.slots import Accounts
from scheduledjob_operator.suspension import Standing
from scheduledjob_operator.timetables import by_operator
from scheduledjob_operator.unstarted import with_verdicts


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
            "counts": added(status.counts or Counts(), verdicts, sign=1),
            "pending": [*waiting, *probe, *caught_up, *queued],
            "suspended": suspended if seen.spec else status.suspended,
        }
    ), caught_up


def _waiting(
    slot: datetime, *, trigger: Literal[Trigger.CATCH_UP, Trigger.SCHEDULE], seen: Observation
) -> PendingRun:
    """The run of a slot that is to be caught up, or that waits for the one before it to end."""
    name = job_names.slot_job(seen.name, slot, by_operator=by_operator(seen))
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


def added(counts: Counts, verdicts: Sequence[Unstarted], *, sign: int) -> Counts:
    """The counts with verdicts put in (`sign` 1) or taken back (-1)."""
    names = {Result.SKIPPED: "skipped", Result.MISSED: "missed", Result.UNKNOWN: "unknown"}
    for entry in verdicts:
        name = names[entry.result]
        counts = counts.model_copy(update={name: max(getattr(counts, name) + sign * entry.count, 0)})
    return counts
