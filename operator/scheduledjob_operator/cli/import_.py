"""`kubectl scheduledjob import`: what another scheduler runs, as ScheduledJobs."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import click

from scheduledjob_operator.cli.importing.apscheduler import read_apscheduler
from scheduledjob_operator.cli.importing.cron_jobs import how_to_adopt, read_cron_jobs
from scheduledjob_operator.cli.importing.crontab import read_crontab
from scheduledjob_operator.cli.importing.env import read_env
from scheduledjob_operator.cli.importing.findings import Finding, Remark
from scheduledjob_operator.cli.importing.manifests import Options, as_yaml, imported
from scheduledjob_operator.cli.next import BAD_DATA

Reader = Callable[[str], Iterable[Finding]]
Command = Callable[..., Any]

_FILES = click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
)
_KEEP_GOING = click.option(
    "--keep-going", is_flag=True, help="Import the rest when something is malformed; without it nothing is."
)
_NAMESPACE = click.option("--namespace", "-n", help="Namespace to write into the manifests.")
_TIME_ZONE = click.option(
    "--time-zone", help="IANA time zone of the schedules, where the file names none. Default Etc/UTC."
)
_IMAGE = click.option("--image", help="Container image to write into the manifests.")


@click.group("import")
def import_jobs() -> None:
    """Print ScheduledJobs for what another scheduler runs.

    Manifests go to standard output, and what cannot be carried over to standard error, with file and line.
    Files are read as data: nothing in them is executed.
    """


def _verb(name: str, *options: Command) -> Callable[[Command], click.Command]:
    """A verb of the group: its options stand before those of all of them."""

    def made(function: Command) -> click.Command:
        for option in reversed((_FILES, *options, _NAMESPACE, _KEEP_GOING)):
            function = option(function)
        return import_jobs.command(name)(function)

    return made


@_verb(
    "crontab",
    click.option("--system", is_flag=True, help="There is a column for the user, as in /etc/crontab."),
    _TIME_ZONE,
    _IMAGE,
)
def crontab(files: tuple[Path, ...], *, system: bool, keep_going: bool, **given: str | None) -> None:
    """Import crontabs, as `crontab -l` prints them; - reads from standard input.

    \b
    Examples:
      crontab -l | kubectl scheduledjob import crontab - --image registry.example.com/jobs:1
      kubectl scheduledjob import crontab --system /etc/crontab --time-zone Europe/Berlin
    """  # noqa: D301  # click's own sign for a paragraph that stays as it is
    options = Options(**given)
    _print(
        files,
        reader=partial(read_crontab, options=options, system=system),
        options=options,
        keep_going=keep_going,
    )


@_verb("env", _TIME_ZONE, _IMAGE)
def env(files: tuple[Path, ...], *, keep_going: bool, **given: str | None) -> None:
    """Import the schedules in env files, such as SYNC_CRON or JOB_SYNC_INTERVAL_SECONDS.

    \b
    Example:
      kubectl scheduledjob import env .env --namespace shop
    """  # noqa: D301  # click's own sign for a paragraph that stays as it is
    options = Options(**given)
    _print(files, reader=partial(read_env, options=options), options=options, keep_going=keep_going)


@_verb("apscheduler", _TIME_ZONE, _IMAGE)
def apscheduler(files: tuple[Path, ...], *, keep_going: bool, **given: str | None) -> None:
    """Import the jobs of APScheduler from Python source; only literals are read.

    \b
    Example:
      kubectl scheduledjob import apscheduler app/jobs.py --time-zone Europe/Berlin
    """  # noqa: D301  # click's own sign for a paragraph that stays as it is
    options = Options(**given)
    _print(files, reader=partial(read_apscheduler, options=options), options=options, keep_going=keep_going)


@_verb("cronjobs")
def cronjobs(files: tuple[Path, ...], *, keep_going: bool, **given: str | None) -> None:
    """Import manifests of CronJobs, as `kubectl get cronjobs -o yaml` prints them.

    Standard error ends with the commands that let the ScheduledJobs take over the CronJobs of the cluster.

    \b
    Example:
      kubectl get cronjobs -o yaml | kubectl scheduledjob import cronjobs -
    """  # noqa: D301  # click's own sign for a paragraph that stays as it is
    manifests = _print(files, reader=read_cron_jobs, options=Options(**given), keep_going=keep_going)
    for sentence in how_to_adopt(manifests):
        click.echo(sentence, err=True)


def _print(
    files: tuple[Path, ...], *, reader: Reader, options: Options, keep_going: bool
) -> list[dict[str, Any]]:
    """Print all there is to say, and the manifests; these are the result."""
    result = imported(((str(file), _findings(file, reader=reader)) for file in files), options=options)
    refused = bool(result.malformed) and not keep_going
    for sentence in result.malformed if refused else result.remarks:
        click.echo(sentence, err=True)
    if refused:
        click.echo("nothing is imported: correct this, or import the rest with --keep-going", err=True)
        raise click.exceptions.Exit(BAD_DATA)
    if not result.manifests:
        click.echo("there is no job to import", err=True)
    else:
        click.echo(as_yaml(result.manifests), nl=False)
    return result.manifests


def _findings(file: Path, *, reader: Reader) -> list[Finding]:
    with click.open_file(str(file), "rb") as stream:
        content = stream.read()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return [Remark(line=line, text="the line is not UTF-8: save the file as UTF-8", malformed=True)]
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        return [Remark(line=line, text="the line has a character NUL: give a file of text", malformed=True)]
    return list(reader(text))
