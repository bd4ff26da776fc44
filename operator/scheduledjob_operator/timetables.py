"""What the slots up to now had to go by: the CronJob as it stands in the cluster. Pure."""

from datetime import datetime, timedelta

from scheduledjob_operator.evidence import replaces_by_itself
from scheduledjob_operator.ledger import Sorted
from scheduledjob_operator.models import (
    ConcurrencyPolicy,
    PendingReason,
    ScheduledJobSpec,
    ScheduledJobStatus,
    Trigger,
)
from scheduledjob_operator.names import ConditionType, SlotReason
from scheduledjob_operator.observation import Observation
from scheduledjob_operator.schedule import ScheduleError, fired_by_operator
from scheduledjob_operator.slots import Timetable
from scheduledjob_operator.suspension import Standing


def timetable_of(*, previous: ScheduledJobStatus, stand: Standing, seen: Observation) -> Timetable | None:
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
        schedule = have.read_schedule()
    except ScheduleError:  # a hand-edited one, which is about to be put back
        return None
    ready = previous.condition(ConditionType.READY)
    refused = ready is not None and ready.status == "False"
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


def lifted_at(timetable: Timetable, *, seen: Observation) -> datetime | None:
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


def before_single_slot(previous: ScheduledJobStatus, *, seen: Observation) -> datetime | None:
    """The moment before the one slot there is: it may be past when the ScheduledJob is first seen."""
    if seen.spec is None or seen.spec.at is None or previous.observed_generation >= 0:
        return None
    return seen.spec.at.replace(microsecond=0) - timedelta(seconds=1)


def room(spec: ScheduledJobSpec, *, found: Sorted) -> int:
    """How many more slots may wait for the end of the run that is active."""
    waiting = [
        run for run in found.pending if run.trigger is Trigger.SCHEDULE and run.reason is PendingReason.QUEUED
    ]
    return max((spec.queue_depth or 1) - len(waiting), 0)


def would_claim(since: datetime, *, seen: Observation) -> bool:
    """Whether the new schedule has slots before it came into force, which never were any."""
    if seen.schedule is None or seen.cron_job is None or since >= seen.now:
        return False
    return seen.schedule.latest_at_or_before(seen.now, not_before=since) is not None


def hides_deletions(seen: Observation) -> bool:
    """Whether the CronJob is about to become one that would not tell that Jobs have been deleted."""
    have, spec = seen.cron_job, seen.spec
    if have is None or spec is None or seen.schedule is None:
        return False
    kept = spec.history
    raised = have.kept_succeeded < kept.succeeded_jobs or have.kept_failed < kept.failed_jobs
    replaces = spec.concurrency_policy is ConcurrencyPolicy.REPLACE and seen.schedule.native
    return raised or (replaces_by_itself(have) and not replaces)


def by_operator(seen: Observation) -> bool:
    """Whether the operator fires the slots that have passed; the CronJob that they went by says so."""
    if seen.cron_job is not None:
        return seen.cron_job.fired_by_operator
    return bool(seen.spec and seen.schedule and fired_by_operator(seen.schedule, seen.concurrency_policy))
