"""The parts of a spec that say how runs are treated: retries, catch-up, pause, expectations, history.

The docstring under a field is what `kubectl explain` prints for it.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from scheduledjob_operator.models.types import Between, Duration, Model, duration_field


class ConcurrencyPolicy(StrEnum):
    """What happens when a run is due while another one is active."""

    ALLOW = "Allow"
    FORBID = "Forbid"
    REPLACE = "Replace"
    QUEUE = "Queue"


class Priority(StrEnum):
    """Names of the priority classes that come with the operator, most urgent first."""

    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class CatchUpPolicy(StrEnum):
    """Which of the slots that nothing started are started after all."""

    NONE = "None"
    LATEST = "Latest"
    ALL = "All"


class Backoff(Model):
    """How long to wait before the next attempt: initial, then factor times longer each time, up to max."""

    initial: Annotated[Duration, Between("1s", "24h", example="2m")] = duration_field("10s")
    """Wait before the second attempt. Default 10s."""
    factor: float = Field(default=2, ge=1, le=10)
    """How much longer each wait is than the one before it. Default 2."""
    max: Annotated[Duration, Between("1s", "24h", example="1h")] = duration_field("1h")
    """Longest wait. Default 1h."""
    jitter: float = Field(default=0, ge=0, le=1)
    """Part of the wait that is added at random, so that many runs that failed together do not come
    back together: 0.1 adds up to a tenth. Default 0."""


class Retry(Model):
    """What happens after a failed attempt. Evictions, drains and preemptions never use up a retry."""

    limit: int = Field(default=0, ge=0, le=100)
    """How many more attempts follow a failed one. Default 0: one attempt only."""
    backoff: Backoff | None = None
    """How long to wait between attempts, each of which is then a Job of its own, started by the operator.
    Without it Kubernetes starts the attempts by itself: 10s after the first one, then twice as long each
    time, up to 10m."""
    keep_across_slots: bool = False
    """With backoff: whether an attempt is still made when the run of a later slot has begun meanwhile.
    Default false: it is dropped, and the run ends as Failed with reason Superseded."""
    never_on_exit_codes: list[Annotated[int, Field(ge=1, le=255)]] = Field(
        default=[64, 65, 78], max_length=64, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Exit codes that end the run at once because trying again cannot help. Default: 64 (usage),
    65 (bad data) and 78 (configuration) of sysexits.h."""


class CatchUp(Model):
    """What happens to slots that nothing started in time."""

    policy: CatchUpPolicy = CatchUpPolicy.NONE
    """None: they stay missed. Latest: the newest of them runs. All: they run one after the other, oldest
    first. Default None."""
    window: Annotated[Duration, Between("1m", "720h", example="1h")] = duration_field("1h")
    """How old a slot may be and still be caught up. Default 1h."""
    limit: int = Field(default=10, ge=1, le=100)
    """How many slots are caught up at most, the newest of them. Default 10."""


class PauseAfter(Model):
    """When the schedule pauses by itself, and how it comes back."""

    consecutive_failures: int = Field(ge=1, le=1000)
    """How many runs in a row have to fail."""
    cool_down: Annotated[Duration, Between("1m", "720h", example="1h")] = duration_field("1h")
    """How long after a failure one run is tried; the schedule resumes when it succeeds. Default 1h."""


class Expect(Model):
    """What is expected of the runs."""

    success_within: Annotated[Duration, Between("1m", "8784h", example="26h")] | None = None
    """How old the last success may be; then Healthy turns False with reason Late."""
    max_duration: Annotated[Duration, Between("1s", "720h", example="10m")] | None = None
    """How long a run may take; beyond that Healthy turns False with reason Slow."""

    @model_validator(mode="after")
    def _something(self) -> "Expect":
        if self.success_within is None and self.max_duration is None:
            raise ValueError("expects nothing: give successWithin, maxDuration or both")
        return self


class History(Model):
    """How much of the past is kept."""

    succeeded_jobs: int = Field(default=3, ge=1, le=50)
    """How many succeeded Jobs, with their Pods and logs, stay in the cluster. Default 3."""
    failed_jobs: int = Field(default=5, ge=1, le=50)
    """How many failed Jobs, with their Pods and logs, stay in the cluster. Default 5."""
    runs: int = Field(default=20, ge=1, le=100)
    """How many finished runs status.recentRuns lists, also after their Jobs are gone. Default 20."""
