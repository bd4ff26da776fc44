"""The smallest parts of a field: a number or a name, and a step."""

from scheduledjob_operator.cron import advice
from scheduledjob_operator.cron.fields import WEEKDAY, Field, ScheduleError


def read_step(text: str, *, item: str, field: Field) -> int:
    """The step behind the slash of an item. Raises ScheduleError for what is no number from 1 up."""
    if "/" in text:
        raise ScheduleError(advice.on_shape(item, field=field))
    step = int(text) if is_number(text) else 0
    if not 0 < step < 2**63:  # Go's int
        raise ScheduleError(advice.on_step(item))
    return step


def read_value(text: str, *, field: Field) -> int:
    """A number of the field or one of its names; also 7 as a weekday, which the caller refuses."""
    if text.isascii() and text.upper() in field.names:  # upper() makes ASCII of some other letters
        return field.low + field.names.index(text.upper())
    value = int(text) if is_number(text) else -1
    if field.low <= value <= field.high or (field is WEEKDAY and value == 7):
        return value
    raise ScheduleError(advice.on_value(text, field=field))


def plain(value: str) -> str:
    """A value as it is written in canonical text: no zeros in front, names in capitals."""
    return str(int(value)) if is_number(value) else value.upper()


def is_number(text: str) -> bool:
    """Whether the text is plain digits, as Go reads them."""
    return text.isascii() and text.isdigit()
