"""How all ScheduledJobs do together, from the little that is worth remembering of each for it. Pure."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from scheduledjob_operator.models import ScheduledJobStatus
from scheduledjob_operator.models.runs import FAILURES
from scheduledjob_operator.models.types import Model
from scheduledjob_operator.names import ConditionType

DEGRADED_ABOVE = 5
"""How many runs may fail in a day until that is no accident any more."""
DAY = timedelta(hours=24)


class Overall(Model):
    """The sum of it, counts only."""

    status: Literal["ok", "degraded"]
    """degraded: more runs have failed in the last 24 hours than `degraded_above`."""
    degraded_above: int
    scheduled_jobs: int
    running: int
    """Runs that are active."""
    pending: int
    """Runs that wait: for their next attempt, or to begin."""
    failures_last_24h: int = Field(alias="failuresLast24h")
    """Runs that failed or timed out."""
    failures_at_least: bool
    """Whether there may have been more of them than the ledgers have kept."""
    dead_letters: int
    unhealthy: int
    """ScheduledJobs whose condition Healthy is False."""
    not_ready: int
    """ScheduledJobs whose condition Ready is not True."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """What counts of one ScheduledJob; by default of one in which all is quiet."""

    active: int = 0
    pending: int = 0
    dead_letters: int = 0
    healthy: bool = True
    ready: bool = True
    failures: Sequence[int] = ()
    """When runs failed in the last 24 hours, in seconds since 1970, oldest first."""
    complete_since: int = 0
    """Of the time before it the ledger has lost failures; 0 when it has not."""

    @classmethod
    def of(cls, status: ScheduledJobStatus, *, runs_kept: int, now: datetime) -> "Pulse":
        """What counts of a status. `runs_kept`: history.runs."""
        since = int((now - DAY).timestamp())
        failures, complete_since = _failures(status, runs_kept=runs_kept)
        ready, healthy = (status.condition(kind) for kind in (ConditionType.READY, ConditionType.HEALTHY))
        found = cls(
            active=status.active_count,
            pending=len(status.pending),
            dead_letters=len(status.dead_letters),
            healthy=healthy is None or healthy.status != "False",
            ready=ready is not None and ready.status == "True",
            failures=array("q", recent) if (recent := [end for end in failures if end >= since]) else (),
            complete_since=complete_since if complete_since > since else 0,
        )
        return QUIET if found == QUIET else found

    def failures_since(self, moment: int) -> int:
        """How many runs have failed from a moment on, in seconds since 1970."""
        return len(self.failures) - bisect_left(self.failures, moment)


QUIET = Pulse()


def _failures(status: ScheduledJobStatus, *, runs_kept: int) -> tuple[list[int], int]:
    """When runs failed, oldest first, and since when that list is complete (0: always).

    The counts tell whether the ledger has lost any. These are older than those that it has, and than the
    newest `runs_kept` runs, for it keeps these, and one whose Job is still there.
    """
    ends = [int(run.end_time.timestamp()) for run in status.recent_runs if run.result in FAILURES]
    ends.sort()
    last = int(status.last_failure_time.timestamp()) if status.last_failure_time else 0
    if last > max(ends, default=0):
        ends.append(last)
    counts = status.counts
    lost = counts is not None and counts.failed + counts.timed_out > len(ends)
    if not (lost and ends):
        return ends, 0
    oldest_kept = [int(run.end_time.timestamp()) for run in status.recent_runs[runs_kept - 1 : runs_kept]]
    return ends, min([ends[0], *oldest_kept])


def overall(pulses: Iterable[Pulse], *, now: datetime, degraded_above: int = DEGRADED_ABOVE) -> Overall:
    """What they come to together."""
    since = int((now - DAY).timestamp())
    every = list(pulses)
    failures = sum(pulse.failures_since(since) for pulse in every)
    return Overall(
        status="degraded" if failures > degraded_above else "ok",
        degraded_above=degraded_above,
        scheduled_jobs=len(every),
        running=sum(pulse.active for pulse in every),
        pending=sum(pulse.pending for pulse in every),
        failures_last_24h=failures,
        failures_at_least=any(pulse.complete_since > since for pulse in every),
        dead_letters=sum(pulse.dead_letters for pulse in every),
        unhealthy=sum(not pulse.healthy for pulse in every),
        not_ready=sum(not pulse.ready for pulse in every),
    )


class Pulses:
    """What the replica that acts remembers of the ScheduledJobs that it has looked at.

    It is in memory: the ledgers, from which it comes, are the record.
    """

    def __init__(self) -> None:
        self._pulses: dict[tuple[str, str], Pulse] = {}

    def __len__(self) -> int:
        return len(self._pulses)

    def show(
        self, key: tuple[str, str], *, status: ScheduledJobStatus, runs_kept: int, now: datetime
    ) -> None:
        """A ScheduledJob was looked at."""
        self._pulses[key] = Pulse.of(status, runs_kept=runs_kept, now=now)

    def forget(self, key: tuple[str, str]) -> None:
        """A ScheduledJob is gone."""
        self._pulses.pop(key, None)

    def forget_all(self) -> None:
        """Another replica acts now."""
        self._pulses.clear()

    def overall(self, *, now: datetime) -> Overall:
        """What they come to together."""
        return overall(self._pulses.values(), now=now)
