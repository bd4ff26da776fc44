"""Reading a status that another version of the operator may have written. Pure."""

import copy
import logging
from collections.abc import Mapping
from contextlib import suppress
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
    for _ in range(MOST_ROUNDS):
        try:
            return ScheduledJobStatus.model_validate(readable)
        except ValidationError as error:
            places = {detail["loc"][:2] for detail in error.errors(include_input=False, include_url=False)}
            logger.warning("a status has fields that cannot be read: %s", sorted(map(str, places)))
            _leave_out(readable, min(places, key=str))
    return ScheduledJobStatus()


def _leave_out(readable: dict[str, Any], place: tuple[int | str, ...]) -> None:
    name = str(place[0])
    entries = readable.get(name)
    if len(place) > 1 and isinstance(place[1], int) and isinstance(entries, list):
        readable[name] = [entry for number, entry in enumerate(entries) if number != place[1]]
    else:
        readable.pop(name, None)
