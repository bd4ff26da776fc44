"""Ask the operator for something by an annotation, and wait for its answer."""

import json
import secrets
from collections.abc import Mapping
from typing import Any

import click

from scheduledjob_operator.cli.clock import Interrupted, looks
from scheduledjob_operator.cli.options import Place
from scheduledjob_operator.cli.scheduled_jobs import NoAnswer, RefusedByCluster
from scheduledjob_operator.models import RequestOutcome
from scheduledjob_operator.names import GROUP
from scheduledjob_operator.request_texts import RefusedError, read
from scheduledjob_operator.requests import identity

PATIENCE = 30.0
"""Seconds until somebody is told that no operator answers."""

requested_by_option = click.option(
    "--requested-by", metavar="WHO", help="Who asks for it, in place of your name as the cluster knows it."
)
"""The option of verbs that ask for something; to be given to `ask`."""


def ask(
    place: Place, name: str, *, kind: str, request: Mapping[str, Any], requested_by: str | None
) -> RequestOutcome:
    """What the operator says to a request for the ScheduledJob `name`, such as `run`.

    The annotation is taken away when it is answered: its answer is only kept for as long as it is there, and
    there is room for 20. Raises UsageError for what it would refuse at sight, and RefusedByCluster with the
    operator's sentence when it refuses, and when nobody answers; then the request stands until the operator
    is back. So it does after Ctrl-C, Interrupted.
    """
    given = dict(request) if requested_by is None else {**request, "requestedBy": requested_by}
    check(kind, given)
    annotation = f"{kind}.cli-{secrets.token_hex(4)}"
    value = json.dumps({"requestedBy": place.jobs.user(), **given} if requested_by is None else given)
    place.jobs.annotate(place.namespace, name, {f"{GROUP}/{annotation}": value})
    to_call_off = (
        "It will when it is there; to call it off: "
        f"kubectl annotate --namespace {place.namespace} scheduledjob {name} {GROUP}/{annotation}-"
    )
    try:
        outcome = _answer(place, name, id_=identity(annotation, value))
    except KeyboardInterrupt:
        raise Interrupted(f"The operator has not answered yet. {to_call_off}") from None
    if outcome is None:
        raise RefusedByCluster(f"No operator has answered within {PATIENCE:.0f} s. {to_call_off}")
    _take_away(place, name, annotation=f"{GROUP}/{annotation}")
    if outcome.outcome == "Refused":
        raise RefusedByCluster(f"The operator refused: {outcome.message}")
    return outcome


def check(kind: str, request: Mapping[str, Any]) -> None:
    """Raise UsageError, with the operator's sentence, for what it would refuse at sight."""
    try:
        read(kind, json.dumps(request))
    except RefusedError as refused:
        raise click.UsageError(str(refused)) from None


def _answer(place: Place, name: str, *, id_: str) -> RequestOutcome | None:
    """The answer, or None; a cluster that does not answer for a moment may have it in the next one."""
    away: NoAnswer | None = None
    for _ in looks(place.clock, patience=PATIENCE):
        try:
            found, away = place.jobs.get(place.namespace, name).status.requests, None
        except NoAnswer as no_answer:
            away = no_answer
            continue
        if outcome := next((entry for entry in found if entry.id == id_), None):
            return outcome
    if away is not None:
        raise away
    return None


def _take_away(place: Place, name: str, *, annotation: str) -> None:
    """What was granted is granted, also when this fails."""
    try:
        place.jobs.annotate(place.namespace, name, {annotation: None})
    except RefusedByCluster as refused:
        click.echo(f"The annotation {annotation} stays: {refused.format_message()}", err=True)
