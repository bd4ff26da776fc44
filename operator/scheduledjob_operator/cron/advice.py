"""What to write instead: one sentence for everything that a schedule may get wrong.

Each function returns the whole text of a ScheduleError. What the person typed is quoted and shortened.
"""

import difflib
import re

from scheduledjob_operator.cron.fields import LONGEST_MONTHS, MONTH, WEEKDAY, Field

EXAMPLE = "0 3 * * *"
FIVE_FIELDS = "minute, hour, day of the month, month and day of the week"

_DURATION = re.compile(r"(?=[0-9])(?:[0-9]{1,9}h)?(?:[0-9]{1,9}m)?(?:[0-9]{1,9}s)?")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def quoted(text: str) -> str:
    """The text in quotes, on one line and short, so that a sentence stays a sentence."""
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in " ".join(text.split()))
    return f'"{shown}"' if len(shown) <= 40 else f'"{shown[:39]}…"'


def on_field_count(expression: str, *, count: int, instead: str) -> str:
    """For a schedule of 1 to 4, or of 7 and more fields; `instead` is a schedule that may have been meant."""
    if count > 6:
        return (
            f"{quoted(expression)} has {count} fields, and years are not supported here: write the 5 fields "
            f"{FIVE_FIELDS}, or 6 with the second first, such as {quoted(instead)}."
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
        every = rest.strip() if _DURATION.fullmatch(rest.strip()) else "90s"
        return f"An interval has a field of its own: write every: {every} in place of schedule."
    if word == "@at":
        at = (
            macro.split()[1]
            if _INSTANT.fullmatch(macro.partition(" ")[2].strip())
            else "2026-12-24T08:00:00Z"
        )
        return f"A single run has a field of its own: write at: {at} in place of schedule."
    if word == "@never":
        return "@never is not a schedule: write none at all, and the job runs on demand."
    if word in known:
        return f"{quoted(macro)} is not spelt as Kubernetes knows it: write {word}."
    near = difflib.get_close_matches(word, known, n=1)
    choice = near[0] if near else f"one of {', '.join(known)}, or five fields such as {quoted(EXAMPLE)}"
    return f"Kubernetes does not know {quoted(macro)}: write {choice}."


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
        f"{quoted(item)} cannot be read as {a_field(field)}: write a value, a range such as "
        f"{field.low}-{field.low + 4}, or a step such as */2."
    )


def on_step(item: str) -> str:
    """For a step that is 0 or no number."""
    return f"The step of {quoted(item)} must be a number from 1 up: write for example */5."


def on_value(value: str, *, field: Field) -> str:
    """For a value that is neither a number of the field nor one of its names."""
    upper = value.upper()
    if field.names and upper.isalpha():
        near = [name for name in field.names if upper.startswith(name)] or difflib.get_close_matches(
            upper[:4], field.names, n=1
        )
        if near:
            return f"{quoted(value)} is not a {field.noun}: write {near[0]}."
    if upper in MONTH.names or upper in WEEKDAY.names:
        right = MONTH if upper in MONTH.names else WEEKDAY
        place = "last field but one" if right is MONTH else "last field"
        return (
            f"{quoted(value)} is not {a_field(field)}: write {field.allowed}, and names of a {right.noun} in "
            f"the {place}."
        )
    return f"{quoted(value)} is not {a_field(field)}: write {field.allowed}."


def a_field(field: Field) -> str:
    """The field with its article, for example "an hour"."""
    return f"an {field.noun}" if field.noun.startswith("h") else f"a {field.noun}"


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
