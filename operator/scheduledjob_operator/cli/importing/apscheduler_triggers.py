"""APScheduler's triggers, as they are written in Python source, in the words of a ScheduledJob."""

import ast
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from scheduledjob_operator.cli.importing.apscheduler_cron import ORDER, cron_of, cron_of_five
from scheduledjob_operator.cli.importing.findings import UnreadableError
from scheduledjob_operator.cli.importing.python_literals import (
    depends_on_zone,
    last_name,
    literal,
    moment,
    number,
    zone_name,
)
from scheduledjob_operator.models.types import format_duration

Words = Mapping[str, ast.expr]

_BOUNDS = ("start_date", "end_date", "timezone", "jitter")
_MOMENTS = ("start_date", "end_date", "run_date")
_UNITS = ("weeks", "days", "hours", "minutes", "seconds")
_FIELDS = {
    "cron": (*ORDER, *_BOUNDS),
    "interval": (*_UNITS, *_BOUNDS),
    "date": ("run_date", "timezone"),
}
_CLASSES = {"CronTrigger": "cron", "IntervalTrigger": "interval", "DateTrigger": "date"}
JITTER = "jitter is not carried over: write H in place of a number of the schedule to spread the load"
_JITTER_OF_INTERVAL = "jitter is not carried over: an interval knows no delay at random"


@dataclass(frozen=True, slots=True, kw_only=True)
class Zones:
    """Where the zone of a trigger comes from that names none."""

    scheduler: str | None = None
    """Goes for triggers that are given by name; one that is an object was made without it."""
    option: str | None = None
    """Of the command line."""

    @property
    def named(self) -> str | None:
        return self.scheduler or self.option


@dataclass(frozen=True, slots=True)
class When:
    """The fields of a spec that say when a job runs, and what they leave out."""

    fields: dict[str, Any]
    remarks: list[str] = field(default_factory=list)
    zoneless: bool = False
    """Whether it is read in UTC because nothing names a zone."""


def looks_like_field(word: str) -> bool:
    """Whether a trigger has such a field, or one that is nearly called so."""
    known = {name for names in _FIELDS.values() for name in names}
    return word in known or bool(difflib.get_close_matches(word, known, n=1, cutoff=0.8))


def read_trigger(trigger: ast.expr | None, words: Words, *, zones: Zones) -> When:
    """`words` are the trigger's own where it is given by name. Raises UnreadableError."""
    if trigger is None:
        raise UnreadableError("it has no trigger, so it ran once when the program started: give it one")
    if isinstance(trigger, ast.Call):
        return _from_call(trigger, zones=zones)
    if isinstance(trigger, ast.Dict):  # as Flask-APScheduler has it
        words = {
            key.value: value
            for key, value in zip(trigger.keys, trigger.values, strict=True)
            if isinstance(key, ast.Constant) and isinstance(key.value, str)
        }
        if "type" not in words or len(words) < len(trigger.keys):
            raise UnreadableError("its trigger has no counterpart: write one of cron, interval and date")
        return read_trigger(words.pop("type"), words, zones=zones)
    kind = literal(trigger, of="trigger")
    if isinstance(kind, str) and kind in _FIELDS:
        return _read(kind, words, time_zone=zones.named)
    if isinstance(kind, str) and len(kind.split()) == 5:
        return read_crontab_text(trigger, zone=words.get("timezone"), time_zone=zones.named)
    raise UnreadableError("its trigger has no counterpart: write one of cron, interval and date")


def read_crontab_text(node: ast.expr, *, zone: ast.expr | None, time_zone: str | None) -> When:
    """Five fields in one text, as CronTrigger.from_crontab reads them. Raises UnreadableError."""
    text = literal(node, of="the crontab expression")
    if not isinstance(text, str):
        raise UnreadableError(
            "the crontab expression is no text: write for example 0 3 * * *", malformed=True
        )
    schedule = cron_of_five(text)
    remarks = []
    if any(letter.isdecimal() for letter in text.split()[4].partition("/")[0]):
        remarks.append(
            f"its day of the week is {schedule.split()[-1]}, as APScheduler counts from Monday (0) and "
            "crontab from Sunday: correct the schedule if the other was meant"
        )
    named = _zone(zone, time_zone)
    return When({"schedule": schedule, **named}, remarks, zoneless=not named)


