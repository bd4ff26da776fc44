"""The ScheduledJob's status as frozen models: the ledger of runs, and the conditions."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from scheduledjob_operator.models.runs import ATOMIC, ActiveRun, DeadLetter, PendingRun, Result, Run
from scheduledjob_operator.models.types import Model, Time


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
    skipped: int = Field(default=0, ge=0)
    """Slots that were not to run: another run was active, or the schedule was disabled or paused."""
    missed: int = Field(default=0, ge=0)
    """Slots that nothing started."""
    unknown: int = Field(default=0, ge=0)
    """Runs and slots whose end nobody saw: the operator was away, and their Jobs are gone."""


class Unstarted(Model):
    """Slots without a run in the ledger, for one and the same reason."""

    result: Literal[Result.SKIPPED, Result.MISSED, Result.UNKNOWN]
    """Skipped, Missed, or Unknown when a Job may have come and gone while the operator was away."""
    reason: str = Field(max_length=128)
    """OverlapForbidden, QueueFull, Disabled, Paused, Suspended, OutOfBounds, OtherEnvironment;
    NothingStartedIt, StartingDeadline; NotObserved."""
    count: int = Field(ge=1)
    """How many slots."""
    first: Time
    """The oldest of them."""
    last: Time
    """The newest of them."""


class RequestOutcome(Model):
    """What became of a request that was made by an annotation."""

    annotation: str = Field(max_length=317)
    """The annotation, without the group: run, backfill, retry, clear or cancel, and what follows."""
    id: str = Field(max_length=64)
    """Stands for the annotation and its value; another value is another request."""
    outcome: Literal["Accepted", "Refused"]
    """Accepted or Refused."""
    message: str = Field(default="", max_length=1024)
    """What was done, or what to write instead."""
    time: Time
    """When."""


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

    def after(self, previous: "Condition | None") -> "Condition":
        """The same, its status being as old as that of `previous` when it is the same one."""
        if previous is None or previous.status != self.status:
            return self
        return self.model_copy(update={"last_transition_time": previous.last_transition_time})


class Scheduler(StrEnum):
    """Who fires the schedule."""

    CRON_JOB = "CronJob"
    OPERATOR = "Operator"
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
    """Ready: the spec was accepted and the CronJob is in sync; it does not turn red because a job failed.
    Healthy: the runs succeed, and as expected. Paused: the schedule is held back. Completed: the one slot of
    at is over. OverlapGrows: runs start faster than they have to end. RequestRefused: what was asked for by
    an annotation is not done."""
    cron_job_name: str | None = Field(default=None, max_length=52)
    """The CronJob that stands behind this ScheduledJob."""
    scheduler: Scheduler | None = None
    """Who fires the schedule: CronJob; Operator for what a CronJob cannot express; or None while it is
    disabled or refused, has no slot left, or runs on demand only."""
    resolved_schedule: str | None = Field(default=None, max_length=400)
    """The schedule as it is in force: every and H as what they stand for."""
    next_run_times: list[Time] = Field(default=[], max_length=5, json_schema_extra=ATOMIC)
    """The next five run times, in UTC; empty while disabled or paused."""
    accounted_until: Time | None = None
    """Every slot up to this time has its verdict."""
    suspended: str | None = Field(default=None, max_length=64)
    """Why the schedule is suspended: Disabled, Paused, Suspended, OutOfBounds or OtherEnvironment."""
    scheduled_since: Time | None = None
    """Since when the schedule has been in force without a break."""
    active: list[ActiveRun] = Field(default=[], max_length=100, json_schema_extra=ATOMIC)
    """Runs that have not ended, oldest first."""
    pending: list[PendingRun] = Field(default=[], max_length=200, json_schema_extra=ATOMIC)
    """Runs that have no Job at the moment: waiting for their next attempt, queued, to be caught up."""
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
    recent_runs: list[Run] = Field(default=[], max_length=200, json_schema_extra=ATOMIC)
    """Finished runs, newest first, kept after their Jobs are gone."""
    unstarted: list[Unstarted] = Field(default=[], max_length=20, json_schema_extra=ATOMIC)
    """Slots that had no run, newest first, those in a row with one verdict in one entry."""
    dead_letters: list[DeadLetter] = Field(default=[], max_length=50, json_schema_extra=ATOMIC)
    """Runs that used up their retries, newest first. Retry or clear them by an annotation."""
    dead_letters_dropped: int = Field(default=0, ge=0)
    """How many dead letters had to make room for newer ones."""
    requests: list[RequestOutcome] = Field(default=[], max_length=20, json_schema_extra=ATOMIC)
    """What became of the requests whose annotations are still there."""

    def condition(self, kind: str) -> Condition | None:
        """The condition of a type, if it is there."""
        return next((entry for entry in self.conditions if entry.type == kind), None)
