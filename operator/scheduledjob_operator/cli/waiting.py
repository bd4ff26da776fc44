"""Wait until a run that was asked for has ended."""

from collections.abc import Iterator

import click

from scheduledjob_operator.cli.asking import PATIENCE
from scheduledjob_operator.cli.clock import looks
from scheduledjob_operator.cli.options import Place, shown
from scheduledjob_operator.cli.scheduled_jobs import NoAnswer, RefusedByCluster
from scheduledjob_operator.models import PendingReason, Run, ScheduledJobStatus
from scheduledjob_operator.models.types import format_time


def wait_for(place: Place, name: str, *, request: str, patience: float | None) -> Run | None:
    """The run of the ScheduledJob `name` that was made for a request, once it has ended; None: it has not.

    request: id of the answer. patience: in seconds; None waits as long as it takes. What the run does
    meanwhile goes to standard error. A cluster that does not answer is waited for, too, for half a minute;
    then, and when the run is not in the status any more, RefusedByCluster is raised.
    """
    said, last_seen = "", place.clock.monotonic()
    for _ in looks(place.clock, patience=patience):
        lost = place.clock.monotonic() - last_seen > PATIENCE
        try:
            status = place.jobs.get(place.namespace, name).status
        except NoAnswer:
            if lost:
                raise
            continue
        if run := next((run for run in status.recent_runs if run.request == request), None):
            return run
        if state := next(_states(status, request=request), ""):
            last_seen = place.clock.monotonic()
        elif lost:
            raise RefusedByCluster(
                f"The run is not in the status of {name} any more: how many it keeps, history.runs says."
            )
        if state and state != said:
            said = state
            click.echo(shown(state), err=True)
    return None


def _states(status: ScheduledJobStatus, *, request: str) -> Iterator[str]:
    """What the run of a request does, or waits for."""
    for run in status.active:
        if run.request == request:
            yield f"{run.id} is active" + (f": {run.reason}: {run.message or ''}" if run.reason else "")
    for waiting in status.pending:
        if waiting.request == request:
            again = waiting.reason is PendingReason.BACKOFF
            due = f", due at {format_time(waiting.due_time)}" if again else ""
            yield f"{waiting.id} is pending: {waiting.reason}{due}"
