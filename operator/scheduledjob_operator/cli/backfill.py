"""`kubectl scheduledjob backfill`: a run for each slot of the past."""

from datetime import datetime

import click

from scheduledjob_operator.cli.asking import ask, requested_by_option
from scheduledjob_operator.cli.options import Place, in_a_cluster
from scheduledjob_operator.cli.parameters import moment
from scheduledjob_operator.models.types import format_time


@click.command(short_help="Run it for the slots of a stretch of time.")
@click.argument("name")
@click.option(
    "--from", "start", type=moment, metavar="TIME", required=True, help="The first slot, or a time before it."
)
@click.option(
    "--to", "end", type=moment, metavar="TIME", required=True, help="The last slot, or a time after it."
)
@click.option(
    "--parallelism",
    type=click.IntRange(1, 20),
    default=1,
    show_default=True,
    help="How many run at a time, with concurrencyPolicy Allow.",
)
@requested_by_option
@in_a_cluster()
def backfill(
    place: Place, name: str, start: datetime, end: datetime, *, parallelism: int, requested_by: str | None
) -> None:
    """Run the ScheduledJob NAME once for each slot from the one time to the other, at most 100.

    \b
    Example:
      kubectl scheduledjob backfill portfolio-sync --from 2026-11-21T00:00:00Z --to 2026-11-21T06:00:00Z
    """  # noqa: D301  # click's own sign for a paragraph that stays as it is
    request = {"from": format_time(start), "to": format_time(end), "parallelism": parallelism}
    outcome = ask(place, name, kind="backfill", request=request, requested_by=requested_by)
    click.echo(outcome.message)
