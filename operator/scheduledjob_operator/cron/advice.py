"""What to write instead: one sentence for everything that a schedule may get wrong.

Each function returns the whole text of a ScheduleError. What the person typed is quoted and shortened.
"""

import difflib
import re

from scheduledjob_operator.cron.fields import DAY, LONGEST_MONTHS, MONTH, WEEKDAY, Field

EXAMPLE = "0 3 * * *"
FIVE_FIELDS = "minute, hour, day of the month, month and day of the week"

_DURATION = re.compile(r"(\d{1,6})(h|m|s)", re.ASCII)
_SECONDS = {"h": 3600, "m": 60, "s": 1}


def quoted(text: str) -> str:
    """The text in quotes, on one line and short, so that a sentence stays a sentence."""
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in " ".join(text.split()))
    return f'"{shown}"' if len(shown) <= 40 else f'"{shown[:39]}…"'


def on_field_count(expression: str, *, count: int, instead: str) -> str:
    """For a schedule of 1 to 4, or of 6 and more fields; `instead` is a schedule that may have been meant."""
    if count > 5:
        return (
            f"{quoted(expression)} has {count} fields, and seconds or years are not supported here: "
            f"write the 5 fields {FIVE_FIELDS}, such as {quoted(instead)}."
        )
    fields = "field" if count == 1 else "fields"
    return (
        f"{quoted(expression)} has {count} {fields}, but a schedule has 5 ({FIVE_FIELDS}): "
        f"write for example {quoted(instead)}."
    )


def on_macro(macro: str, *, known: tuple[str, ...]) -> str:
    """For a text that starts with "@" and is none of the macros that Kubernetes knows."""
    word, _, rest = macro.lower().partition(" ")
    if word == "@reboot":
        return (
            "@reboot means nothing in a cluster: write a schedule such as @daily, or leave the schedule out "
            "and run the job on demand."
        )
    if word == "@every":
        return (
            "@every is not supported, because its runs move with each restart of the cluster's controller: "
            f"write {_cron_for_interval(rest.strip())}."
        )
    if word in known:
        return f"{quoted(macro)} is not spelt as Kubernetes knows it: write {word}."
    near = difflib.get_close_matches(word, known, n=1)
    choice = near[0] if near else f"one of {', '.join(known)}, or five fields such as {quoted(EXAMPLE)}"
    return f"Kubernetes does not know {quoted(macro)}: write {choice}."


def _cron_for_interval(duration: str) -> str:
    seconds = 0
    if _DURATION.sub("", duration) == "":
        seconds = sum(int(number) * _SECONDS[unit] for number, unit in _DURATION.findall(duration))
    minutes, rest = divmod(seconds, 60)
    if minutes and not rest and 60 % minutes == 0:
        return {1: '"* * * * *"', 60: '"0 * * * *"'}.get(minutes, f'"*/{minutes} * * * *"')
    hours, rest = divmod(seconds, 3600)
    if hours and not rest and 24 % hours == 0:
        return '"0 0 * * *"' if hours == 24 else f'"0 */{hours} * * *"'
    return 'five fields, for example "*/5 * * * *" for every 5 minutes'


def on_zone_prefix(zone: str, *, rest: str) -> str:
    """For "TZ=" or "CRON_TZ=" in front of the fields."""
    return (
        f"A time zone cannot stand in the schedule: write {quoted(rest or EXAMPLE)} as the schedule and "
        f"{quoted(zone or 'Europe/Berlin')} as timeZone."
    )


def on_character(character: str) -> str:
    """For a character that cannot be seen, such as a line break or a no-break space."""
    code = f"U+{ord(character):04X}"
    return f"The schedule contains the invisible character {code}: write it on one line, with plain blanks."


def on_empty_item(text: str) -> str:
    """For "1,,2", "1," and ","."""
    items = ",".join(item for item in text.split(",") if item)
    return f"{quoted(text)} has an empty item, which matches nothing: write {quoted(items or '*')}."


def on_shape(item: str, *, field: Field) -> str:
    """For an item with two hyphens, two slashes, a missing end, or a star with an end."""
    return (
        f"{quoted(item)} cannot be read as {_a(field)}: write a value, a range such as "
        f"{field.low}-{field.low + 4}, or a step such as */2."
    )


