"""ScheduledJobs as the command line sees them, and a cluster that only shows them."""

from typing import Any

from scheduledjob_operator.cli.scheduled_jobs import Named, RefusedByCluster
from scheduledjob_operator.models import ScheduledJobStatus
from scheduledjob_operator.recording import dump
from tests.unit import bodies


def named(
    name: str = "sync",
    *,
    namespace: str = "shop",
    spec: dict[str, Any] | None = None,
    status: ScheduledJobStatus | None = None,
) -> Named:
    """A ScheduledJob with a status."""
    written = dump(status or ScheduledJobStatus())
    return Named.of(bodies.scheduled_job(name=name, namespace=namespace, spec=spec, status=written))


class ShownJobs:
    """As much of a cluster as the verbs need that read."""

    namespace = "shop"

    def __init__(self, *jobs: Named) -> None:
        self._jobs = jobs

    def all(self, namespace: str | None) -> list[Named]:
        return [job for job in self._jobs if namespace in (None, job.namespace)]

    def get(self, namespace: str, name: str) -> Named:
        for job in self._jobs:
            if (job.namespace, job.name) == (namespace, name):
                return job
        raise RefusedByCluster(f'scheduledjobs.scheduledjob.dev "{name}" not found (NotFound)')
