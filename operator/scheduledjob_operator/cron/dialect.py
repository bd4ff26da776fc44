"""Kubernetes' cron dialect: a text, read strictly, becomes five sets of numbers and one way to write them.

Kubernetes reads a CronJob's schedule with robfig/cron v3 (`cron.ParseStandard`), which is neither
crontab(5) nor croniter: there is no 7 for Sunday, no `L`, `W` or `#`, no range that wraps around, and `?`
is another `*`. All that is read here is read by Kubernetes, with the same meaning. The reverse does not
hold: what robfig takes but nobody means is refused, with a sentence saying what to write instead:

- empty list items (`1,,2`; a lone `,` is taken by Kubernetes and never runs), `*-5`, `+5`;
- dates that no year has (`0 0 30 2 *` is taken by Kubernetes and never runs);
- `@every`, whose runs depend on when the controller started, and `TZ=`, which the API server refuses too;
- white space other than blanks and tabs, and texts of more than `MAX_LENGTH` characters.

Source: robfig/cron v3.0.1 `parser.go`; Kubernetes 1.35 `pkg/apis/batch/validation/validation.go`.
"""

import re
from dataclasses import dataclass

from scheduledjob_operator.cron import advice
from scheduledjob_operator.cron.fields import (
    FIELDS,
    LONGEST_MONTHS,
    WEEKDAY,
    CronFields,
    Field,
    ScheduleError,
)

MAX_LENGTH = 400
"""Room for every field as a full list of its values."""

MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

_ZONE_PREFIX = re.compile(r"(?:CRON_)?TZ=(\S*)\s*(.*)", re.ASCII | re.IGNORECASE)


def read_cron(expression: str) -> CronFields:
    """Read a schedule of five fields or a macro; surrounding white space is dropped.

    The canonical text keeps the order and the names that were typed, so that `kubectl get cronjob` shows
    what its author knows. It has names in capitals, one blank between fields, `*` for `?` and `*/1`, `5`
    for `5-5`, and `10-59/15` for `10/15`, which other programs take for the value 10 alone. Macros stay
    macros.

    Raises ScheduleError for everything else, whatever the text.
    """
    text = expression.strip()
    if not text:
        raise ScheduleError(
            f"The schedule is empty: write five fields such as {advice.quoted(advice.EXAMPLE)}, or a macro "
            "such as @daily."
        )
    if len(text) > MAX_LENGTH:
        raise ScheduleError(
            f"The schedule has {len(text)} characters: write at most {MAX_LENGTH}, with ranges and steps "
            "in place of lists."
        )
    for character in text:
        if not character.isprintable() and character != "\t":
            raise ScheduleError(advice.on_character(character))
    if prefix := _ZONE_PREFIX.fullmatch(text):
        raise ScheduleError(advice.on_zone_prefix(prefix[1], rest=prefix[2]))
    if text in MACROS:
        return _read_fields(MACROS[text], text=text)
    if text.startswith("@"):
        raise ScheduleError(advice.on_macro(text, known=tuple(MACROS)))
    return _read_fields(text)


def _read_fields(expression: str, *, text: str | None = None) -> CronFields:
    parts = expression.split()
    if len(parts) != len(FIELDS):
        raise ScheduleError(
            advice.on_field_count(expression, count=len(parts), instead=_five_fields_for(parts))
        )
    read = [_read_field(part, field=field) for part, field in zip(parts, FIELDS, strict=True)]
    minutes, hours, days, months, weekdays = (item.values for item in read)
    either_day = not (read[2].star or read[4].star)
    if not either_day and min(days) > max(LONGEST_MONTHS[month] for month in months):
        raise ScheduleError(advice.on_no_such_date(expression, days=days, months=months))
    return CronFields(
        text=text or " ".join(item.text for item in read),
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=weekdays,
        either_day=either_day,
    )


def _five_fields_for(parts: list[str]) -> str:
    """A schedule of five fields that somebody who wrote fewer or more of them may have meant."""
    word = "@" + parts[0].lower()
    if len(parts) == 1 and word in MACROS:
        return word
    guess = [*parts[-5:], *["*"] * (5 - len(parts))] if len(parts) in {4, 6} else []
    try:
        return _read_fields(" ".join(guess)).text if guess else advice.EXAMPLE
    except ScheduleError:
        return advice.EXAMPLE


@dataclass(frozen=True, slots=True)
class _Part:
    """A field, or one item of its list; a `star` in a day field leaves the choice to the other day field."""

    text: str
    values: frozenset[int]
    star: bool = False


def _read_field(text: str, *, field: Field) -> _Part:
    if "" in text.split(","):
        raise ScheduleError(advice.on_empty_item(text))
    items = [_read_item(item, field=field) for item in text.split(",")]
    return _Part(
        text=",".join(item.text for item in items),
        values=frozenset().union(*(item.values for item in items)),
        star=any(item.star for item in items),
    )


def _read_item(item: str, *, field: Field) -> _Part:
    span, slash, step_text = item.partition("/")
    step = _read_step(step_text, item=item, field=field) if slash else 1
    if span in {"*", "?"}:
        values = frozenset(range(field.low, field.high + 1, step))
        # A star with a step is no longer "any day" to robfig: then either of the two day fields suffices.
        return _Part("*" if step == 1 else f"*/{step}", values, star=step == 1)
    first, hyphen, last = span.partition("-")
    if not first or (hyphen and (not last or first in {"*", "?"} or "-" in last)):
        raise ScheduleError(advice.on_shape(item, field=field))
    low = _read_value(first, field=field)
    high = _read_value(last, field=field) if hyphen else field.high if slash else low
    if field is WEEKDAY and 7 in {low, high}:
        raise ScheduleError(advice.on_seven(item, field=field, low=low, step=step))
    if low > high:
        raise ScheduleError(advice.on_reversed_range(item, field=field, low=low, high=high, step=step))
    values = frozenset(range(low, high + 1, step))
    if low == high:
        return _Part(_plain(first), values)
    bounds = f"{_plain(first)}-{_plain(last) if hyphen else field.last_beside(first)}"
    return _Part(bounds if step == 1 else f"{bounds}/{step}", values)


def _read_step(text: str, *, item: str, field: Field) -> int:
    if "/" in text:
        raise ScheduleError(advice.on_shape(item, field=field))
    step = int(text) if _is_number(text) else 0
    if not 0 < step < 2**63:  # Go's int
        raise ScheduleError(advice.on_step(item))
    return step


def _read_value(text: str, *, field: Field) -> int:
    if text.isascii() and text.upper() in field.names:  # upper() makes ASCII of some other letters
        return field.low + field.names.index(text.upper())
    value = int(text) if _is_number(text) else -1
    if field.low <= value <= field.high or (field is WEEKDAY and value == 7):
        return value
    raise ScheduleError(advice.on_value(text, field=field))


def _plain(value: str) -> str:
    return str(int(value)) if _is_number(value) else value.upper()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
