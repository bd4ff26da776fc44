from collections.abc import Sequence
from typing import Any

import click

from scheduledjob_operator.cli.options import Place, in_a_cluster, output, print_data, print_table
from scheduledjob_operator.cli.run_list import shown_reason
from scheduledjob_operator.cli.scheduled_jobs import Named
from scheduledjob_operator.models import DeadLetter
from scheduledjob_operator.models.types import format_time

COLUMNS = ("NAMESPACE", "SCHEDULEDJOB", "RUN", "TIME", "RESULT", "REASON", "ATTEMPTS", "MESSAGE")
WIDTH = 60
"""Most letters of a message in the table."""


@click.command("list")
@click.argument("name", required=False)
@output
@in_a_cluster(all_namespaces=True)
def list_letters(place: Place, name: str | None, output: str | None) -> None:
    """List the dead letters of the ScheduledJob NAME, or of all of them, newest first.

    \b
    Examples:
      kubectl scheduledjob dlq list -A
      kubectl scheduledjob dlq list portfolio-sync -o yaml
    """  # noqa: D301  # click's own sign for a paragraph that stays as it is
    found = place.found(name)
    if output is not None:
        print_data([letter for job in found for letter in _data(job)], form=output)
        return
    letters = [(job, letter) for job in found for letter in job.status.dead_letters]
    if not letters:
        click.echo("No dead letters.", err=True)
        return
    print_table(place, COLUMNS, [_row(job, letter) for job, letter in letters])


def _data(job: Named) -> list[dict[str, Any]]:
    """Dead letters as they stand in the status, and whose they are."""
    whose = {"namespace": job.namespace, "scheduledJob": job.name}
    return [{**whose, **letter} for letter in job.raw_status.get("deadLetters") or ()]


def _row(job: Named, letter: DeadLetter) -> Sequence[str]:
    lines = [line for line in (letter.message or "").splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    return (
        job.namespace,
        job.name,
        letter.id,
        format_time(letter.time),
        letter.result,
        shown_reason(letter),
        str(letter.attempts),
        last if len(last) <= WIDTH else f"{last[: WIDTH - 1]}…",
    )
