"""What is worth an Event, for a person who reads `kubectl describe`. Pure."""

from datetime import datetime
from typing import NamedTuple

from scheduledjob_operator.books import Books
from scheduledjob_operator.models import (
    DeadLetter,
    RequestOutcome,
    Result,
    Run,
    ScheduledJobStatus,
    Unstarted,
)
from scheduledjob_operator.models.types import format_time
from scheduledjob_operator.names import ConditionType, EventReason, PausedReason, SlotReason
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
    before = previous.condition(ConditionType.READY)
    if ready.ok:
        recovered = before is not None and before.status == "False"
        return Remark("Normal", ready.reason, ready.message) if recovered else None
    if before is not None and (before.reason, before.message) == (ready.reason, ready.message):
        return None
    return Remark("Warning", ready.reason, ready.message)


def remarks(
    *,
    previous: ScheduledJobStatus,
    status: ScheduledJobStatus,
    ready: Ready | None,
    books: Books,
    also: Remark | None,
) -> list[Remark]:
    """Everything that is worth an Event after a look at a ScheduledJob."""
    said: list[Remark | None] = [*map(run_remark, books.new_runs), also]
    if ready is not None:
        said.append(ready_remark(previous=previous, ready=ready))
    said.append(paused_remark(previous=previous, status=status))
    said += map(slots_remark, books.verdicts)
    if books.caught_up:
        slots = books.caught_up
        them = "it" if len(slots) == 1 else "them"
        note = f"{_slots(len(slots), slots[0], slots[-1])} will be caught up: nothing had started {them}"
        said.append(Remark("Normal", EventReason.CATCHING_UP, note))
    said += map(letter_remark, books.letters)
    said += map(request_remark, books.answers)
    return [remark for remark in said if remark]


def slots_remark(entry: Unstarted) -> Remark | None:
    """A word on slots that had no run, unless nobody wanted them to."""
    slots = _slots(entry.count, entry.first, entry.last)
    if entry.result is Result.MISSED:
        return Remark("Warning", EventReason.SLOTS_MISSED, f"{slots} had no run: {entry.reason}")
    if entry.reason == SlotReason.OVERLAP_FORBIDDEN:
        return Remark("Normal", EventReason.SLOT_SKIPPED, f"{slots} had no run: another one was active")
    return None


def _slots(count: int, first: datetime, last: datetime) -> str:
    if count == 1:
        return f"slot {format_time(first)}"
    return f"{count:,} slots from {format_time(first)} to {format_time(last)}"


def letter_remark(letter: DeadLetter) -> Remark:
    """A word on a run that nothing will try again."""
    note = f"run {letter.id} failed for good after {letter.attempts} attempts: {letter.reason}"
    return Remark("Warning", EventReason.DEAD_LETTER, note)


def request_remark(outcome: RequestOutcome) -> Remark:
    """The answer to a request."""
    note = f"{outcome.annotation}: {outcome.message}"
    if outcome.outcome == "Accepted":
        return Remark("Normal", EventReason.REQUEST_ACCEPTED, note)
    return Remark("Warning", EventReason.REQUEST_REFUSED, note)


def paused_remark(*, previous: ScheduledJobStatus, status: ScheduledJobStatus) -> Remark | None:
    """A word when the schedule paused or resumed."""
    before = previous.condition(ConditionType.PAUSED)
    now = status.condition(ConditionType.PAUSED)
    if now is None or (before is not None and before.reason == now.reason):
        return None
    if now.reason == PausedReason.RESUMED:
        return Remark("Normal", EventReason.RESUMED, now.message)
    return Remark("Warning", EventReason.PAUSED, now.message)
