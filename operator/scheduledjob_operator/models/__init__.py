"""Frozen models of the ScheduledJob: its spec and its status."""

from scheduledjob_operator.models.spec import ConcurrencyPolicy, Priority, ScheduledJobSpec
from scheduledjob_operator.models.status import (
    ActiveRun,
    Attempt,
    Condition,
    Counts,
    Result,
    Run,
    ScheduledJobStatus,
    Scheduler,
    Trigger,
)

__all__ = [
    "ActiveRun",
    "Attempt",
    "ConcurrencyPolicy",
    "Condition",
    "Counts",
    "Priority",
    "Result",
    "Run",
    "ScheduledJobSpec",
    "ScheduledJobStatus",
    "Scheduler",
    "Trigger",
]
