"""A run at a time of its own: a ScheduledJob like another one, with `at`. Pure."""

from datetime import datetime
from typing import Any

import click

from scheduledjob_operator import names
from scheduledjob_operator.cli.scheduled_jobs import Body, Named
from scheduledjob_operator.models.types import format_time
from scheduledjob_operator.request_texts import Overrides

_OF_A_SCHEDULE = frozenset(
    {
        *("schedule", "every", "at", "timeZone", "startsAt", "endsAt", "punctualFiring"),
        *("concurrencyPolicy", "queueDepth", "pauseAfter", "environments"),
    }
)
"""Fields that say when it runs, what its runs are to each other, and what holds it back."""


def later(found: Named, *, at: datetime, overrides: Overrides, requested_by: str) -> Body:
    """The manifest of a ScheduledJob that runs once at `at` what `found` runs, and goes with it.

    Its labels and annotations are not those of `found`: by these, tools find what they have applied. Raises
    UsageError.
    """
    name = f"{found.name}-{int(at.timestamp())}"
    if len(name) > names.MAX_NAME_LENGTH:
        most = names.MAX_NAME_LENGTH - (len(name) - len(found.name))
        raise click.UsageError(
            f"The name {found.name} is too long for a run at a time of its own, which is called after it and "
            f"its time: it may have {most} characters and has {len(found.name)}."
        )
    if overrides.args is not None and not found.spec.get("handler"):
        raise click.UsageError(f"--args are for a handler, and {found.name} runs a command: leave them out.")
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {
            "name": name,
            "namespace": found.namespace,
            "labels": {names.LABEL_MADE_FROM: found.name},
            "annotations": {names.ANNOTATION_REQUESTED_BY: requested_by},
            "ownerReferences": [
                {
                    "apiVersion": names.API_VERSION,
                    "kind": names.KIND,
                    "name": found.name,
                    "uid": found.body["metadata"]["uid"],
                }
            ],
        },
        "spec": _spec(found, at=at, overrides=overrides),
    }


def _spec(found: Named, *, at: datetime, overrides: Overrides) -> dict[str, Any]:
    kept = {field: value for field, value in found.spec.items() if field not in _OF_A_SCHEDULE}
    spec = {**kept, "enabled": True, "at": format_time(at)}
    if overrides.args is not None:
        spec["args"] = overrides.args
    if overrides.env:
        spec["env"] = _env(found.spec.get("env", []), overrides.env)
    if expected := found.spec.get("expect"):
        # It would be late before its time has come.
        spec["expect"] = {field: value for field, value in expected.items() if field != "successWithin"}
    return spec


def _env(variables: list[Body], given: dict[str, str]) -> list[Body]:
    """Variables with the given ones in the place of those of their names, and the others behind."""
    # Kubernetes expands $(NAME) in values, and makes one $ of every two.
    entries = {name: {"name": name, "value": value.replace("$", "$$")} for name, value in given.items()}
    kept = [entries.pop(entry["name"], entry) for entry in variables]
    return [*kept, *entries.values()]
