"""Prometheus metrics of the operator itself."""

from prometheus_client import Counter, Gauge, Histogram

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