def _from_call(trigger: ast.Call, *, zones: Zones) -> When:
    name = last_name(trigger.func)
    if name != "from_crontab" and name not in _CLASSES:
        raise UnreadableError(
            "its trigger has no counterpart: write one of CronTrigger, IntervalTrigger and DateTrigger"
        )
    if any(word.arg is None for word in trigger.keywords) or any(
        isinstance(one, ast.Starred) for one in trigger.args
    ):
        raise UnreadableError("the arguments of its trigger are not literals: write them one by one")
    kind = _CLASSES.get(name, "cron")
    names = ("expr", "timezone") if name == "from_crontab" else _FIELDS[kind]
    words = dict(zip(names, trigger.args, strict=False))
    words |= {word.arg: word.value for word in trigger.keywords if word.arg is not None}
    words = {word: node for word, node in words.items() if not _is_none(node)}
    if name != "from_crontab":
        if zone := _zone_of_moments(words):
            words.setdefault("timezone", zone)
        return _by_itself(_read(kind, words, time_zone=zones.option), words, zones=zones)
    if "expr" not in words:
        raise UnreadableError("from_crontab has no text: write for example 0 3 * * *", malformed=True)
    when = read_crontab_text(words["expr"], zone=words.get("timezone"), time_zone=zones.option)
    return _by_itself(when, words, zones=zones)


def _by_itself(when: When, words: Words, *, zones: Zones) -> When:
    """A trigger that is an object was made without the scheduler: the zone of the machine went for it."""
    if "timezone" in words or zones.scheduler in {None, zones.option}:
        return when
    if "schedule" not in when.fields and not _hangs_on_zone(words):
        return when
    text = (
        f"its trigger is an object without timezone, which goes by the machine's and not by the scheduler's "
        f"{zones.scheduler}: it is read in {zones.option or 'UTC'}"
    )
    return When(when.fields, [*when.remarks, text])


def _zone_of_moments(words: Words) -> ast.expr | None:
    """Of the first of its bounds that is a datetime with a zone: APScheduler goes by that one, too."""
    for word in ("start_date", "end_date"):
        node = words.get(word)
        if isinstance(node, ast.Call) and last_name(node.func) == "datetime":
            for given in node.keywords:
                if given.arg == "tzinfo" and not _is_none(given.value):
                    return given.value
    return None


def _hangs_on_zone(words: Words) -> bool:
    return any(depends_on_zone(words[word], of=word) for word in _MOMENTS if word in words)


def _read(kind: str, words: Words, *, time_zone: str | None) -> When:
    if unknown := [word for word in words if word not in _FIELDS[kind]]:
        raise UnreadableError(
            f"the trigger {kind} knows no {unknown[0]}: write one of {', '.join(_FIELDS[kind])}",
            malformed=True,
        )
    words = {word: node for word, node in words.items() if not _is_none(node)}
    zone = _zone(words.get("timezone"), time_zone)
    own = zone.get("timeZone", "Etc/UTC")
    zoneless = not zone and (kind == "cron" or _hangs_on_zone(words))
    if kind == "date":
        if "run_date" not in words:
            raise UnreadableError("it has no run_date, so it ran once when the program started: give it one")
        return When({"at": moment(words["run_date"], of="run_date", time_zone=own)}, zoneless=zoneless)
    bounds = {
        field: moment(words[word], of=word, time_zone=own)
        for word, field in (("start_date", "startsAt"), ("end_date", "endsAt"))
        if word in words
    }
    given = {word: literal(node, of=word) for word, node in words.items() if word not in _BOUNDS}
    when = {"schedule": cron_of(given), **zone} if kind == "cron" else {"every": _every(given)}
    jitter = [JITTER if kind == "cron" else _JITTER_OF_INTERVAL] if "jitter" in words else []
    return When({**when, **bounds}, jitter, zoneless=zoneless)


def _every(given: Mapping[str, Any]) -> str:
    try:
        parts = [timedelta(**{unit: 1}) * number(given[unit], of=unit) for unit in _UNITS if unit in given]
        interval = sum(parts, timedelta())
    except OverflowError:
        raise UnreadableError(
            "its interval is longer than any: write for example weeks=4", malformed=True
        ) from None
    if interval <= timedelta():
        raise UnreadableError("its interval is empty: write for example minutes=5", malformed=True)
    if interval % timedelta(seconds=1):
        raise UnreadableError("its interval has a fraction of a second: write whole seconds")
    return format_duration(interval)


def _zone(node: ast.expr | None, time_zone: str | None) -> dict[str, str]:
    name = time_zone if node is None or _is_none(node) else zone_name(node)
    return {"timeZone": name} if name else {}


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
