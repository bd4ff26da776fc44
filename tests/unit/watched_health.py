"""Statuses as the condition `Healthy` is made of them, and one that is watched."""

from datetime import datetime, timedelta
from typing import Any

from scheduledjob_operator.health import healthy
from scheduledjob_operator.models import (
    ActiveRun,
    Condition,
    DeadLetter,
    PendingReason,
    PendingRun,
    Result,
    Run,
    ScheduledJobStatus,
    Trigger,
)
from scheduledjob_operator.models.policies import Expect
from tests.unit.moments import NOON, after_noon

HOUR = 3600
LONG_AGO = after_noon(-1000 * HOUR)
WITHIN_A_DAY = Expect(success_within=timedelta(hours=24))
TEN_MINUTES = Expect(max_duration=timedelta(minutes=10))
BOTH = Expect(success_within=timedelta(hours=24), max_duration=timedelta(minutes=10))


def run(
    name: str = "sync-1",
    *,
    end: datetime = NOON,
    seconds: float | None = 60,
    result: Result = Result.SUCCEEDED,
    **fields: Any,
) -> Run:
    return Run(
        id=name,
        job_name=name,
        trigger=Trigger.SCHEDULE,
        result=result,
        reason=fields.pop("reason", "Completed"),
        end_time=end,
        duration_seconds=seconds,
        **fields,
    )


def active(name: str = "sync-2", *, start: datetime = NOON, **fields: Any) -> ActiveRun:
    return ActiveRun(id=name, job_name=name, start_time=start, **{"trigger": Trigger.SCHEDULE, **fields})


def pending(
    name: str = "sync-3", *, reason: PendingReason = PendingReason.CATCH_UP, **fields: Any
) -> PendingRun:
    return PendingRun(
        id=name,
        job_name=name,
        reason=reason,
        due_time=NOON,
        since=NOON,
        **{"trigger": Trigger.CATCH_UP, **fields},
    )


def letter(name: str) -> DeadLetter:
    return DeadLetter(
        id=name,
        run=name,
        trigger=Trigger.SCHEDULE,
        attempts=3,
        result=Result.FAILED,
        reason="ExitCode",
        time=NOON,
    )


def status(**fields: Any) -> ScheduledJobStatus:
    """One that ran well at noon and has been scheduled for long, but for `fields`."""
    return ScheduledJobStatus(
        **{"last_run": run(), "last_success_time": NOON, "scheduled_since": LONG_AGO, **fields}
    )


def failed(count: int, **fields: Any) -> ScheduledJobStatus:
    last = run(result=Result.FAILED, reason="ExitCode", exit_code=3)
    return status(**{"last_run": last, "consecutive_failures": count, **fields})


def look(
    seen: ScheduledJobStatus,
    *,
    expect: Expect | None = None,
    previous: Condition | None = None,
    now: datetime = NOON,
    time_zone: str = "Etc/UTC",
) -> tuple[Condition, datetime | None]:
    return healthy(status=seen, previous=previous, expect=expect, time_zone=time_zone, generation=4, now=now)


class Watched:
    """One ScheduledJob whose condition is looked at again and again."""

    def __init__(self, expect: Expect | None = None) -> None:
        self.expect = expect
        self.condition: Condition | None = None

    def sees(self, seen: ScheduledJobStatus, *, now: float) -> str:
        """The reason, so many seconds after noon."""
        self.condition, _ = look(seen, expect=self.expect, previous=self.condition, now=after_noon(now))
        return self.condition.reason
