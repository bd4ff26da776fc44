"""What a handler is told about its run."""

import logging
import re
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from job_runner.errors import Cancelled, ConfigurationError
from job_runner.supervision import Supervisor

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Context:
    """One run, as its handler sees it: give a parameter this annotation to receive it."""

    name: str
    """Name of the ScheduledJob; the handler's own on a laptop."""
    namespace: str = ""
    job_name: str = ""
    pod_name: str = ""
    slot: datetime | None = None
    """The scheduled time this run stands for, in UTC; None for a run that a person started."""
    trigger: str = "Manual"
    """Schedule, Manual, Retry, CatchUp or Backfill."""
    attempt: int | None = None
    """1 for the first attempt; None where it is not known, as on a laptop."""
    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Etc/UTC"))
    """The time zone of the schedule: `context.slot.astimezone(context.time_zone)`."""
    deadline: datetime | None = None
    """When the run is cancelled, in UTC; None when it has no time limit."""
    logger: logging.Logger = field(default_factory=lambda: logging.getLogger("job"))
    """Writes the run's log lines; `extra={"rows": 5}` become fields of their own."""
    supervisor: Supervisor = field(repr=False)
    """The machinery behind the methods below."""

    @property
    def cancelled(self) -> bool:
        """Whether the run has to end: its time is up, or its pod is being stopped."""
        return self.supervisor.cancelled

    def raise_if_cancelled(self) -> None:
        """Raise Cancelled when the run has to end: a good place to stop, between two pieces of work."""
        if self.cancelled:
            raise Cancelled

    def shield(self) -> AbstractContextManager[None]:
        """A block that is finished before a cancellation is let through, such as one transaction."""
        return self.supervisor.shield()

    @property
    def remaining_seconds(self) -> float | None:
        """Seconds until the deadline, at least 0; None without a limit. Fits any `timeout=` parameter."""
        if self.supervisor.deadline is None:
            return None
        return max(self.supervisor.deadline - time.monotonic(), 0.0)


def context_from(
    environment: Mapping[str, str], supervisor: Supervisor, *, handler: str, now: datetime
) -> Context:
    """The context of a run, from the variables the operator sets in a pod; any of them may be missing."""
    name = environment.get("SCHEDULEDJOB_NAME") or handler
    job_name = environment.get("SCHEDULEDJOB_JOB_NAME", "")
    slot = _slot(environment.get("SCHEDULEDJOB_SLOT", "")) or _slot_of_job(job_name, name)
    deadline = None
    if supervisor.deadline is not None:
        deadline = now + timedelta(seconds=supervisor.deadline - time.monotonic())
    return Context(
        name=name,
        namespace=environment.get("SCHEDULEDJOB_NAMESPACE", ""),
        job_name=job_name,
        pod_name=environment.get("SCHEDULEDJOB_POD_NAME", ""),
        slot=slot,
        trigger=environment.get("SCHEDULEDJOB_TRIGGER") or ("Schedule" if slot else "Manual"),
        attempt=_attempt(environment),
        time_zone=_time_zone(environment.get("SCHEDULEDJOB_TIME_ZONE") or "Etc/UTC"),
        deadline=deadline,
        supervisor=supervisor,
    )


def _slot(text: str) -> datetime | None:
    if not text:
        return None
    try:
        slot = datetime.fromisoformat(text)
    except ValueError:
        _LOG.warning("the annotation scheduledjob.dev/slot is not an RFC 3339 time and is ignored")
        return None
    return slot.astimezone(UTC) if slot.tzinfo else slot.replace(tzinfo=UTC)


def _slot_of_job(job_name: str, name: str) -> datetime | None:
    """The slot in the name that the native CronJob controller gives its Jobs: NAME-<unix minutes>."""
    match = re.fullmatch(re.escape(name) + r"-(\d{8})", job_name)
    return datetime.fromtimestamp(int(match[1]) * 60, tz=UTC) if match else None


def _attempt(environment: Mapping[str, str]) -> int | None:
    """What the operator says, else one more than the failures that Kubernetes has counted."""
    for variable, offset in (("SCHEDULEDJOB_ATTEMPT", 0), ("SCHEDULEDJOB_FAILURES", 1)):
        text = environment.get(variable, "")
        if text.isascii() and text.isdigit():
            return int(text) + offset
        if text:
            _LOG.warning("%s is not a whole number and is ignored", variable)
    return None


def _time_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(f"{name!r} is not a time zone this image knows") from None
