"""Runs as they stand in the status: waiting, active, ended, and those that nobody could save.

The docstring under a field is what `kubectl explain` prints for it.
"""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from scheduledjob_operator.models.types import Model, Time

Message = Annotated[str, Field(max_length=4096)]
Name = Annotated[str, Field(max_length=253)]
RunReasonText = Annotated[str, Field(max_length=128)]
ATOMIC: dict[str, Any] = {"x-kubernetes-list-type": "atomic"}


class Trigger(StrEnum):
    """What asked for a run."""

    SCHEDULE = "Schedule"
    MANUAL = "Manual"
    RETRY = "Retry"
    CATCH_UP = "CatchUp"
    BACKFILL = "Backfill"
    PROBE = "Probe"


class Result(StrEnum):
    """The verdict on a run, or on a slot that had none."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    CANCELLED = "Cancelled"
    UNKNOWN = "Unknown"
    SKIPPED = "Skipped"
    MISSED = "Missed"


FAILURES = (Result.FAILED, Result.TIMED_OUT)
"""The verdicts that are failures: they count for totals, dead letters, retries and health."""


class PendingReason(StrEnum):
    """What a run that has no Job yet waits for."""

    BACKOFF = "Backoff"
    QUEUED = "Queued"
    CATCH_UP = "CatchUp"
    COOL_DOWN = "CoolDown"


class Attempt(Model):
    """One attempt of a run: a Pod, and with retry.backoff a Job of its own."""

    number: int = Field(ge=1)
    """1 for the first attempt."""
    job_name: Name | None = None
    """The Job of the attempt, where each has its own."""
    pod_name: Name | None = None
    """The Pod, as long as it exists its logs are there."""
    start_time: Time | None = None
    """When the container started; absent when it never did."""
    end_time: Time | None = None
    """When the container ended."""
    exit_code: int | None = None
    """Exit code of the container; absent when it never started."""
    reason: str = Field(default="", max_length=128)
    """Why it ended: Completed, ExitCode, DeadlineExceeded, OOMKilled, Evicted, ImagePullBackOff, ..."""


Attempts = Annotated[list[Attempt], Field(max_length=20, json_schema_extra=ATOMIC)]


class _Asked(Model):
    """Which run it is, and who or what asked for it."""

    id: Name
    """Identity of the run: the name of its first Job."""
    job_name: Name
    """The Job of the latest attempt."""
    slot: Time | None = None
    """The scheduled time; absent for manual runs."""
    trigger: Trigger
    """Schedule, Manual, Retry (of a dead letter), CatchUp, Backfill, or Probe (while paused)."""
    requested_by: Name | None = None
    """Who asked for the run, when known."""
    request: str | None = Field(default=None, max_length=64)
    """The request that the run was made for, as in status.requests."""
    retry_of: Name | None = None
    """The dead letter that the run tries again."""
    overridden: bool | None = None
    """Whether the run has arguments or variables of its own."""


class PendingRun(_Asked):
    """A run that is due or will be, and has no Job at the moment."""

    reason: PendingReason
    """What it waits for: Backoff, Queued (behind an active run), CatchUp, CoolDown."""
    due_time: Time
    """When it starts at the earliest."""
    since: Time
    """When it was put down here."""
    attempt: int = Field(default=1, ge=1)
    """Number of the attempt that will start."""
    attempts: Attempts = Field(default=[])
    """The attempts made so far, oldest first."""
    start_time: Time | None = None
    """When the first attempt started."""
    result: Result | None = None
    """How the latest attempt ended."""
    message: Message | None = None
    """What the latest attempt left: its error, or the tail of its log."""
    parallelism: int | None = Field(default=None, ge=1, le=100)
    """How many runs of the same request may be active at once."""


class ActiveRun(_Asked):
    """A run whose Job has not ended yet."""

    start_time: Time
    """When the run began: the creation of its first Job."""
    attempt: int = Field(default=1, ge=1)
    """Number of the attempt, where each has a Job of its own."""
    attempts: Attempts = Field(default=[])
    """The earlier attempts, where each has a Job of its own."""
    reason: RunReasonText | None = None
    """Why the run is stuck before its start, such as ImagePullBackOff or Unschedulable."""
    message: Message | None = None
    """What Kubernetes says about a run that is stuck before its start."""


class Run(_Asked):
    """A finished run."""

    result: Result
    """Succeeded, Failed, TimedOut, Cancelled, or Unknown when its Job was gone before its end was seen."""
    reason: RunReasonText
    """Why: Completed, ExitCode, DeadlineExceeded, OOMKilled, ImagePullBackOff, Evicted, JobDeleted, ..."""
    exit_code: int | None = None
    """Exit code of the last attempt."""
    start_time: Time | None = None
    """When the run started."""
    end_time: Time
    """When the run ended."""
    duration_seconds: float | None = Field(default=None, ge=0)
    """Seconds from start to end."""
    message: Message | None = None
    """The handler's error, or the tail of the log."""
    value: Annotated[Any, WithJsonSchema({"x-kubernetes-preserve-unknown-fields": True})] = None
    """The handler's small JSON result."""
    peak_memory_bytes: int | None = Field(default=None, ge=0)
    """Most memory the run used, in bytes, as the runner measured it."""
    attempts: Attempts = Field(default=[])
    """The attempts of the run, oldest first; of more than 20 the newest."""


class DeadLetter(Model):
    """A run that failed for good. It stays until it is retried with success, or cleared."""

    id: Name
    """Identity of the run that failed."""
    slot: Time | None = None
    """Its scheduled time."""
    trigger: Trigger
    """What had asked for it."""
    requested_by: Name | None = None
    """Who had asked for it."""
    run: Name
    """The newest run made for it: itself, or its latest retry."""
    attempts: int = Field(ge=0)
    """How many attempts were made, retries included."""
    result: Result
    """Failed or TimedOut."""
    reason: RunReasonText
    """Why the newest of them failed."""
    exit_code: int | None = None
    """Its exit code."""
    message: Message | None = None
    """Its error, or the tail of its log."""
    time: Time
    """When it failed."""
    overridden: bool = False
    """Whether the run had arguments or variables of its own; a retry gets the same."""