def on_step(item: str) -> str:
    """For a step that is 0 or no number."""
    return f"The step of {quoted(item)} must be a number from 1 up: write for example */5."


def on_value(value: str, *, field: Field) -> str:
    """For a value that is neither a number of the field nor one of its names."""
    upper = value.upper()
    if field in {DAY, WEEKDAY} and (special := _on_other_dialects(upper, field=field)):
        return special
    if field.names and upper.isalpha():
        near = [name for name in field.names if upper.startswith(name)] or difflib.get_close_matches(
            upper[:4], field.names, n=1
        )
        if near:
            return f"{quoted(value)} is not a {field.noun}: write {near[0]}."
    if upper in MONTH.names or upper in WEEKDAY.names:
        right = MONTH if upper in MONTH.names else WEEKDAY
        place = "fourth" if right is MONTH else "fifth"
        return (
            f"{quoted(value)} is not {_a(field)}: write {field.allowed}, and names of a {right.noun} in the "
            f"{place} field."
        )
    return f"{quoted(value)} is not {_a(field)}: write {field.allowed}."


def _a(field: Field) -> str:
    return f"an {field.noun}" if field.noun.startswith("h") else f"a {field.noun}"


def _on_other_dialects(value: str, *, field: Field) -> str:
    """Sentences for `#`, `L` and `W` of Quartz and others; empty when the value is none of them."""
    if value in {"L", "LW"}:
        instead = "28, which every month has, or 1 for the day after" if field is DAY else "SAT"
        return f"Kubernetes has no {quoted(value)} for the last day: write {instead}."
    if value.endswith("W") and value[:-1].isdecimal():
        return (
            f"Kubernetes has no {quoted(value)} (the nearest working day): "
            f"write {value[:-1]}, or MON-FRI as the day of the week."
        )
    day, hash_sign, _ = value.partition("#")
    if hash_sign or value.endswith("L"):
        day = day if hash_sign else day[:-1]
        meaning = "n-th" if hash_sign else "last"
        if day == "7":
            day = "SUN"
        if day in {*WEEKDAY.names, *"0123456"}:
            return (
                f"Kubernetes has no {quoted(value)} (the {meaning} such weekday of a month): "
                f"write {day} and let the job end at once in the other weeks."
            )
    return ""


def on_seven(item: str, *, field: Field, low: int, step: int) -> str:
    """For 7 as Sunday, alone or as the end of a range."""
    if low == 7:
        return f"Kubernetes does not know 7 as a {field.noun}: write 0 or SUN for Sunday."
    days = sorted({day % 7 for day in range(low, 8, step)})
    instead = "*" if len(days) == 7 else ",".join(str(day) for day in days)
    if step == 1 and len(days) < 7:
        instead = f"{low}-6,0" if low < 6 else "6,0"
    return f"Kubernetes does not know 7 as a {field.noun}: write {instead} instead of {quoted(item)}."


def on_reversed_range(item: str, *, field: Field, low: int, high: int, step: int) -> str:
    """For a range that would have to wrap around, such as 22-2 for the hours of the night."""
    size = field.high - field.low + 1
    if step == 1:
        first, last = (item.partition("/")[0].upper()).split("-")
        start = field.names[0] if last.isalpha() else str(field.low)
        end = field.last_beside(first)
        instead = ",".join(a if a == b else f"{a}-{b}" for a, b in ((first, end), (start, last)))
    else:
        values = [field.low + (value - field.low) % size for value in range(low, high + size + 1, step)]
        instead = ",".join(str(value) for value in sorted(values))
    return f"The range {quoted(item)} runs backwards, which Kubernetes refuses: write {instead}."


def on_no_such_date(expression: str, *, days: frozenset[int], months: frozenset[int]) -> str:
    """For a date that no year has, which Kubernetes would accept and never run."""
    longest = max(LONGEST_MONTHS[month] for month in months)
    names = [MONTH.names[month - 1] for month in sorted(months)]
    have = f"{names[0]} has" if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]} have"
    return (
        f"{quoted(expression)} would never run, because {have} no day {min(days)}: "
        f"write {28 if months == {2} else longest} or an earlier day of the month."
    )
