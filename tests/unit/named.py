"""A ScheduledJob as the command line sees it."""

from typing import Any

from scheduledjob_operator.cli.scheduled_jobs import Named
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
