"""Whether anything has changed since a ScheduledJob was found in order. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from scheduledjob_operator.observed import CronJobSeen, JobSeen, PodSeen
from scheduledjob_operator.store import ScheduledJobSeen
from scheduledjob_operator.suspension import Switch


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A ScheduledJob that was found in order: an event that confirms a write of ours needs no second look."""

    evidence: int
    until: datetime | None

    def holds(self, *, now: datetime, evidence: int) -> bool:
        return self.evidence == evidence and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that is looked at."""

    scheduled_job: ScheduledJobSeen
    cron_job: CronJobSeen | None
    """The one of its name, whosever it is."""
    jobs: Sequence[JobSeen]
    gone_jobs: Sequence[JobSeen]
    pods: Sequence[PodSeen]
    switches: Sequence[Switch]
    going: bool
    """Whether the namespace is being deleted."""

    def number(self, *, without: Collection[str] = ()) -> int:
        """A hash of the versions of it all, less the evidence of the runs and Jobs named in `without`."""
        own = self.cron_job
        if own is not None:
            own = replace(own, resource_version="", last_schedule_time=None, active=())
        children = (
            *((job.uid, job.resource_version, "") for job in self.jobs),
            *((job.uid, job.resource_version, "gone") for job in self.gone_jobs if job.name not in without),
            *(
                (pod.uid, pod.resource_version, str(pod.deleting))
                for pod in self.pods
                if pod.job_name not in without
            ),
        )
        seen = self.scheduled_job
        return hash(
            (seen.uid, seen.resource_version, own, tuple(self.switches), self.going, frozenset(children))
        )
