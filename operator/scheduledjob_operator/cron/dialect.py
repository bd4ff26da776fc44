"""The cron dialect: a text, read strictly, becomes sets of numbers and one way to write them.

It is Kubernetes' dialect with three additions: a field for the second before the five, `H` (see `hashed`) and
`L`, `#` and `W` (see `special`). Kubernetes reads a CronJob's schedule with robfig/cron v3
(`cron.ParseStandard`), which is neither crontab(5) nor croniter: there is no 7 for Sunday, no range that
wraps around, and `?` is another `*`. Canonical text without a second, `L`, `#` and `W` is read by Kubernetes
with the same meaning. The reverse does not hold: what robfig takes but nobody means is refused, with a
sentence saying what to write instead:

- empty list items (`1,,2`; a lone `,` is taken by Kubernetes and never runs), `*-5`, `+5`;
- dates that no year has (`0 0 30 2 *` is taken by Kubernetes and never runs);
- `@every`, whose runs depend on when the controller started, and `TZ=`, which the API server refuses too;
- white space other than blanks and tabs, and texts of more than `MAX_LENGTH` characters.

Source: robfig/cron v3.0.1 `parser.go`; Kubernetes 1.35 `pkg/apis/batch/validation/validation.go`.
"""

import re
from dataclasses import dataclass, replace

from scheduledjob_operator.cron import advice, advice_special
from scheduledjob_operator.cron.fields import (
    DAY,
    FIELDS,
    LONGEST_MONTHS,
    SECOND,
    WEEKDAY,
    CronFields,
    Field,
    NoSuchDateError,
    ScheduleError,
    SpecialDay,
)
from scheduledjob_operator.cron.hashed import write_out
from scheduledjob_operator.cron.special import read_special
from scheduledjob_operator.cron.values import plain, read_step, read_value

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

_LEAP_YEAR = 2024

_ZONE_PREFIX = re.compile(r"(?:CRON_)?TZ=(\S*)\s*(.*)", re.ASCII | re.IGNORECASE)


def read_cron(expression: str, *, spread: str = "") -> CronFields:
    """Read a schedule of five or six fields or a macro; surrounding white space is dropped.

    The canonical text keeps the order and the names that were typed, so that `kubectl get cronjob` shows
    what its author knows. It has names in capitals, one blank between fields, `*` for `?` and `*/1`, `5`
    for `5-5`, and `10-59/15` for `10/15`, which other programs take for the value 10 alone. Macros stay
    macros. An `H` becomes the number that `spread` gives it, and a second that is only ever 0 is left out.

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
        return replace(_read_fields(MACROS[text], spread=""), text=text)
    if text.startswith("@"):
        raise ScheduleError(advice.on_macro(text, known=tuple(MACROS)))
    fields = _read_fields(text, spread=spread)
    if len(fields.text) > MAX_LENGTH:
        raise ScheduleError(
            f"The schedule has {len(fields.text)} characters when it is written out: write at most "
            f"{MAX_LENGTH}, with ranges and steps in place of lists."
        )
    return fields


@dataclass(frozen=True, slots=True)
class _Part:
    """A field, or one item of its list; a `star` in a day field leaves the choice to the other day field."""

    text: str
    values: frozenset[int]
    star: bool = False
    special: tuple[SpecialDay, ...] = ()


def _read_fields(expression: str, *, spread: str) -> CronFields:
    texts = expression.split()
    if len(texts) not in {5, 6}:
        raise ScheduleError(advice.on_field_count(expression, count=len(texts), instead=_fields_for(texts)))
    places = FIELDS if len(texts) == 5 else (SECOND, *FIELDS)
    read = [_read_field(text, field=field, spread=spread) for text, field in zip(texts, places, strict=True)]
    second = read.pop(0) if len(read) == 6 else _Part("0", frozenset({0}))
    day, month, weekday = read[2:]
    _check_days(expression, day=day, month=month, weekday=weekday)
    return CronFields(
        text=" ".join(part.text for part in (read if second.values == {0} else [second, *read])),
        seconds=second.values,
        minutes=read[0].values,
        hours=read[1].values,
        days=day.values,
        months=month.values,
        weekdays=weekday.values,
        either_day=not (day.star or weekday.star),
        special_days=day.special + weekday.special,
    )


def _check_days(expression: str, *, day: _Part, month: _Part, weekday: _Part) -> None:
    for part, other, field in ((day, weekday, WEEKDAY), (weekday, day, DAY)):
        if part.special and part.star:
            raise ScheduleError(advice_special.on_star_beside(part.text))
        if part.special and not other.star:
            raise ScheduleError(advice_special.on_both_days(part.text, field=field))
    if not day.special and not weekday.special:
        longest = max(LONGEST_MONTHS[number] for number in month.values)
        if (day.star or weekday.star) and min(day.values) > longest:
            raise NoSuchDateError(advice.on_no_such_date(expression, days=day.values, months=month.values))
    elif not weekday.special and not _ever(day, months=month.values):
        raise ScheduleError(advice_special.on_never(expression, months=month.values))


def _ever(day: _Part, *, months: frozenset[int]) -> bool:
    """Whether any of the months ever has such a day."""
    if day.values and min(day.values) <= max(LONGEST_MONTHS[month] for month in months):
        return True
    return any(special.in_month(_LEAP_YEAR, month) is not None for special in day.special for month in months)


def _fields_for(parts: list[str]) -> str:
    """A schedule that somebody who wrote fewer than five fields or more than six may have meant."""
    word = "@" + parts[0].lower()
    if len(parts) == 1 and word in MACROS:
        return word
    guess = [*parts, "*"] if len(parts) == 4 else parts[:6] if len(parts) == 7 else []
    try:
        return _read_fields(" ".join(guess), spread="").text if guess else advice.EXAMPLE
    except ScheduleError:
        return advice.EXAMPLE


def _read_field(text: str, *, field: Field, spread: str) -> _Part:
    text = write_out(text, field=field, spread=spread)
    if "" in text.split(","):
        raise ScheduleError(advice.on_empty_item(text))
    items = [_read_item(item, field=field) for item in text.split(",")]
    return _Part(
        text=",".join(item.text for item in items),
        values=frozenset().union(*(item.values for item in items)),
        star=any(item.star for item in items),
        special=tuple(special for item in items for special in item.special),
    )


def _read_item(item: str, *, field: Field) -> _Part:
    if special := read_special(item, field=field):
        return _Part(special[0], frozenset(), special=special[1:])
    span, slash, step_text = item.partition("/")
    step = read_step(step_text, item=item, field=field) if slash else 1
    if span in {"*", "?"}:
        values = frozenset(range(field.low, field.high + 1, step))
        # A star with a step is no longer "any day" to robfig: then either of the two day fields suffices.
        return _Part("*" if step == 1 else f"*/{step}", values, star=step == 1)
    first, hyphen, last = span.partition("-")
    if not first or (hyphen and (not last or first in {"*", "?"} or "-" in last)):
        raise ScheduleError(advice.on_shape(item, field=field))
    low = read_value(first, field=field)
    high = read_value(last, field=field) if hyphen else field.high if slash else low
    if field is WEEKDAY and 7 in {low, high}:
        raise ScheduleError(advice.on_seven(item, field=field, low=low, step=step))
    if low > high:
        raise ScheduleError(advice.on_reversed_range(item, field=field, low=low, high=high, step=step))
    values = frozenset(range(low, high + 1, step))
    if low == high:
        return _Part(plain(first), values)
    bounds = f"{plain(first)}-{plain(last) if hyphen else field.last_beside(first)}"
    return _Part(bounds if step == 1 else f"{bounds}/{step}", values)
