from functools import partial
from pathlib import Path

import click

from scheduledjob_operator.cli.import_.files import TIME_ZONE, show, verb
from scheduledjob_operator.cli.importing.cron_jobs import how_to_adopt, read_cron_jobs
from scheduledjob_operator.cli.importing.manifests import Options


@verb("cronjobs", TIME_ZONE)
def cronjobs(files: tuple[Path, ...], *, keep_going: bool, **given: str | None) -> None:
    """Import manifests of CronJobs, as `kubectl get cronjobs -o yaml` prints them.

    Standard error ends with the commands that let the ScheduledJobs take over the CronJobs of the cluster.

    \b
    Example:
      kubectl get cronjobs -o yaml | kubectl scheduledjob import cronjobs -
    """  # noqa: D301  # click's own sign for a paragraph that stays as it is
    options = Options(**given)
    reader = partial(read_cron_jobs, options=options)
    manifests = show(files, reader=reader, options=options, keep_going=keep_going)
    for sentence in how_to_adopt(manifests):
        click.echo(sentence, err=True)
