"""Which dead letters are meant."""

import click

from scheduledjob_operator.request_texts import EVERYTHING

everything = click.option("--all", "everything", is_flag=True, help="All of the ScheduledJob's.")


def chosen(run: str | None, *, everything: bool) -> str:
    """The value of a request for one or all. Raises UsageError."""
    if (run is not None) == everything:
        raise click.UsageError("Give either RUN, the id of a dead letter, or --all.")
    return run or EVERYTHING
