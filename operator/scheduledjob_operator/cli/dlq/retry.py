import click

from scheduledjob_operator.cli.asking import requested_by_option
from scheduledjob_operator.cli.dlq.letters import ask_for, everything
from scheduledjob_operator.cli.options import Place, in_a_cluster


@click.command()
@click.argument("name")
@click.argument("run", required=False)
@everything
@requested_by_option
@in_a_cluster()
def retry(place: Place, name: str, run: str | None, *, everything: bool, requested_by: str | None) -> None:
    """Try RUN of the ScheduledJob NAME again, with the arguments it had.

    \b
    Examples:
      kubectl scheduledjob dlq retry portfolio-sync portfolio-sync-29921980
      kubectl scheduledjob dlq retry portfolio-sync --all
    """  # noqa: D301  # click's own sign for a paragraph that stays as it is
    ask_for(place, name, run, kind="retry", everything=everything, requested_by=requested_by)
