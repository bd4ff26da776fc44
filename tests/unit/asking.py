"""Asking a ScheduledJob named `sync` for things, at noon."""

import json
from datetime import datetime
from typing import Any

from scheduledjob_operator.models import (
    ActiveRun,
    DeadLetter,
    PendingReason,
    PendingRun,
    Result,
    Run,
    ScheduledJobSpec,
    ScheduledJobStatus,
    Trigger,
)
from scheduledjob_operator.requests import Answers, answer
from scheduledjob_operator.schedule import Schedule
from tests.unit.moments import NOON, after_noon

CANARY = "hunter2-canary"


def spec(**fields: Any) -> ScheduledJobSpec:
    runs = {} if "command" in fields else {"handler": "sync"}
    return ScheduledJobSpec.model_validate({"schedule": "*/5 * * * *", **runs, **fields})


def status(**lists: Any) -> ScheduledJobStatus:
    return ScheduledJobStatus(**lists)


def active(id_: str = "sync-1", **given: Any) -> ActiveRun:
    return ActiveRun(id=id_, job_name=id_, trigger=Trigger.SCHEDULE, start_time=NOON, **given)


def pending(id_: str = "sync-9", *, reason: PendingReason = PendingReason.QUEUED, **given: Any) -> PendingRun:
    return PendingRun(
        id=id_, job_name=id_, trigger=Trigger.MANUAL, reason=reason, due_time=NOON, since=NOON, **given
    )


def letter(id_: str = "sync-2") -> DeadLetter:
    return DeadLetter(
        id=id_,
        slot=after_noon(-600),
        trigger=Trigger.SCHEDULE,
        run=id_,
        attempts=4,
        result=Result.FAILED,
        reason="ExitCode",
        time=after_noon(-300),
    )


def ended(id_: str) -> Run:
    return Run(
        id=id_,
        job_name=id_,
        trigger=Trigger.SCHEDULE,
        result=Result.SUCCEEDED,
        reason="Completed",
        end_time=NOON,
    )


def asked(
    requests: dict[str, Any],
    *,
    before: ScheduledJobStatus | None = None,
    schedule: str = "*/5 * * * *",
    suspended: str | None = None,
    now: datetime = NOON,
    **fields: Any,
) -> Answers:
    return answer(
        requests={
            name: value if isinstance(value, str) else json.dumps(value) for name, value in requests.items()
        },
        status=before or ScheduledJobStatus(),
        spec=spec(**fields),
        schedule=Schedule.parse(schedule),
        name="sync",
        suspended=suspended,
        now=now,
    )


def said(answers: Answers) -> str:
    """The one new answer: its outcome and its message."""
    (outcome,) = answers.new
    return f"{outcome.outcome}: {outcome.message}"
