"""The endings of the variables in an env file that are about jobs, and what each says in a spec."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from scheduledjob_operator.cli.importing.findings import UnreadableError
from scheduledjob_operator.cli.importing.schedule_text import fitting
from scheduledjob_operator.cron.fields import ScheduleError
from scheduledjob_operator.cron.zones import load_zone
from scheduledjob_operator.models import ScheduledJobSpec
from scheduledjob_operator.models.types import format_duration, parse_duration
from scheduledjob_operator.wanted import schedule_of, sentence_of

Part = tuple[str, Any]
"""A field of the spec and its value."""
Reader = Callable[[str], Part]
"""Of a value; raises UnreadableError, whose text goes on after the variable's name."""

TRUE = {"true", "1", "yes", "on"}
FALSE = {"false", "0", "no", "off"}


def checked(part: Part) -> Part:
    """A part that the operator takes. Raises UnreadableError, so that the variable is named and its line."""
    field, value = part
    try:
        if field == "timeZone":
            load_zone(value)
        elif field == "schedule":
            fitting(value)
        spec = ScheduledJobSpec.model_validate({field: value, "handler": "any"})
        schedule_of(spec, spread="")
    except ValidationError as error:
        sentence = re.sub(r"^spec[\w.]*: ", "", sentence_of(error))
        raise UnreadableError(f"cannot be taken over: it {_lowered(sentence)}") from None
    except (ScheduleError, UnreadableError) as error:
        raise UnreadableError(f"cannot be taken over: {_lowered(str(error))}") from None
    return part


def _lowered(sentence: str) -> str:
    """A sentence as the second half of another one."""
    return (sentence[:1].lower() + sentence[1:]).removeprefix("input ").removesuffix(".")


def _cron(value: str) -> Part:
    if "$" in value:
        raise UnreadableError("takes its value from another variable: write the schedule itself")
    if re.fullmatch(r"@every \S+", value):
        return _duration(value.removeprefix("@every "), field="every")
    return "schedule", " ".join(value.split())


def _enabled(value: str) -> Part:
    if value.lower() not in TRUE | FALSE:
        raise UnreadableError("is neither on nor off: write true or false")
    return "enabled", value.lower() in TRUE


def _duration(value: str, *, field: str) -> Part:
    try:
        return field, format_duration(parse_duration(value.replace(" ", "")))
    except ValueError as error:
        raise UnreadableError(str(error)) from None


def _seconds_or(field: str) -> Reader:
    """A duration; a number without a unit is seconds."""
    return lambda value: _duration(f"{value}s" if value.isdecimal() else value, field=field)


def _number_of(unit: timedelta, *, field: str) -> Reader:
    def read(value: str) -> Part:
        if not re.fullmatch(r"[0-9]{1,9}", value):
            raise UnreadableError("is no whole number: write for example 300")
        duration = int(value) * unit
        if duration % timedelta(seconds=1):
            raise UnreadableError("is no whole number of seconds: write for example 5000")
        return field, format_duration(duration)

    return read


def _retries(value: str) -> Part:
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise UnreadableError("is no whole number: write for example 3")
    return "retry", {"limit": int(value)}


_MILLISECOND, _SECOND, _MINUTE, _HOUR = (
    timedelta(milliseconds=1),
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
)
CRON: dict[str, Reader] = {
    f"_{ending}": _cron
    for ending in ("CRON", "SCHEDULE", "CRON_SCHEDULE", "CRON_EXPRESSION", "CRON_EXPR", "CRONTAB")
}
_UNITS = {"_SECONDS": _SECOND, "_SECS": _SECOND, "_MINUTES": _MINUTE, "_HOURS": _HOUR, "_MS": _MILLISECOND}
INTERVALS: dict[str, Reader] = {
    **{f"_INTERVAL{unit}": _number_of(length, field="every") for unit, length in _UNITS.items()},
    "_INTERVAL": _seconds_or("every"),
    "_EVERY": _seconds_or("every"),
}
PARTS: dict[str, Reader] = {
    **CRON,
    **INTERVALS,
    "_ENABLED": _enabled,
    **{f"_TIMEOUT{unit}": _number_of(length, field="timeout") for unit, length in _UNITS.items()},
    "_TIMEOUT": _seconds_or("timeout"),
    "_RETRY_COUNT": _retries,
    "_MAX_RETRIES": _retries,
    "_RETRIES": _retries,
    "_TIME_ZONE": lambda value: ("timeZone", value),
    "_TIMEZONE": lambda value: ("timeZone", value),
    "_TZ": lambda value: ("timeZone", value),
}
WITHOUT_UNIT = {"_INTERVAL", "_EVERY", "_TIMEOUT"}
LONGEST_FIRST = sorted(PARTS, key=len, reverse=True)
