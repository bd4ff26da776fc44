"""The ScheduledJob's status as frozen models: the ledger of runs, and the conditions."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from scheduledjob_operator.models.types import Model, Time

Message = Annotated[str, Field(max_length=4096)]


class Trigger(StrEnum):
    """What asked for a run."""

    SCHEDULE = "Schedule"
    MANUAL = "Manual"


class Result(StrEnum):
    """How a run ended."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    CANCELLED = "Cancelled"
    UNKNOWN = "Unknown"


class Attempt(Model):
    """One Pod of a run."""

    number: int = Field(ge=1)
    """1 for the first attempt."""
    pod_name: str | None = Field(default=None, max_length=253)
    """The Pod, as long as it exists its logs are there."""
    start_time: Time | None = None
    """When the container started; absent when it never did."""
    end_time: Time | None = None
    """When the container ended."""
    exit_code: int | None = None
    """Exit code of the container; absent when it never started."""
    reason: str = Field(default="", max_length=128)
    """Why it ended: Completed, ExitCode, DeadlineExceeded, OOMKilled, Evicted, ImagePullBackOff, ..."""


class ActiveRun(Model):
    """A run that has not ended yet."""

    id: str = Field(max_length=253)
    """Identity of the run: the name of its Job."""
    job_name: str = Field(max_length=253)
    """The Job."""
    slot: Time | None = None
    """The scheduled time; absent for manual runs."""
    trigger: Trigger
    """Schedule or Manual."""
    requested_by: str | None = Field(default=None, max_length=253)
    """Who asked for a manual run, when known."""
    start_time: Time
    """When the Job was created."""
    reason: str | None = Field(default=None, max_length=128)
    """Why the run is stuck before its start, such as ImagePullBackOff or Unschedulable."""
    message: Message | None = None
    """What Kubernetes says about a run that is stuck before its start."""


class Run(Model):
    """A finished run."""

    id: str = Field(max_length=253)
    """Identity of the run: the name of its Job."""
    job_name: str = Field(max_length=253)
    """The Job; it may be gone by now."""
    slot: Time | None = None
    """The scheduled time; absent for manual runs."""
    trigger: Trigger
    """Schedule or Manual."""
    requested_by: str | None = Field(default=None, max_length=253)
    """Who asked for a manual run, when known."""
    result: Result
    """Succeeded, Failed, TimedOut, Cancelled, or Unknown when its Job was gone before its end was seen."""
    reason: str = Field(max_length=128)
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
    attempts: list[Attempt] = Field(
        default=[], max_length=20, json_schema_extra={"x-kubernetes-list-type": "atomic"}
    )
    """The Pods of the run, oldest first; of more than 20 the newest."""


class Counts(Model):
    """How many runs ended how, since the ScheduledJob was created."""

    succeeded: int = Field(default=0, ge=0)
    """Runs that succeeded."""
    failed: int = Field(default=0, ge=0)
    """Runs that failed."""
    timed_out: int = Field(default=0, ge=0)
    """Runs that ran into a deadline."""
    cancelled: int = Field(default=0, ge=0)
    """Runs that were ended before they were done: deleted, or replaced by the next one."""
    retries: int = Field(default=0, ge=0)
    """Attempts beyond the first one of each run."""


class Condition(Model):
    """One observation of the object, in the form that all Kubernetes tools know."""

    type: str = Field(max_length=316)
    """Name of the condition, such as Ready."""
    status: Literal["True", "False", "Unknown"]
    """Whether it holds."""
    reason: str = Field(min_length=1, max_length=1024)
    """Why, in one word."""
    message: str = Field(default="", max_length=32768)
    """Why, in a sentence."""
    observed_generation: int = Field(default=0, ge=0)
    """The generation of the spec that this was observed for."""
    last_transition_time: Time
    """When the status last changed."""


class Scheduler(StrEnum):
    """Who fires the schedule."""

    CRON_JOB = "CronJob"
    NONE = "None"


class ScheduledJobStatus(Model):
    """What happened and what comes next, as observed by the operator."""

    observed_generation: int = -1
    """The generation of the spec that this status was observed for; -1 before the first time."""
    conditions: list[Condition] = Field(
        default=[],
        max_length=16,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    """Ready: the spec was accepted and the CronJob is in sync. It does not turn red because a job failed."""
    cron_job_name: str | None = Field(default=None, max_length=52)
    """The CronJob that stands behind this ScheduledJob."""
    scheduler: Scheduler | None = None
    """Who fires the schedule: CronJob, or None while it is disabled or refused."""
    resolved_schedule: str | None = Field(default=None, max_length=120)
    """The schedule as the CronJob has it."""
    next_run_times: list[Time] = Field(
        default=[], max_length=5, json_schema_extra={"x-kubernetes-list-type": "atomic"}
    )
    """The next five run times, in UTC; empty while disabled."""
    active: list[ActiveRun] = Field(
        default=[], max_length=100, json_schema_extra={"x-kubernetes-list-type": "atomic"}
    )
    """Runs that have not ended, oldest first."""
    active_count: int = Field(default=0, ge=0)
    """How many runs have not ended."""
    last_run: Run | None = None
    """The run that ended last."""
    last_schedule_time: Time | None = None
    """Slot of the newest run that the schedule started."""
    last_success_time: Time | None = None
    """When a run last succeeded."""
    last_failure_time: Time | None = None
    """When a run last failed or timed out."""
    consecutive_failures: int = Field(default=0, ge=0)
    """Failed and timed-out runs since the last success."""
    counts: Counts | None = None
    """How many runs ended how."""
    average_duration_seconds: float | None = Field(default=None, ge=0)
    """Mean duration of the succeeded runs in recentRuns."""
    recent_runs: list[Run] = Field(
        default=[], max_length=200, json_schema_extra={"x-kubernetes-list-type": "atomic"}
    )
    """Finished runs, newest first, kept after their Jobs are gone."""
