"""`kubectl scheduledjob next`: when a schedule fires, before it is applied."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import click
import yaml
from pydantic import ValidationError

from scheduledjob_operator import names
from scheduledjob_operator.cron.zones import load_zone
from scheduledjob_operator.models import ScheduledJobSpec
from scheduledjob_operator.models.types import format_time
from scheduledjob_operator.schedule import Schedule, ScheduleError, clock_change_notes, fired_by_operator
from scheduledjob_operator.wanted import schedule_of, sentence_of

BAD_DATA = 65
"""EX_DATAERR of sysexits.h."""


@click.command("next", short_help="When a schedule fires.")
@click.argument("schedule", required=False)
@click.option("--every", metavar="DURATION", help="An interval such as 90s, in place of SCHEDULE.")
@click.option("--time-zone", default="Etc/UTC", show_default=True, help="IANA time zone of SCHEDULE.")
@click.option(
    "--name", metavar="NAMESPACE/NAME", default="", help="The ScheduledJob that an H in SCHEDULE is for."
)
@click.option(
    "-f",
    "--filename",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="A file with the manifests of ScheduledJobs instead; - reads from standard input.",
)
@click.option("--count", type=click.IntRange(1, 1000), default=5, show_default=True, help="How many.")
def next_runs(
    schedule: str | None, every: str | None, time_zone: str, name: str, filename: Path | None, count: int
) -> None:
    """Print when SCHEDULE fires next, who fires it, and which slots the clocks skip or repeat.

    \b
    Examples:
      kubectl scheduledjob next "30 2 * * *" --time-zone Europe/Berlin
      kubectl scheduledjob next "H 3 * * *" --name shop/clean-up
      kubectl scheduledjob next --every 90s
      kubectl scheduledjob next -f manifest.yaml
    """  # noqa: D301  # click's own sign for a paragraph that stays as it is
    if sum(given is not None for given in (schedule, every, filename)) != 1:
        raise click.UsageError("Give one of SCHEDULE, --every and --filename.")
    if filename is not None:
        for key, spec in _manifests(filename):
            click.echo(f"{key}:")
            _show(spec, spread=key, count=count)
        return
    given = {"schedule": schedule, "every": every, "timeZone": time_zone, "handler": "any"}
    _show({field: value for field, value in given.items() if value is not None}, spread=name, count=count)


def _manifests(filename: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(namespace/name, spec) of each ScheduledJob in a file."""
    try:
        with click.open_file(str(filename), encoding="utf-8") as file:
            documents = list(yaml.safe_load_all(file))
    except UnicodeDecodeError:
        _refuse(f"{filename} is no text in UTF-8.")
    except yaml.YAMLError as error:
        _refuse(f"{filename} is no YAML: {error}")
    found = False
    for document in documents:
        if isinstance(document, dict) and document.get("kind") == names.KIND:
            found = True
            given = document.get("metadata")
            metadata = given if isinstance(given, dict) else {}
            key = f"{metadata.get('namespace', 'default')}/{metadata.get('name', '')}"
            yield key, document.get("spec") or {}
    if not found:
        _refuse(f"{filename} has no {names.KIND} in it.")


def _show(given: dict[str, Any], *, spread: str, count: int) -> None:
    try:
        spec = ScheduledJobSpec.model_validate(given)
        schedule = schedule_of(spec, spread=spread)
    except ValidationError as error:
        _refuse(sentence_of(error))
    except ScheduleError as error:
        _refuse(str(error))
    now = datetime.now(UTC)
    within = schedule.within(starts_at=spec.starts_at, ends_at=spec.ends_at)
    slots = within.next_after(now, count=count)
    zone = load_zone(schedule.time_zone)
    for slot in slots:
        click.echo(_line(slot, zone=zone))
    click.echo(_who(schedule, spec=spec) if slots else "no slot is to come")
    if notes := clock_change_notes(schedule, now=now):
        click.echo(f"note: {notes}", err=True)


def _line(slot: datetime, *, zone: ZoneInfo) -> str:
    return f"{format_time(slot)}  {slot.astimezone(zone):%a %Y-%m-%d %H:%M:%S %Z}"


def _who(schedule: Schedule, *, spec: ScheduledJobSpec) -> str:
    who = "the operator" if fired_by_operator(schedule, spec.concurrency_policy) else "Kubernetes"
    return f"fired by {who} as {schedule.canonical}"


def _refuse(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    raise click.exceptions.Exit(BAD_DATA)
