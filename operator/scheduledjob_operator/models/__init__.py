"""Frozen models of the ScheduledJob: its spec and its status."""

from scheduledjob_operator.models.policies import (
    Backoff,
    CatchUp,
    CatchUpPolicy,
    ConcurrencyPolicy,
    Expect,
    PauseAfter,
    Priority,
    Retry,
)
from scheduledjob_operator.models.runs import (
    ActiveRun,
    Attempt,
    DeadLetter,
    PendingReason,
    PendingRun,
    Result,
    Run,
    Trigger,
)
from scheduledjob_operator.models.spec import ScheduledJobSpec
from scheduledjob_operator.models.status import (
    Condition,
    Counts,
    RequestOutcome,
    ScheduledJobStatus,
    Scheduler,
    Unstarted,
)

__all__ = [
    "ActiveRun",
    "Attempt",
    "Backoff",
    "CatchUp",
    "CatchUpPolicy",
    "ConcurrencyPolicy",
    "Condition",
    "Counts",
    "DeadLetter",
    "Expect",
    "PauseAfter",
    "PendingReason",
    "PendingRun",
    "Priority",
    "RequestOutcome",
    "Result",
    "Retry",
    "Run",
    "ScheduledJobSpec",
    "ScheduledJobStatus",
    "Scheduler",
    "Trigger",
    "Unstarted",
]
