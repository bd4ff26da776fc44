"""What is worth an Event, for a person who reads `kubectl describe`. Pure."""

from typing import NamedTuple

from scheduledjob_operator.models import Result, Run, ScheduledJobStatus
from scheduledjob_operator.names import ConditionType, EventReason
from scheduledjob_operator.status import Ready


class Remark(NamedTuple):
    """An Event in the making."""

    type: str
    """Normal or Warning."""
    reason: str
    note: str


def run_remark(run: Run) -> Remark | None:
    """A word on a run that did not succeed; its message stays in the status."""
    reason = {
        Result.FAILED: EventReason.RUN_FAILED,
        Result.TIMED_OUT: EventReason.RUN_TIMED_OUT,
        Result.CANCELLED: EventReason.RUN_CANCELLED,
    }.get(run.result)
    if reason is None:
        return None
    code = f", exit code {run.exit_code}" if run.exit_code is not None else ""
    attempts = f" after {len(run.attempts)} attempts" if len(run.attempts) > 1 else ""
    return Remark("Warning", reason, f"run {run.id} ended as {run.result}{attempts}: {run.reason}{code}")


def ready_remark(*, previous: ScheduledJobStatus, ready: Ready) -> Remark | None:
    """A word when `Ready` turned False, changed its reason while False, or turned True again."""
    before = next((entry for entry in previous.conditions if entry.type == ConditionType.READY), None)
    if ready.ok:
        recovered = before is not None and before.status == "False"
        return Remark("Normal", ready.reason, ready.message) if recovered else None
    if before is not None and (before.reason, before.message) == (ready.reason, ready.message):
        return None
    return Remark("Warning", ready.reason, ready.message)
