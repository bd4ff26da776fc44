"""What the status says beyond the runs: what comes next, the conditions; and what of it to write. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduledjob_operator.health import healthy
from scheduledjob_operator.models import (
    Condition,
    Expect,
    ScheduledJobStatus,
    Scheduler,
)
from scheduledjob_operator.names import ConditionType, ReadyReason
from scheduledjob_operator.observed import CronJobSeen
from scheduledjob_operator.schedule import Schedule, ScheduleError
from scheduledjob_operator.suspension import Standing, paused_condition

NEXT_RUN_TIMES = 5
SLOT_PATIENCE = timedelta(seconds=20)
"""A slot's Job normally comes within seconds, and brings the next times along with it in one write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What the `Ready` condition shall say."""

    reason: ReadyReason
    message: str

    @property
    def ok(self) -> bool:
        return self.reason is ReadyReason.RECONCILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What there is besides the runs."""

    generation: int
    ready: Ready
    cron_job: CronJobSeen | None
    """As it is now."""
    standing: Standing
    expect: Expect | None
    now: datetime


def concluded(
    books: ScheduledJobStatus, *, previous: ScheduledJobStatus, seen: Situation
) -> tuple[ScheduledJobStatus, datetime | None]:
    """The whole status, and when it will be another one though nothing happens. `books`: with the runs."""
    cron_job, now = seen.cron_job, seen.now
    fires = cron_job is not None and not cron_job.suspended and not cron_job.deleting
    upcoming = next_run_times(cron_job, now=now) if fires and cron_job else []
    status = books.model_copy(
        update={
            "observed_generation": seen.generation,
            "cron_job_name": cron_job.name if cron_job else None,
            "scheduler": Scheduler.CRON_JOB if fires else Scheduler.NONE,
            "resolved_schedule": cron_job.schedule if cron_job else None,
            "next_run_times": upcoming,
            "scheduled_since": (previous.scheduled_since or now.replace(microsecond=0)) if fires else None,
        }
    )
    before = {entry.type: entry for entry in previous.conditions}
    health, again = healthy(
        status=status,
        previous=before.get(ConditionType.HEALTHY),
        expect=seen.expect,
        time_zone=(cron_job.time_zone if cron_job else "") or "Etc/UTC",
        generation=seen.generation,
        now=now,
    )
    paused = paused_condition(
        previous=before.get(ConditionType.PAUSED), standing=seen.standing, generation=seen.generation, now=now
    )
    ready = _ready_condition(previous=before.get(ConditionType.READY), seen=seen)
    refused = _refused_condition(
        status, previous=before.get(ConditionType.REQUEST_REFUSED), generation=seen.generation, now=now
    )
    conditions = [condition for condition in (ready, health, paused, refused) if condition]
    slot_due = upcoming[0] + SLOT_PATIENCE if upcoming else None
    look_again = min(filter(None, [again, slot_due]), default=None)
    return status.model_copy(update={"conditions": conditions}), look_again


def next_run_times(cron_job: CronJobSeen, *, now: datetime) -> list[datetime]:
    """The next five times the CronJob will fire, in UTC."""
    try:
        schedule = Schedule.parse(cron_job.schedule, time_zone=cron_job.time_zone or "Etc/UTC")
    except ScheduleError:  # a hand-edited one, which is about to be put back
        return []
    return list(schedule.next_after(now, count=NEXT_RUN_TIMES))


def _refused_condition(
    status: ScheduledJobStatus, *, previous: Condition | None, generation: int, now: datetime
) -> Condition | None:
    """What was refused and why, for as long as the request stands there; None when nothing was."""
    refused = [entry for entry in status.requests if entry.outcome == "Refused"]
    if not refused:
        return None
    condition = Condition(
        type=ConditionType.REQUEST_REFUSED,
        status="True",
        reason="Refused",
        message="; ".join(f"{entry.annotation}: {entry.message}" for entry in refused),
        observed_generation=generation,
        last_transition_time=now,
    )
    return condition.after(previous)


def _ready_condition(*, previous: Condition | None, seen: Situation) -> Condition:
    condition = Condition(
        type=ConditionType.READY,
        status="True" if seen.ready.ok else "False",
        reason=seen.ready.reason,
        message=seen.ready.message,
        observed_generation=seen.generation,
        last_transition_time=seen.now,
    )
    return condition.after(previous)
