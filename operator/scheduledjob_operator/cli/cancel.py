"""`kubectl scheduledjob cancel`: end a run."""

import click

from scheduledjob_operator.cli.asking import ask, requested_by_option
from scheduledjob_operator.cli.options import Place, in_a_cluster


@click.command(short_help="End a run.")
@click.argument("name")
@click.argument("run", required=False)
@requested_by_option
@in_a_cluster()
def cancel(place: Place, name: str, run: str | None, requested_by: str | None) -> None:
    """End RUN of the ScheduledJob NAME, active or pending; without RUN the only one there is.

    \b
    Examples:
      kubectl scheduledjob cancel portfolio-sync
      kubectl scheduledjob cancel portfolio-sync portfolio-sync-29921980
    """  # noqa: D301  # click's own sign for a paragraph that stays as it is
    if run is None:
        run = _only_run(place, name)
    outcome = ask(place, name, kind="cancel", request={"run": run}, requested_by=requested_by)
    click.echo(outcome.message)


def _only_run(place: Place, name: str) -> str:
    status = place.jobs.get(place.namespace, name).status
    ids = [run.id for run in (*status.active, *status.pending)]
    if len(ids) == 1:
        return ids[0]
    if not ids:
        raise click.ClickException(f"{name} has no run that is active or pending.")
    raise click.UsageError(f"{name} has {len(ids)} runs, say which one: {', '.join(ids)}")
