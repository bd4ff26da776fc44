"""`kubectl scheduledjob`: what helps on the command line, one verb in each module.

It reads and prints; it needs no cluster unless a verb says so.
"""

import click

from scheduledjob_operator.cli.cancel import cancel
from scheduledjob_operator.cli.import_ import import_jobs
from scheduledjob_operator.cli.next import next_runs


@click.group()
@click.version_option(package_name="scheduledjob-operator")
def main() -> None:
    """Work with ScheduledJobs on the command line."""


for verb in (cancel, import_jobs, next_runs):
    main.add_command(verb)
