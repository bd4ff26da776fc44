"""What single runs override: in an annotation of the CronJob, for a status may not tell it. Pure."""

import json
from collections.abc import Container, Mapping
from contextlib import suppress
from typing import Any

from scheduledjob_operator.models import PendingRun, ScheduledJobStatus
from scheduledjob_operator.requests import Overrides

LOST_OVERRIDES = "its own arguments are gone with the CronJob that kept them: ask for it again"
"""What is said of a run that is not started, because it would run with the usual arguments."""


def overridden(text: str) -> dict[str, dict[str, Any]]:
    """The annotation, read: run id -> what it overrides. What cannot be read is not there."""
    with suppress(ValueError):
        given = json.loads(text or "{}")
        if isinstance(given, dict):
            return {str(key): value for key, value in given.items() if isinstance(value, dict)}
    return {}


def overrides_of(text: str, *, run: PendingRun) -> Overrides | None:
    """What a run overrides; the retry of a dead letter the same as that."""
    known = overridden(text)
    given = known.get(run.retry_of or run.id)
    return Overrides.from_json(given) if given is not None else None


def needed(status: ScheduledJobStatus) -> frozenset[str]:
    """Ids of the runs whose overrides may be asked for again."""
    runs = (*status.pending, *status.active)
    letters = {letter.id for letter in status.dead_letters}
    return frozenset({run.id for run in runs} | {run.retry_of for run in runs if run.retry_of} | letters)


def updated_annotation(text: str, *, new: Mapping[str, Overrides], kept: Container[str]) -> str | None:
    """The annotation with those of new runs, and without those that nobody will ask for; None: as it is."""
    before = overridden(text)
    after = {key: value for key, value in before.items() if key in kept}
    after |= {run_id: given.to_json() for run_id, given in new.items()}
    return None if after == before else json.dumps(after, ensure_ascii=False, sort_keys=True)
