"""`kubectl scheduledjob pause`: a schedule fires no more."""

import click

from scheduledjob_operator.cli.options import Place, in_a_cluster

APPLIED = "A manifest that is applied from a repository may put this back: change it there too."


@click.command(short_help="Switch a schedule off.")
@click.argument("name")
@in_a_cluster()
def pause(place: Place, name: str) -> None:
    """Switch the schedule of the ScheduledJob NAME off: `enabled: false`. Active runs go on.

    \b
    Example:
      kubectl scheduledjob pause portfolio-sync
    """  # noqa: D301  # click's own sign for a paragraph that stays as it is
    found = place.jobs.get(place.namespace, name)
    if not found.spec.get("enabled", True):
        click.echo(f"{name} is paused already.")
        return
    place.jobs.patch_spec(place.namespace, name, {"enabled": False})
    active = [run.id for run in found.status.active]
    go_on = f" Active runs go on: {', '.join(active)}." if active else ""
    click.echo(f"{name} is paused.{go_on} {APPLIED}")
