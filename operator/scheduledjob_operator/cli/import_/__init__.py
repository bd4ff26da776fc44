"""`kubectl scheduledjob import`: what another scheduler runs, as ScheduledJobs; one verb in each module."""

import click

from scheduledjob_operator.cli.import_.apscheduler import apscheduler
from scheduledjob_operator.cli.import_.cronjobs import cronjobs
from scheduledjob_operator.cli.import_.crontab import crontab
from scheduledjob_operator.cli.import_.env import env


@click.group("import", short_help="ScheduledJobs for what runs elsewhere.")
def import_jobs() -> None:
    """Print ScheduledJobs for what another scheduler runs.

    Manifests go to standard output, and what cannot be carried over to standard error, with file and line.
    Files are read as data: nothing in them is executed.
    """


for verb in (apscheduler, cronjobs, crontab, env):
    import_jobs.add_command(verb)
