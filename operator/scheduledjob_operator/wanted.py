"""What the author of a ScheduledJob wants: the typed spec and its schedule, or what is wrong. Pure."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from pydantic import ValidationError

from scheduledjob_operator.models import CatchUpPolicy, ScheduledJobSpec
from scheduledjob_operator.models.types import format_duration, format_time
from scheduledjob_operator.names import ReadyReason
from scheduledjob_operator.schedule import Schedule, ScheduleError, every, never, once
from scheduledjob_operator.status import Ready
from scheduledjob_operator.store import ScheduledJobSeen
from scheduledjob_operator.suspension import Suspension

MOST_SPECS = 512
"""How many specs are kept as they were read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A spec that can be acted on."""

    spec: ScheduledJobSpec
    schedule: Schedule
    suspension: Suspension | None = None
    """What holds the schedule back."""
    resumes_at: datetime | None = None
    """Slots from here on may still start when the CronJob comes into force: its bounds held them back."""
    accounted: datetime | None = None
    """Every slot up to here has its verdict; the clocks may have been put back since."""


def parse(seen: ScheduledJobSeen, *, now: datetime) -> Wanted | Ready:
    """The typed spec, or what is wrong with it."""
    try:
        spec = _read(seen.spec_json)
    except ValidationError as error:
        return Ready(reason=ReadyReason.INVALID_SPEC, message=sentence_of(error))
    try:
        schedule = schedule_of(spec, spread=str(seen.key))
    except ScheduleError as error:
        return Ready(reason=ReadyReason.INVALID_SCHEDULE, message=str(error))
    if past := _past(spec, schedule=schedule, seen=seen, now=now):
        return Ready(reason=ReadyReason.INVALID_SCHEDULE, message=past)
    return Wanted(spec=spec, schedule=schedule)


@lru_cache(maxsize=MOST_SPECS)
def _read(spec_json: str) -> ScheduledJobSpec:
    """A spec is looked at several times in a row. Raises ValidationError."""
    return ScheduledJobSpec.model_validate_json(spec_json)


def schedule_of(spec: ScheduledJobSpec, *, spread: str) -> Schedule:
    """When a spec fires. `spread` (namespace/name) is what H draws from. Raises ScheduleError."""
    if spec.schedule is not None:
        return Schedule.parse(spec.schedule, time_zone=spec.time_zone, spread=spread)
    if spec.every is not None:
        return every(spec.every, anchor=spec.starts_at)
    return once(spec.at) if spec.at is not None else never()


def _past(spec: ScheduledJobSpec, *, schedule: Schedule, seen: ScheduledJobSeen, now: datetime) -> str | None:
    """What is wrong with a single slot that was past already when it was asked for.

    When that was, only a first version tells: a later one counts from the moment it is first seen. What has
    been in force once is never refused.
    """
    if spec.at is None or seen.status.get("resolvedSchedule") == schedule.canonical:
        return None
    asked = seen.created if seen.generation == 1 and seen.created else now
    if spec.at >= asked:
        return None
    late = asked - spec.at
    policy = spec.catch_up.policy
    if seen.generation == 1 and policy is not CatchUpPolicy.NONE and late <= spec.catch_up.window:
        return None
    instead = "write a time to come"
    if seen.generation == 1:
        instead += f", or a catchUp with policy Latest and a window of more than {format_duration(late)}"
    return f"at is {format_time(spec.at)}, which was past already at {format_time(asked)}: {instead}"


def sentence_of(error: ValidationError) -> str:
    """What is wrong with a spec, field by field, without the values that were given."""
    parts = []
    for detail in error.errors(include_input=False, include_url=False):
        where = ".".join(["spec", *(str(part) for part in detail["loc"])])
        wording = _WORDINGS.get(detail["type"])
        said = wording.format(**detail.get("ctx", {})) if wording else detail["msg"]
        parts.append(f"{where}: {_singular(said.removeprefix('Value error, '))}")
    return "; ".join(parts)


def _singular(said: str) -> str:
    return said.replace(" 1 characters", " 1 character").replace(" 1 items", " 1 item")


_WORDINGS = {
    "missing": "has to be given",
    "enum": "must be {expected}",
    "greater_than_equal": "must be {ge:g} or more",
    "less_than_equal": "must be {le:g} or less",
    "too_long": "may have at most {max_length} items",
    "too_short": "must have at least {min_length} items",
    "string_too_long": "may have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
}
"""What the kinds of errors of pydantic mean to the author of a manifest."""
