"""Runs in a row: those that are active, that wait and that have ended. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from scheduledjob_operator.cli.scheduled_jobs import Named
from scheduledjob_operator.models import ActiveRun, DeadLetter, PendingReason, PendingRun, Result, Run
from scheduledjob_operator.models.types import format_duration, format_time
from scheduledjob_operator.names import RunReason

RUNNING, PENDING, RETRYING = "Running", "Pending", "Retrying"
STATES = (RUNNING, PENDING, RETRYING, *(result for result in Result if result not in ("Skipped", "Missed")))
"""What a run can be in: these are verdicts on slots that had none."""
NONE = "<none>"
"""As kubectl has it."""
COLUMNS = (
    "NAMESPACE",
    "SCHEDULEDJOB",
    "RUN",
    "TRIGGER",
    "RESULT",
    "REASON",
    "STARTED",
    "DURATION",
    "ATTEMPTS",
    "REQUESTED BY",
)
_FINE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Listed:
    """A run of a ScheduledJob."""

    namespace: str
    name: str
    run: ActiveRun | PendingRun | Run
    raw: Mapping[str, Any]
    """As it stands in the status: all that this operator has written, whatever this version knows of it."""

    @property
    def state(self) -> str:
        """Running, Pending, Retrying or the verdict."""
        if isinstance(self.run, Run):
            return self.run.result.value
        if isinstance(self.run, ActiveRun):
            return RUNNING
        return RETRYING if self.run.reason is PendingReason.BACKOFF else PENDING

    @property
    def began(self) -> tuple[datetime, str]:
        """What it is sorted by; a run that was never started has its place where it was put down."""
        run = self.run
        if isinstance(run, PendingRun):
            return run.start_time or run.since, run.id
        return (run.start_time if isinstance(run, ActiveRun) else run.start_time or run.end_time), run.id

    @property
    def attempts(self) -> int:
        """How many were begun."""
        run = self.run
        if isinstance(run, Run):
            return run.attempts[-1].number if run.attempts else 0
        return run.attempt if isinstance(run, ActiveRun) else run.attempt - 1

    def is_called(self, name: str) -> bool:
        """Whether it is meant by a name: its id, or a Job of it."""
        jobs = (attempt.job_name for attempt in self.run.attempts)
        return name in (self.run.id, self.run.job_name, *jobs)

    def data(self) -> dict[str, Any]:
        """All there is to know of it; what this version does not know comes last."""
        known = [str(field.alias) for field in type(self.run).model_fields.values()]
        run = {name: self.raw[name] for name in known if name in self.raw}
        return {
            "namespace": self.namespace,
            "scheduledJob": self.name,
            "state": self.state,
            **run,
            **self.raw,
        }

    def cells(self, *, now: datetime) -> tuple[str, ...]:
        """Under COLUMNS."""
        run = self.run
        return (
            self.namespace,
            self.name,
            run.id,
            run.trigger,
            self.state,
            self._reason(now=now) or NONE,
            format_time(run.start_time) if run.start_time else NONE,
            self._duration(now=now) or NONE,
            str(self.attempts),
            run.requested_by or NONE,
        )

    def _reason(self, *, now: datetime) -> str:
        run = self.run
        if isinstance(run, PendingRun):
            wait = run.due_time - now
            return f"{run.reason}, due in {shown_duration(wait)}" if wait > timedelta() else run.reason
        if isinstance(run, Run):
            return shown_reason(run)
        return run.reason or ""

    def _duration(self, *, now: datetime) -> str:
        run = self.run
        if isinstance(run, ActiveRun):
            return shown_duration(max(now - run.start_time, timedelta()))
        if isinstance(run, Run) and run.duration_seconds is not None:
            return shown_duration(timedelta(seconds=run.duration_seconds))
        return ""


def shown_reason(run: Run | DeadLetter) -> str:
    """Such as DeadlineExceeded or ExitCode 64."""
    if run.reason == RunReason.EXIT_CODE and run.exit_code is not None:
        return f"{run.reason} {run.exit_code}"
    return run.reason


def shown_duration(duration: timedelta) -> str:
    """Such as 0.4s or 1h30m."""
    seconds = duration.total_seconds()
    return f"{seconds:.1f}s" if seconds < _FINE_SECONDS else format_duration(duration)


def runs_of(jobs: Iterable[Named]) -> list[Listed]:
    """All runs of ScheduledJobs, the newest first."""
    found = [listed for job in jobs for listed in _listed(job)]
    return sorted(found, key=lambda listed: listed.began, reverse=True)


def _listed(job: Named) -> Iterable[Listed]:
    status, raw = job.status, job.raw_status
    lists = (("active", status.active), ("pending", status.pending), ("recentRuns", status.recent_runs))
    last = raw.get("lastRun") or {}  # its value is kept whole, however large it is
    for field, runs in lists:
        written = {entry.get("id"): entry for entry in raw.get(field) or ()}
        if field == "recentRuns" and last.get("id") in written:
            written[last["id"]] = last
        for run in runs:
            yield Listed(job.namespace, job.name, run, written[run.id])
