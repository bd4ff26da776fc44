"""`kubectl scheduledjob health`: whether the runs succeed, for people and for scripts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

import click

from scheduledjob_operator.cli.options import Place, in_a_cluster, output, print_data, print_table
from scheduledjob_operator.cli.scheduled_jobs import Named
from scheduledjob_operator.names import ConditionType
from scheduledjob_operator.pulse import DEGRADED_ABOVE, Overall, Pulse, overall

DEGRADED = 1
"""Exit code, as of grep: the answer is no."""
COLUMNS = ("NAMESPACE", "SCHEDULEDJOB", "CONDITION", "REASON", "MESSAGE")
MESSAGE_LENGTH = 120
"""How much of a message a table has room for."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A condition of a ScheduledJob that is not as it should be."""

    namespace: str
    name: str
    condition: ConditionType
    status: str
    reason: str
    message: str

    def data(self) -> dict[str, Any]:
        return {
            "namespace": self.namespace,
            "scheduledJob": self.name,
            "reason": self.reason,
            "message": self.message,
        }


@click.command(short_help="Whether the runs of the last day succeeded.")
@click.option(
    "--degraded-above",
    type=click.IntRange(min=0),
    default=DEGRADED_ABOVE,
    show_default=True,
    help="More failures in 24 hours than that are degraded.",
)
@output
@in_a_cluster(all_namespaces=True)
def health(place: Place, *, degraded_above: int, output: str | None) -> None:
    """Print whether the runs of the last 24 hours succeeded, and which ScheduledJobs are in trouble.

    The exit code is 0 when it is ok, and 1 when it is degraded: when more runs than --degraded-above failed
    or timed out.

    \b
    Examples:
      kubectl scheduledjob health
      kubectl scheduledjob health -A --degraded-above 0 -o json
    """  # noqa: D301  # click's own sign for a paragraph that stays as it is
    jobs, now = place.jobs.all(place.chosen), place.clock.now()
    if not jobs:
        click.echo("No ScheduledJobs found.", err=True)
    pulses = [Pulse.of(job.status, runs_kept=job.runs_kept, now=now) for job in jobs]
    found = overall(pulses, now=now, degraded_above=degraded_above)
    troubles = list(_troubles(jobs))
    if output is not None:
        print_data(_data(found, troubles=troubles), form=output)
    else:
        _print(place, found, troubles=troubles)
    if found.status == "degraded":
        raise click.exceptions.Exit(DEGRADED)


def _troubles(jobs: Iterable[Named]) -> Iterator[Trouble]:
    for job in jobs:
        ready = job.status.condition(ConditionType.READY)
        healthy = job.status.condition(ConditionType.HEALTHY)
        here = (job.namespace, job.name)
        if ready is None:
            yield Trouble(
                *here, ConditionType.READY, "Unknown", "NotSeen", "no operator has looked at it yet"
            )
        elif ready.status != "True":
            yield Trouble(*here, ConditionType.READY, ready.status, ready.reason, ready.message)
        if healthy is not None and healthy.status == "False":
            yield Trouble(*here, ConditionType.HEALTHY, "False", healthy.reason, healthy.message)


def _data(found: Overall, *, troubles: Iterable[Trouble]) -> dict[str, Any]:
    of: dict[str, list[dict[str, Any]]] = {ConditionType.READY: [], ConditionType.HEALTHY: []}
    for trouble in troubles:
        of[trouble.condition].append(trouble.data())
    return {
        **found.model_dump(by_alias=True),
        "unhealthyJobs": of[ConditionType.HEALTHY],
        "notReadyJobs": of[ConditionType.READY],
    }


def _print(place: Place, found: Overall, *, troubles: Iterable[Trouble]) -> None:
    click.echo(f"{found.status}: {_failures(found)}")
    click.echo(
        f"{found.scheduled_jobs} ScheduledJobs, {found.unhealthy} unhealthy, {found.not_ready} not ready; "
        f"running {found.running}, pending {found.pending}, dead letters {found.dead_letters}"
    )
    rows = [
        (
            trouble.namespace,
            trouble.name,
            f"{trouble.condition}={trouble.status}",
            trouble.reason,
            shorten(trouble.message, MESSAGE_LENGTH, placeholder=" …"),
        )
        for trouble in troubles
    ]
    if rows:
        click.echo()
        print_table(place, COLUMNS, rows)


def _failures(found: Overall) -> str:
    count = found.failures_last_24h
    runs = "1 run" if count == 1 else f"{count} runs"
    at_least = "at least " if found.failures_at_least else ""
    than = f", which is more than {found.degraded_above}" if found.status == "degraded" else ""
    why = " (history.runs keeps no more of them)" if found.failures_at_least else ""
    return f"{at_least}{runs} failed in the last 24 hours{than}{why}"
