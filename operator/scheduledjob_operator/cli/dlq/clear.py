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
def clear(place: Place, name: str, run: str | None, *, everything: bool, requested_by: str | None) -> None:
    """Forget that RUN of the ScheduledJob NAME failed. It stays among the recent runs.

    \b
    Examples:
      kubectl scheduledjob dlq clear portfolio-sync portfolio-sync-29921980
      kubectl scheduledjob dlq clear portfolio-sync --all
    """  # noqa: D301  # click's own sign for a paragraph that stays as it is
    ask_for(place, name, run, kind="clear", everything=everything, requested_by=requested_by)
