"""`kubectl scheduledjob stats`: ScheduledJobs and their runs in numbers."""

from collections.abc import Iterator
from datetime import timedelta

import click

from scheduledjob_operator.cli.options import Place, in_a_cluster, output, print_data
from scheduledjob_operator.cli.run_list import NONE, shown_duration
from scheduledjob_operator.cli.statistics import Statistics, statistics


@click.command(short_help="ScheduledJobs and runs in numbers.")
@output
@in_a_cluster(all_namespaces=True)
def stats(place: Place, *, output: str | None) -> None:
    """Print how many ScheduledJobs and runs there are of each kind.

    \b
    Examples:
      kubectl scheduledjob stats
      kubectl scheduledjob stats -A -o json
    """  # noqa: D301  # click's own sign for a paragraph that stays as it is
    found = statistics(place.jobs.all(place.chosen), now=place.clock.now())
    if output is not None:
        print_data(found.model_dump(by_alias=True, mode="json"), form=output)
        return
    for label, text in _lines(found):
        click.echo(f"{label:<20}{text}")


def _lines(found: Statistics) -> Iterator[tuple[str, str]]:
    """(what it is about, the numbers)."""
    jobs, runs, seconds = found.scheduled_jobs, found.processed, found.average_duration_seconds
    by_priority = found.pending.model_dump()
    waiting = ", ".join(f"{priority} {count}" for priority, count in by_priority.items())
    standing = f"{found.enabled} enabled, {found.disabled} disabled, {found.suspended} suspended"
    ended = f"{found.succeeded} succeeded, {found.failed} failed, {found.timed_out} of them timed out"
    yield "ScheduledJobs", f"{jobs} ({standing})"
    yield "Scheduled", f"{found.scheduled} ({found.due} due within a minute)"
    yield "Pending", f"{sum(by_priority.values())} ({waiting})"
    yield "Retrying", str(found.retrying)
    yield "Processing", str(found.processing)
    yield "Dead letters", str(found.dead_letters)
    yield "Processed", f"{runs} ({ended})"
    yield "Success rate", NONE if found.success_rate is None else f"{found.success_rate:.1%}"
    yield "Average duration", NONE if seconds is None else shown_duration(timedelta(seconds=seconds))
    yield "Cancelled", str(found.cancelled)
    yield "Slots without run", f"{found.skipped} skipped, {found.missed} missed"
