from functools import partial
from pathlib import Path

import click

from scheduledjob_operator.cli.import_.files import IMAGE, TIME_ZONE, show, verb
from scheduledjob_operator.cli.importing.crontab import read_crontab
from scheduledjob_operator.cli.importing.manifests import Options


@verb(
    "crontab",
    click.option("--system", is_flag=True, help="There is a column for the user, as in /etc/crontab."),
    TIME_ZONE,
    IMAGE,
)
def crontab(files: tuple[Path, ...], *, system: bool, keep_going: bool, **given: str | None) -> None:
    """Import crontabs, as `crontab -l` prints them; - reads from standard input.

    \b
    Examples:
      crontab -l | kubectl scheduledjob import crontab - --image registry.example.com/jobs:1
      kubectl scheduledjob import crontab --system /etc/crontab --time-zone Europe/Berlin
    """  # noqa: D301  # click's own sign for a paragraph that stays as it is
    options = Options(**given)
    show(
        files,
        reader=partial(read_crontab, options=options, system=system),
        options=options,
        keep_going=keep_going,
    )
