"""What to write instead, for what is ours and not Kubernetes': `H`, `L`, `#` and `W`. As `advice`."""

from scheduledjob_operator.cron.advice import a_field, quoted
from scheduledjob_operator.cron.fields import DAY, MONTH, Field

# H


def on_hash_shape(item: str, *, field: Field) -> str:
    """For an H in a range, behind a step, or with something else beside it."""
    return (
        f"{quoted(item)} has the H in the wrong place: write H for one value, H/{_step(field)} for every "
        f"{_step(field)}, or {_hash_range(field)} for one value of a range."
    )


def on_hash_list(text: str, *, field: Field) -> str:
    """For a list in the brackets of an H."""
    return f"{quoted(text)} has a list in its brackets: write one range, such as {_hash_range(field)}."


def on_hash_range(item: str, *, field: Field) -> str:
    """For brackets that hold no range."""
    return (
        f"The brackets of {quoted(item)} hold no range: write for example {_hash_range(field)}, or H alone."
    )


def on_hash_reversed(item: str, *, first: str, last: str) -> str:
    """For H(30-10)."""
    return f"The range of {quoted(item)} runs backwards: write H({last}-{first})."


def _hash_range(field: Field) -> str:
    return f"H({field.low}-{field.low + (field.high - field.low) // 2})"


def _step(field: Field) -> int:
    return 15 if field.high == 59 else 2


# L, # and W


def on_wrong_field(item: str, *, field: Field) -> str:
    """For one of them among seconds, minutes, hours or months."""
    return (
        f"{quoted(item)} is not {a_field(field)}, because L, W and # name days: write {field.allowed} here."
    )


def on_special_shape(item: str, *, field: Field) -> str:
    """For one of them in a range, with a step, or cut off."""
    examples = "L, L-3, 15W or LW" if field is DAY else "MON#2 or FRIL"
    return (
        f"{quoted(item)} cannot be read as {a_field(field)}, because L, W and # stand in no range and take "
        f"no step: write {examples}, alone or in a list."
    )


def on_day_before_last(item: str) -> str:
    """For L-0 and L-31."""
    return f"{quoted(item)} is not a day before the last of a month: write L, or L-1 to L-30."


def on_nearest_weekday(item: str) -> str:
    """For 0W and 32W."""
    return f"{quoted(item)} is not the weekday nearest to a day of the month: write 1W to 31W, or LW."


def on_nth(item: str, *, weekday: str) -> str:
    """For MON#0 and MON#6."""
    return (
        f"{quoted(item)} never comes, because no month has it: write {weekday}#1 to {weekday}#5, "
        f"or {weekday}L for the last one."
    )


ON_LAST_WEEKDAY = (
    '"L" is not a day of the week: write SAT for every Saturday, FRIL for the last Friday of the month, '
    "or L in the place of the day of the month."
)


def on_seven(item: str) -> str:
    """For 7#2 and 7L."""
    return (
        f"Kubernetes does not know 7 as a day of the week: write {'SUN' + item.lstrip('07')} instead of "
        f"{quoted(item)}."
    )


def on_weekday_among_days(item: str) -> str:
    """For MON#2 in the third of five fields."""
    return (
        f"{quoted(item)} is a day of the week: write it in the last field, and * in the place of the day of "
        "the month."
    )


def on_day_among_weekdays(item: str) -> str:
    """For 15W in the last field."""
    return (
        f"{quoted(item)} is a day of the month: write it in the field before the month, and * in the place "
        "of the day of the week."
    )


def on_star_beside(text: str) -> str:
    """For a list of a star and one of them."""
    special = ",".join(item for item in text.split(",") if item not in {"*", "?"})
    return f"{quoted(text)} has a star, which is every day: write * or {quoted(special)}."


def on_both_days(text: str, *, field: Field) -> str:
    """For one of them in one day field, when the other one is restricted too."""
    return f"{quoted(text)} cannot be joined with {a_field(field)}: write * in the place of the {field.noun}."


def on_never(expression: str, *, months: frozenset[int]) -> str:
    """For a day that none of the months has in any year."""
    names = [MONTH.names[month - 1] for month in sorted(months)]
    has = f"{names[0]} has" if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]} have"
    return (
        f"{quoted(expression)} would never run, because {has} no such day: write L for the last day of the "
        "month, or another month."
    )
