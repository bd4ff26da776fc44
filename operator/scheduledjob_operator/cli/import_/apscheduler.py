from functools import partial
from pathlib import Path

from scheduledjob_operator.cli.import_.files import IMAGE, TIME_ZONE, show, verb
from scheduledjob_operator.cli.importing.apscheduler import read_apscheduler
from scheduledjob_operator.cli.importing.manifests import Options


@verb("apscheduler", TIME_ZONE, IMAGE)
def apscheduler(files: tuple[Path, ...], *, keep_going: bool, **given: str | None) -> None:
    """Import the jobs of APScheduler from Python source; only literals are read.

    \b
    Example:
      kubectl scheduledjob import apscheduler app/jobs.py --time-zone Europe/Berlin
    """  # noqa: D301  # click's own sign for a paragraph that stays as it is
    options = Options(**given)
    show(files, reader=partial(read_apscheduler, options=options), options=options, keep_going=keep_going)
