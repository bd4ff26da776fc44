"""Schedules, zones and moments by chance: mostly valid, mostly where clocks change, and some nearly valid."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from scheduledjob_operator.cron.fields import FIELDS, Field
from scheduledjob_operator.cron.zones import clock_changes, load_zone, zone_names
from tests.oracle.program import Question

CHANGING_ZONES = (
    "Europe/Berlin", "Europe/London", "Europe/Dublin", "America/New_York", "America/Santiago",
    "America/Havana", "America/Sao_Paulo", "America/Asuncion", "America/St_Johns", "Africa/Cairo",
    "Africa/Casablanca", "Asia/Beirut", "Asia/Gaza", "Asia/Tehran", "Asia/Kathmandu", "Asia/Pyongyang",
    "Australia/Lord_Howe", "Australia/Adelaide", "Antarctica/Troll", "Pacific/Apia", "Pacific/Chatham",
    "Pacific/Kwajalein",
)  # fmt: skip
ALL_ZONES = tuple(sorted(zone_names()))
FIRST, LAST = datetime(1985, 1, 1, tzinfo=UTC), datetime(2045, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)

MACROS = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")
ODD_TEXTS = (
    "", " ", ",", "@every 5m", "@reboot", "@Daily", "@daily ", "TZ=UTC 0 0 * * *", "CRON_TZ=UTC @daily",
    "TZ=UTC", "TZ=", "0 0 * * 7", "0 0 30 2 *", "0 0 31 4,6 ?", "* * * *", "* * * * * *", "*-5 * * * *",
    "+5 * * * *", "1,,2 * * * *", "0 0 L * *", "0 0 15W * *", "0 0 * * 5L", "0 0 * * 5#2", "H * * * *",
    "*/0 * * * *", "5/0 * * * *", "0 22-2 * * *", "0 0 * * fri-mon", "0-59/60 * * * *", "0 0 * * mon-5",
    "*/9223372036854775807 * * * *", "*/9223372036854775808 * * * *",
    "\u0663 * * * *", "\uff15 * * * *", "0 0 1 \u017fep *", "0 0 * * \u017fun",
    "0\u00a00 * * *", "0\u30000 * * *", "0\x0b0 * * *",  # other white space
)  # fmt: skip
_TYPING = "0123456789*/-,? @LWHR#+%.ABCDEFJMNOPRSTUVYabjmnouy\u00a0é"


@dataclass(frozen=True)
class Case:
    """A question, and whether its expression was made by the rules (`sound`) or is an oddity."""

    question: Question
    sound: bool


def random_cases(count: int, *, seed: int) -> Iterator[Case]:
    """The same cases for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        zone = _zone(chance)
        after = _moment(chance, zone=zone)
        kind = chance.random()
        if kind < 0.75:
            yield Case(Question(_expression(chance), zone, after), sound=True)
        elif kind < 0.98:
            yield Case(Question(_mutation(chance, _expression(chance)), zone, after), sound=False)
        else:
            yield Case(Question(chance.choice(ODD_TEXTS), zone, after), sound=False)


def _expression(chance: random.Random) -> str:
    if chance.random() < 0.03:
        return chance.choice(MACROS)
    fields = [_field(chance, field) for field in FIELDS]
    if chance.random() < 0.5:  # both days restricted is rare in life, and where dialects differ
        fields[chance.choice((2, 4))] = chance.choice(("*", "?", "*/1"))
    if chance.random() < 0.5:
        fields[3] = "*"
    return chance.choice((" ", " ", " ", "  ")).join(fields)


def _field(chance: random.Random, field: Field) -> str:
    if chance.random() < 0.25:
        return chance.choice(("*", "*", "*", "?"))
    return ",".join(_item(chance, field) for _ in range(chance.choice((1, 1, 1, 1, 2, 3))))


def _item(chance: random.Random, field: Field) -> str:
    low, high = sorted((chance.randint(field.low, field.high), chance.randint(field.low, field.high)))
    step = chance.choice((1, 2, 3, 5, 7, 10, 15, 25, 60, 100))
    start, end = _value(chance, low, field), _value(chance, high, field)
    return chance.choice((
        start, start, start, end, f"{start}-{end}", f"{start}-{end}", f"{start}-{start}", "*",
        f"{field.low}-{field.high}", f"{start}-{end}/{step}", f"{start}/{step}", f"*/{step}", f"?/{step}",
    ))  # fmt: skip


def _value(chance: random.Random, value: int, field: Field) -> str:
    if field.names and chance.random() < 0.4:
        name = field.names[value - field.low]
        return chance.choice((name, name.lower(), name.capitalize()))
    return f"{value:02}" if chance.random() < 0.1 else str(value)


def _mutation(chance: random.Random, expression: str) -> str:
    for _ in range(chance.choice((1, 1, 2))):
        at = chance.randrange(len(expression) + 1)
        drop = chance.choice((0, 1, 1))
        insert = chance.choice(("", chance.choice(_TYPING), chance.choice(_TYPING)))
        expression = expression[:at] + insert + expression[at + drop :]
    return expression


def _zone(chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.25:
        return "Etc/UTC"
    return chance.choice(CHANGING_ZONES if kind < 0.75 else ALL_ZONES)


def _moment(chance: random.Random, *, zone: str) -> int:
    first = searchable_since(zone)
    after = first + (LAST - first) * chance.random()
    changes = [change for change in changes_of(zone) if change > first]
    if changes and chance.random() < 0.6:
        days = chance.choice((0.1, 1, 3, 40))
        after = max(first, chance.choice(changes) + timedelta(days=chance.uniform(-days, days)))
    if chance.random() < 0.4:
        after = after.replace(second=0, minute=chance.choice((0, after.minute, 30)))
    return int(after.timestamp())


@cache
def changes_of(zone: str) -> tuple[datetime, ...]:
    """The clock changes of the zone between `FIRST` and `LAST`."""
    return clock_changes(load_zone(zone), since=FIRST, until=LAST)


@cache
def searchable_since(zone: str) -> datetime:
    """The last time that the zone left out a whole day, as Samoa did in 2011, or `FIRST`.

    For a schedule that asks for certain days, robfig's search never gets past such a day.
    """
    place = load_zone(zone)
    for change in reversed(changes_of(zone)):
        if change.astimezone(place).date() - (change - timedelta(minutes=1)).astimezone(place).date() > DAY:
            return change
    return FIRST
