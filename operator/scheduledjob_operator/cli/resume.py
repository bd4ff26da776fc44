"""`kubectl scheduledjob resume`: a schedule fires again."""

import click

from scheduledjob_operator.cli.options import Place, in_a_cluster
from scheduledjob_operator.cli.pause import APPLIED


@click.command(short_help="Switch a schedule on again.")
@click.argument("name")
@in_a_cluster()
def resume(place: Place, name: str) -> None:
    """Switch the schedule of the ScheduledJob NAME on again: `enabled: true`. No slot of the past runs.

    \b
    Example:
      kubectl scheduledjob resume portfolio-sync
    """  # noqa: D301  # click's own sign for a paragraph that stays as it is
    found = place.jobs.get(place.namespace, name)
    if found.spec.get("enabled", True):
        reason = found.status.suspended
        held_back = f" Something else holds it back: {reason}." if reason else ""
        click.echo(f"{name} is not paused.{held_back}")
        return
    place.jobs.patch_spec(place.namespace, name, {"enabled": True})
    click.echo(f"{name} is resumed; no slot of the past runs. {APPLIED}")
