"""`H`, as Jenkins has it: a value that is the schedule's own, so that a thousand jobs do not start at once.

It is drawn from the name of the schedule and the field, so it is the same after every restart and on every
machine, and it is written out: `H * * * *` of one job is `17 * * * *` for ever, and Kubernetes can fire it.
"""

import hashlib
import re

from scheduledjob_operator.cron import advice, advice_special
from scheduledjob_operator.cron.fields import DAY, WEEKDAY, Field, ScheduleError
from scheduledjob_operator.cron.values import plain, read_step, read_value

_HAS_HASH = re.compile(r"(?<![A-Z])H+(?![A-Z])")
_HASH = re.compile(r"H(?:\(([^()]*)\))?(/.*)?")
_LIST_IN_BRACKETS = re.compile(r"H\([^()]*,")

LAST_DAY = 28
"""The highest day of the month that H stands for: the last that every month has."""


def write_out(text: str, *, field: Field, spread: str) -> str:
    """A field with a number in place of every H: `17`, `4-59/15` and so on. Others are left as they are."""
    upper = text.upper() if text.isascii() else ""
    if not _HAS_HASH.search(upper):
        return text
    if _LIST_IN_BRACKETS.search(upper):
        raise ScheduleError(advice_special.on_hash_list(text, field=field))
    return ",".join(_write_item(item, field=field, spread=spread) for item in text.split(","))


def _write_item(item: str, *, field: Field, spread: str) -> str:
    upper = item.upper()
    if not _HAS_HASH.search(upper):
        return item
    match = _HASH.fullmatch(upper)
    if match is None:
        raise ScheduleError(advice_special.on_hash_shape(item, field=field))
    low, high = field.low, LAST_DAY if field is DAY else field.high
    if match[1] is not None:
        low, high = _read_range(match[1], item=item, field=field)
    own = _draw(spread, field=field)
    if match[2] is None:
        return str(low + own % (high - low + 1))
    step = read_step(match[2][1:], item=item, field=field)
    first = low + own % min(step, high - low + 1)
    return f"{first}-{high}/{step}" if first + step <= high else str(first)


def _read_range(text: str, *, item: str, field: Field) -> tuple[int, int]:
    first, hyphen, last = text.partition("-")
    if not first or not last or not hyphen:
        raise ScheduleError(advice_special.on_hash_range(item, field=field))
    low, high = read_value(first, field=field), read_value(last, field=field)
    if field is WEEKDAY and 7 in {low, high}:
        raise ScheduleError(advice.on_seven(text, field=field, low=min(low, high), step=1))
    if low > high:
        raise ScheduleError(advice_special.on_hash_reversed(item, first=plain(first), last=plain(last)))
    return low, high


def _draw(spread: str, *, field: Field) -> int:
    digest = hashlib.sha256(f"{spread}\n{field.noun}".encode()).digest()
    return int.from_bytes(digest[:8], "big")
