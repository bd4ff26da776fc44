"""Ask the operator for something by an annotation, and wait for its answer."""

import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

from scheduledjob_operator.cli.options import Place
from scheduledjob_operator.cli.scheduled_jobs import RefusedByCluster
from scheduledjob_operator.models import RequestOutcome
from scheduledjob_operator.names import GROUP
from scheduledjob_operator.requests import identity

PATIENCE = 30.0
"""Seconds until somebody is told that no operator answers."""
BETWEEN_LOOKS = 0.25


def ask(place: Place, name: str, kind: str, request: Mapping[str, Any]) -> RequestOutcome:
    """What the operator says to a request for the ScheduledJob `name`, such as `run`.

    The annotation is taken away when it is answered: its answer is only kept for as long as it is there, and
    there is room for 20. Raises RefusedByCluster with the operator's sentence when it refuses, and when
    nobody answers; then the request stands until the operator is back.
    """
    annotation = f"{kind}.cli-{secrets.token_hex(4)}"
    value = json.dumps(request)
    place.jobs.annotate(place.namespace, name, {f"{GROUP}/{annotation}": value})
    outcome = _answer(place, name, identity(annotation, value))
    if outcome is None:
        raise RefusedByCluster(
            f"No operator has answered within {PATIENCE:.0f} s. It will when it is there; to call it off: "
            f"kubectl annotate --namespace {place.namespace} scheduledjob {name} {GROUP}/{annotation}-"
        )
    place.jobs.annotate(place.namespace, name, {f"{GROUP}/{annotation}": None})
    if outcome.outcome == "Refused":
        raise RefusedByCluster(f"The operator refused: {outcome.message}")
    return outcome


def _answer(place: Place, name: str, id_: str) -> RequestOutcome | None:
    until = time.monotonic() + PATIENCE
    while True:
        found = place.jobs.get(place.namespace, name).status.requests
        outcome = next((entry for entry in found if entry.id == id_), None)
        if outcome is not None or time.monotonic() > until:
            return outcome
        time.sleep(BETWEEN_LOOKS)
