"""Something is done to one dead letter or to all of them."""

import click

from scheduledjob_operator.cli.asking import ask
from scheduledjob_operator.cli.options import Place
from scheduledjob_operator.request_texts import EVERYTHING

everything = click.option("--all", "everything", is_flag=True, help="All of the ScheduledJob's.")


def ask_for(
    place: Place, name: str, run: str | None, *, kind: str, everything: bool, requested_by: str | None
) -> None:
    """Ask that something is done to one or all of them, and print the answer. Raises UsageError."""
    if (run is not None) == everything:
        raise click.UsageError("Give either RUN, the id of a dead letter, or --all.")
    request = {"run": run or EVERYTHING}
    click.echo(ask(place, name, kind=kind, request=request, requested_by=requested_by).message)
