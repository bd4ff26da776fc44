"""Ask the operator for something by an annotation, and wait for its answer."""

import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from scheduledjob_operator.cli.clock import Interrupted, looks
from scheduledjob_operator.cli.options import Place
from scheduledjob_operator.cli.scheduled_jobs import NoAnswer, RefusedByCluster
from scheduledjob_operator.models import RequestOutcome
from scheduledjob_operator.names import GROUP
from scheduledjob_operator.request_texts import RefusedError, read
from scheduledjob_operator.requests import identity

T = TypeVar("T")

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
    to_call_off = (
        "to call it off: "
        f"kubectl annotate --namespace {place.namespace} scheduledjob {name} {GROUP}/{annotation}-"
    )
    try:
        _make(place, name, annotation=f"{GROUP}/{annotation}", value=value)
        outcome = _answer(place, name, id_=identity(annotation, value))
    except NoAnswer as away:
        raise NoAnswer(
            f"{away.message}. Whether the request has arrived is not known; {to_call_off}"
        ) from None
    except KeyboardInterrupt:
        raise Interrupted(
            f"The operator has not answered yet. It will when it is there; {to_call_off}"
        ) from None
    if outcome is None:
        raise RefusedByCluster(
            f"No operator has answered within {PATIENCE:.0f} s. It will when it is there; {to_call_off}"
        )
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


def _make(place: Place, name: str, *, annotation: str, value: str) -> None:
    """Write the annotation. The same one is the same request, however often it is written."""

    def write() -> bool:
        place.jobs.annotate(place.namespace, name, {annotation: value})
        return True

    _insist(place, write)


def _answer(place: Place, name: str, *, id_: str) -> RequestOutcome | None:
    """The answer, or None when nobody has answered in time."""

    def look() -> RequestOutcome | None:
        found = place.jobs.get(place.namespace, name).status.requests
        return next((entry for entry in found if entry.id == id_), None)

    return _insist(place, look)


def _insist(place: Place, attempt: Callable[[], T | None]) -> T | None:
    """What an attempt comes to at last; None: to nothing in all the time there is.

    A cluster that does not answer for a moment may do so in the next one. Raises NoAnswer if it never does.
    """
    away: NoAnswer | None = None
    for _ in looks(place.clock, patience=PATIENCE):
        try:
            found, away = attempt(), None
        except NoAnswer as no_answer:
            away = no_answer
            continue
        if found is not None:
            return found
    if away is not None:
        raise away
    return None


def _take_away(place: Place, name: str, *, annotation: str) -> None:
    """What was granted is granted, also when this fails."""
    try:
        place.jobs.annotate(place.namespace, name, {annotation: None})
    except RefusedByCluster as refused:
        click.echo(f"The annotation {annotation} stays: {refused.format_message()}", err=True)
