"""What the status says beyond the runs: what comes next, the conditions; and what of it to write. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduledjob_operator.health import healthy
from scheduledjob_operator.models import (
    ConcurrencyPolicy,
    Condition,
    Result,
    ScheduledJobSpec,
    ScheduledJobStatus,
    Scheduler,
)
from scheduledjob_operator.models.types import format_duration, format_time
from scheduledjob_operator.names import ConditionType, ReadyReason
from scheduledjob_operator.observation import soonest
from scheduledjob_operator.observed import CronJobSeen
from scheduledjob_operator.schedule import ScheduleError, never
from scheduledjob_operator.slots import shortest_gap
from scheduledjob_operator.suspension import Standing, paused_condition

NEXT_RUN_TIMES = 5
SHORT_GAP = timedelta(minutes=1)
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
    spec: ScheduledJobSpec | None
    """None when it cannot be read."""
    now: datetime


def concluded(
    books: ScheduledJobStatus, *, previous: ScheduledJobStatus, seen: Situation
) -> tuple[ScheduledJobStatus, datetime | None]:
    """The whole status, and when it will be another one though nothing happens. `books`: with the runs."""
    cron_job, now = seen.cron_job, seen.now
    fires = cron_job is not None and not cron_job.suspended and not cron_job.deleting
    upcoming = next_run_times(cron_job, spec=seen.spec, now=now) if fires and cron_job else []
    status = books.model_copy(
        update={
            "observed_generation": seen.generation,
            "cron_job_name": cron_job.name if cron_job else None,
            "scheduler": _scheduler(cron_job, upcoming=upcoming) if fires and cron_job else Scheduler.NONE,
            "resolved_schedule": _resolved(cron_job) if cron_job else None,
            "next_run_times": upcoming,
            "scheduled_since": (previous.scheduled_since or now.replace(microsecond=0)) if fires else None,
        }
    )
    before = {entry.type: entry for entry in previous.conditions}
    health, again = healthy(
        status=status,
        previous=before.get(ConditionType.HEALTHY),
        expect=seen.spec.expect if seen.spec else None,
        time_zone=(cron_job.time_zone if cron_job else "") or "Etc/UTC",
        generation=seen.generation,
        now=now,
    )
    paused = paused_condition(
        previous=before.get(ConditionType.PAUSED), standing=seen.standing, generation=seen.generation, now=now
    )
    ready = _condition(
        ConditionType.READY,
        (seen.ready.reason, seen.ready.message),
        holds=seen.ready.ok,
        previous=before.get(ConditionType.READY),
        seen=seen,
    )
    others = [
        _condition(kind, said, previous=before.get(kind), seen=seen)
        for kind, said in (
            (ConditionType.COMPLETED, _completed(status, spec=seen.spec)),
            (ConditionType.OVERLAP_GROWS, _overlap(cron_job, spec=seen.spec)),
            (ConditionType.REQUEST_REFUSED, _refused(status)),
        )
        if said
    ]
    conditions = [condition for condition in (ready, health, paused, *others) if condition]
    slot_due = upcoming[0] + SLOT_PATIENCE if upcoming else None
    look_again = soonest(again, slot_due)
    return status.model_copy(update={"conditions": conditions}), look_again


def next_run_times(cron_job: CronJobSeen, *, spec: ScheduledJobSpec | None, now: datetime) -> list[datetime]:
    """The next five times the schedule will fire, in UTC."""
    try:
        schedule = cron_job.read_schedule()
    except ScheduleError:  # a hand-edited one, which is about to be put back
        return []
    if spec is not None:
        schedule = schedule.within(starts_at=spec.starts_at, ends_at=spec.ends_at)
    return list(schedule.next_after(now, count=NEXT_RUN_TIMES))


def _scheduler(cron_job: CronJobSeen, *, upcoming: list[datetime]) -> Scheduler:
    """Who fires a schedule that is in force."""
    if not cron_job.fired_by_operator:
        return Scheduler.CRON_JOB
    return Scheduler.OPERATOR if upcoming else Scheduler.NONE


def _resolved(cron_job: CronJobSeen) -> str | None:
    return None if cron_job.schedule == never().canonical else cron_job.schedule


Said = tuple[str, str]
"""Reason and message of a condition."""


def _completed(status: ScheduledJobStatus, *, spec: ScheduledJobSpec | None) -> Said | None:
    """What became of the one slot there is, once it is over."""
    if spec is None or spec.at is None:
        return None
    slot = spec.at.replace(microsecond=0)
    if status.accounted_until is None or status.accounted_until < slot:
        return None
    if any(run.slot == slot for run in (*status.active, *status.pending)):
        return None
    run = next((run for run in status.recent_runs if run.slot == slot), None)
    if run is not None:
        return run.result, f"the run of {format_time(slot)} has ended: {run.result}"
    entry = next((entry for entry in status.unstarted if entry.first <= slot <= entry.last), None)
    if entry is not None:
        return entry.result, f"{format_time(slot)} had no run: {entry.result}, {entry.reason}"
    return Result.UNKNOWN, f"{format_time(slot)} is past"


def _overlap(cron_job: CronJobSeen | None, *, spec: ScheduledJobSpec | None) -> Said | None:
    """A warning that runs may pile up: they may last longer than the time between two of them.

    Only where that is less than a minute: with Allow that is what somebody asked for.
    """
    if cron_job is None or spec is None or spec.concurrency_policy is not ConcurrencyPolicy.ALLOW:
        return None
    try:
        gap = shortest_gap(cron_job.read_schedule())
    except ScheduleError:
        return None
    if gap is None or gap >= SHORT_GAP or spec.timeout <= gap:
        return None
    message = (
        f"a run starts every {format_duration(gap)} beside those that still run, and each may take "
        f"{format_duration(spec.timeout)}: up to {int(spec.timeout / gap)} may be active. Write a timeout of "
        f"{format_duration(gap)} at most, or another concurrencyPolicy"
    )
    return "TimeoutBeyondInterval", message


def _refused(status: ScheduledJobStatus) -> Said | None:
    """What was refused and why, for as long as the request stands there; None when nothing was."""
    refused = [entry for entry in status.requests if entry.outcome == "Refused"]
    if not refused:
        return None
    return "Refused", "; ".join(f"{entry.annotation}: {entry.message}" for entry in refused)


def _condition(
    kind: ConditionType, said: Said, *, holds: bool = True, previous: Condition | None, seen: Situation
) -> Condition:
    reason, message = said
    condition = Condition(
        type=kind,
        status="True" if holds else "False",
        reason=reason,
        message=message,
        observed_generation=seen.generation,
        last_transition_time=seen.now,
    )
    return condition.after(previous)
