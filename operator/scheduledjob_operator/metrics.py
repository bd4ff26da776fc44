"""Prometheus metrics of the operator itself."""

from collections.abc import Iterable
from datetime import datetime

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from scheduledjob_operator.models import (
    Result,
    Run,
    ScheduledJobSpec,
    ScheduledJobStatus,
    Unstarted,
)
from scheduledjob_operator.names import ConditionType, SlotReason

# A third of the page, and when a series began is of no use to anybody; the function has no types.
disable_created_metrics()  # type: ignore[no-untyped-call]

PREFIX = "scheduledjob_operator"

API_REQUESTS = Counter(
    f"{PREFIX}_api_requests", "Requests that the operator sent to the API server.", ["verb"]
)
RECONCILE_SECONDS = Histogram(
    f"{PREFIX}_reconcile_duration_seconds",
    "How long one reconciliation took.",
    buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30),
)
RECONCILE_ERRORS = Counter(
    f"{PREFIX}_reconcile_errors", "Reconciliations that failed and were put back into the queue."
)
QUEUE_LENGTH = Gauge(f"{PREFIX}_queue_length", "ScheduledJobs waiting to be reconciled.")
OBJECTS = Gauge(f"{PREFIX}_scheduledjobs", "ScheduledJobs known to the operator.")
RUNS = Counter("scheduledjob_runs", "Finished runs.", ["namespace", "name", "result"])
RUN_SECONDS = Histogram(
    "scheduledjob_run_duration_seconds",
    "How long finished runs took.",
    buckets=(1, 5, 15, 60, 300, 900, 3600, 14400),
)
SLOT_DELAY = Histogram(
    "scheduledjob_slot_start_delay_seconds",
    "From a slot to its Job, of the slots that the operator started.",
    ["scheduler"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
LEADER = Gauge("scheduledjob_operator_leader", "Whether this replica is the one that acts.")
SLOTS = Counter(
    "scheduledjob_unstarted_slots", "Slots that had no run.", ["namespace", "name", "result", "reason"]
)
DEAD_LETTERS = Gauge("scheduledjob_dead_letters", "Runs that failed for good.", ["namespace", "name"])
CONSECUTIVE_FAILURES = Gauge(
    "scheduledjob_consecutive_failures", "Failed runs since the last success.", ["namespace", "name"]
)
HEALTHY = Gauge(
    "scheduledjob_healthy",
    "Whether the runs succeed as expected; absent while that is unknown.",
    ["namespace", "name"],
)
LAST_MISSED = Gauge(
    "scheduledjob_last_missed_timestamp_seconds",
    "When it was last found that slots had been missed; absent until this operator found some.",
    ["namespace", "name"],
)
ALERT_ON_FAILURE = Gauge(
    "scheduledjob_alert_on_failure",
    "0 while alerts shall not speak of it; absent else, which is what most are.",
    ["namespace", "name"],
)
SUSPENDED = Gauge(
    "scheduledjob_suspended",
    "1 while the schedule is held back, and why; absent while it is in force.",
    ["namespace", "name", "reason"],
)
_STATES = (DEAD_LETTERS, CONSECUTIVE_FAILURES, HEALTHY, LAST_MISSED, ALERT_ON_FAILURE)
_SUSPENSIONS = (
    SlotReason.DISABLED,
    SlotReason.OTHER_ENVIRONMENT,
    SlotReason.SUSPENDED,
    SlotReason.OUT_OF_BOUNDS,
    SlotReason.PAUSED,
)


def count_runs(*, namespace: str, name: str, runs: Iterable[Run]) -> None:
    """Count runs that have ended."""
    for run in runs:
        RUNS.labels(namespace=namespace, name=name, result=run.result).inc()
        if run.duration_seconds is not None:
            RUN_SECONDS.observe(run.duration_seconds)


def count_slots(*, namespace: str, name: str, verdicts: Iterable[Unstarted], now: datetime) -> None:
    """Count slots that had no run, `now` being when that was found."""
    for entry in verdicts:
        result: Result = entry.result
        SLOTS.labels(namespace=namespace, name=name, result=result, reason=entry.reason).inc(entry.count)
        if result is Result.MISSED:
            # A counter that begins with what it counts shows no increase; this tells of the first one too.
            LAST_MISSED.labels(namespace=namespace, name=name).set(now.timestamp())


def show_state(
    *, namespace: str, name: str, status: ScheduledJobStatus, spec: ScheduledJobSpec | None
) -> None:
    """Show how a ScheduledJob stands. `spec`: None when it cannot be read; what was shown of it stays."""
    if spec is not None:
        _show_silence(namespace=namespace, name=name, silent=not spec.alert_on_failure)
    for reason in _SUSPENSIONS:
        if reason == status.suspended:
            SUSPENDED.labels(namespace=namespace, name=name, reason=reason).set(1)
        else:
            SUSPENDED.remove(namespace, name, reason)
    DEAD_LETTERS.labels(namespace=namespace, name=name).set(len(status.dead_letters))
    CONSECUTIVE_FAILURES.labels(namespace=namespace, name=name).set(status.consecutive_failures)
    health = status.condition(ConditionType.HEALTHY)
    if health is None or health.status == "Unknown":
        HEALTHY.remove(namespace, name)
    else:
        HEALTHY.labels(namespace=namespace, name=name).set(health.status == "True")


def _show_silence(*, namespace: str, name: str, silent: bool) -> None:
    if silent:
        ALERT_ON_FAILURE.labels(namespace=namespace, name=name).set(0)
    else:
        ALERT_ON_FAILURE.remove(namespace, name)


def forget_all() -> None:
    """Drop what is shown of all ScheduledJobs: another replica shows it now."""
    for metric in (*_STATES, SUSPENDED, RUNS, SLOTS):
        metric.clear()


def forget(*, namespace: str, name: str) -> None:
    """Drop what is shown of a ScheduledJob that is gone.

    By full label sets: looking for them costs as much as there are ScheduledJobs, for each that goes.
    """
    for gauge in _STATES:
        gauge.remove(namespace, name)
    for held in _SUSPENSIONS:
        SUSPENDED.remove(namespace, name, held)
    for result in Result:
        RUNS.remove(namespace, name, result)
        for reason in SlotReason:
            SLOTS.remove(namespace, name, result, reason)
