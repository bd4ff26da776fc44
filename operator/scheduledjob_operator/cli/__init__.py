"""`kubectl scheduledjob`: what helps on the command line, one verb in each module.

`import` and `next` read and print, and need no cluster.
"""

import click

from scheduledjob_operator.cli.backfill import backfill
from scheduledjob_operator.cli.cancel import cancel
from scheduledjob_operator.cli.dlq import dlq
from scheduledjob_operator.cli.health import health
from scheduledjob_operator.cli.import_ import import_jobs
from scheduledjob_operator.cli.next import next_runs
from scheduledjob_operator.cli.pause import pause
from scheduledjob_operator.cli.resume import resume
from scheduledjob_operator.cli.run import run
from scheduledjob_operator.cli.runs import runs
from scheduledjob_operator.cli.stats import stats


@click.group()
@click.version_option(package_name="scheduledjob-operator")
def main() -> None:
    """Work with ScheduledJobs on the command line."""


for verb in (backfill, cancel, dlq, health, import_jobs, next_runs, pause, resume, run, runs, stats):
    main.add_command(verb)
