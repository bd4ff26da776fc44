"""`kubectl scheduledjob run`: ask for a run, now or at a time of its own."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import click

from scheduledjob_operator.cli.asking import ask, check, requested_by_option
from scheduledjob_operator.cli.clock import Interrupted
from scheduledjob_operator.cli.later import later
from scheduledjob_operator.cli.options import Place, in_a_cluster, shown
from scheduledjob_operator.cli.parameters import duration, json_object, moment, nothing_more, variable
from scheduledjob_operator.cli.run_list import shown_reason
from scheduledjob_operator.cli.waiting import wait_for
from scheduledjob_operator.job_names import request_job
from scheduledjob_operator.models import Result, Run
from scheduledjob_operator.models.types import format_duration, format_time
from scheduledjob_operator.request_texts import Overrides

NOT_ENDED = 124
"""As the command `timeout` says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What was given beside the name."""

    args: dict[str, Any] | None
    env: tuple[tuple[str, str], ...]
    slot: datetime | None
    at: datetime | None
    queue: bool
    requested_by: str | None
    wait: bool
    timeout: timedelta | None

    @property
    def overrides(self) -> Overrides:
        return Overrides(args=self.args, env=dict(self.env) or None)

    @property
    def request(self) -> dict[str, Any]:
        slot = {"slot": format_time(self.slot)} if self.slot else {}
        return {**self.overrides.to_json(), **slot, **({"ifActive": "Queue"} if self.queue else {})}

    def check(self) -> None:
        """Raise UsageError for what does not go together."""
        if self.timeout is not None and not self.wait:
            raise click.UsageError("--timeout is how long to --wait: give both of them.")
        if self.at is not None and (self.slot or self.queue or self.wait):
            raise click.UsageError("--at is for a run to come: leave out --slot, --queue and --wait.")


@click.command(short_help="Run it once, now or later.")
@click.argument("name")
@nothing_more
@click.option(
    "--args",
    type=json_object,
    metavar="JSON",
    help="Arguments in place of its own; @FILE reads a file, @- stdin.",
)
@click.option(
    "--env", type=variable, metavar="NAME=VALUE", multiple=True, help="A variable; may be repeated."
)
@click.option("--slot", type=moment, metavar="TIME", help="The slot that it runs for.")
@click.option("--at", type=moment, metavar="TIME", help="Run then and not now, as a ScheduledJob of its own.")
@click.option("--queue", is_flag=True, help="Let it wait for the end of an active run: ifActive: Queue.")
@click.option("--wait", is_flag=True, help="Wait for its end; exit with 0 when it succeeds, else with 1.")
@click.option(
    "--timeout", type=duration, metavar="DURATION", help="How long to wait at most; exit with 124 then."
)
@requested_by_option
@in_a_cluster()
def run(place: Place, name: str, **given: Any) -> None:
    """Run the ScheduledJob NAME once, and print the id of the run.

    Arguments and variables can be read by all who can read the ScheduledJob: they are no place for secrets.

    \b
    Examples:
      kubectl scheduledjob run portfolio-sync --wait
      kubectl scheduledjob run portfolio-sync --args '{"batch": 10}' --env MODE=full
      kubectl scheduledjob run portfolio-sync --args @args.json --queue
      kubectl scheduledjob run portfolio-sync --at 2026-12-24T08:00:00+01:00
    """  # noqa: D301  # click's own sign for a paragraph that stays as it is
    wish = _Wish(**given)
    wish.check()
    if wish.at is not None:
        _run_later(place, name, wish=wish, at=wish.at)
        return
    outcome = ask(place, name, kind="run", request=wish.request, requested_by=wish.requested_by)
    click.echo(request_job(name, outcome.id))
    if not wish.wait:
        return
    patience = None if wish.timeout is None else wish.timeout.total_seconds()
    try:
        ended = wait_for(place, name, request=outcome.id, patience=patience)
    except KeyboardInterrupt:
        raise Interrupted(_goes_on(place, name, run=request_job(name, outcome.id))) from None
    if ended is None:
        assert wish.timeout is not None
        click.echo(f"It has not ended within {format_duration(wish.timeout)}, and goes on.", err=True)
        raise click.exceptions.Exit(NOT_ENDED)
    _print(ended)
    raise click.exceptions.Exit(0 if ended.result is Result.SUCCEEDED else 1)


def _goes_on(place: Place, name: str, *, run: str) -> str:
    return f"It goes on. To end it: kubectl scheduledjob cancel --namespace {place.namespace} {name} {run}"


def _run_later(place: Place, name: str, *, wish: _Wish, at: datetime) -> None:
    if at <= place.clock.now():
        raise click.UsageError(f"--at {format_time(at)} is past: give a time to come.")
    by_whom = {} if wish.requested_by is None else {"requestedBy": wish.requested_by}
    check("run", {**wish.request, **by_whom})
    found = place.jobs.get(place.namespace, name)
    who = wish.requested_by or place.jobs.user()
    made = place.jobs.create(place.namespace, later(found, at=at, overrides=wish.overrides, requested_by=who))
    click.echo(made.name)
    click.echo(
        f"It runs at {format_time(at)}. To call it off: "
        f"kubectl delete --namespace {made.namespace} scheduledjob {made.name}",
        err=True,
    )


def _print(ended: Run) -> None:
    duration = "" if ended.duration_seconds is None else f" after {ended.duration_seconds:g} s"
    click.echo(shown(f"{ended.result} ({shown_reason(ended)}){duration}"))
    if ended.message:
        lines = "\n         ".join(shown(line) for line in ended.message.splitlines())
        click.echo(f"message: {lines}")
    if ended.value is not None:
        click.echo(shown(f"value: {json.dumps(ended.value, ensure_ascii=False)}"))
