"""`kubectl scheduledjob dlq`: runs that failed for good, one verb in each module."""

import click

from scheduledjob_operator.cli.dlq.clear import clear
from scheduledjob_operator.cli.dlq.listing import list_letters
from scheduledjob_operator.cli.dlq.retry import retry


@click.group(short_help="Runs that failed for good: list, retry, clear.")
def dlq() -> None:
    """List, retry and clear dead letters: runs that failed although they were tried again."""


for verb in (list_letters, retry, clear):
    dlq.add_command(verb)
