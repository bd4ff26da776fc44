"""Reading a status that another version of the operator may have written. Pure."""

import copy
import logging
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from scheduledjob_operator.models import ScheduledJobStatus

logger = logging.getLogger(__name__)

MOST_ROUNDS = 200
"""How often a status is read again with less in it: each round leaves out one entry of a list at most."""


def read_status(written: Mapping[str, Any]) -> ScheduledJobStatus:
    """The status as it stands in the resource, less what this version of the operator cannot read.

    A newer version may have written it: of a list only the entry is left out, else the field.
    """
    with suppress(ValidationError):
        return ScheduledJobStatus.model_validate(written)
    readable = copy.deepcopy(dict(written))
    fields: set[str] = set()
    for _ in range(MOST_ROUNDS):
        try:
            status = ScheduledJobStatus.model_validate(readable)
        except ValidationError as error:
            places = {detail["loc"][:2] for detail in error.errors(include_input=False, include_url=False)}
            fields |= {str(place[0]) for place in places}
            _leave_out(readable, min(places, key=str))
        else:
            break
    else:
        status = ScheduledJobStatus()
    _warn_once(", ".join(sorted(fields)))
    return status


@lru_cache(maxsize=100)
def _warn_once(fields: str) -> None:
    """A status is read again and again, and many are alike."""
    logger.warning("left out what cannot be read, in the status of a ScheduledJob: %s", fields)


def _leave_out(readable: dict[str, Any], place: tuple[int | str, ...]) -> None:
    name = str(place[0])
    entries = readable.get(name)
    if len(place) > 1 and isinstance(place[1], int) and isinstance(entries, list):
        readable[name] = [entry for number, entry in enumerate(entries) if number != place[1]]
    else:
        readable.pop(name, None)
