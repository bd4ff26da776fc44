from functools import partial
from pathlib import Path

from scheduledjob_operator.cli.import_.files import IMAGE, TIME_ZONE, show, verb
from scheduledjob_operator.cli.importing.env import read_env
from scheduledjob_operator.cli.importing.manifests import Options


@verb("env", TIME_ZONE, IMAGE)
def env(files: tuple[Path, ...], *, keep_going: bool, **given: str | None) -> None:
    """Import the schedules in env files, such as SYNC_CRON or JOB_SYNC_INTERVAL_SECONDS.

    \b
    Example:
      kubectl scheduledjob import env .env --namespace shop
    """  # noqa: D301  # click's own sign for a paragraph that stays as it is
    options = Options(**given)
    show(files, reader=partial(read_env, options=options), options=options, keep_going=keep_going)
