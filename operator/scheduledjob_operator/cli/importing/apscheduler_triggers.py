"""APScheduler's triggers, as they are written in Python source, in the words of a ScheduledJob."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from scheduledjob_operator.cli.importing.apscheduler_cron import ORDER, cron_of, cron_of_five
from scheduledjob_operator.cli.importing.findings import UnreadableError
from scheduledjob_operator.cli.importing.python_literals import last_name, literal, moment, number, zone_name
from scheduledjob_operator.models.types import format_duration

Words = Mapping[str, ast.expr]

_BOUNDS = ("start_date", "end_date", "timezone", "jitter")
_UNITS = ("weeks", "days", "hours", "minutes", "seconds")
_FIELDS = {
    "cron": (*ORDER, *_BOUNDS),
    "interval": (*_UNITS, *_BOUNDS),
    "date": ("run_date", "timezone"),
}
_CLASSES = {"CronTrigger": "cron", "IntervalTrigger": "interval", "DateTrigger": "date"}
_JITTER = "jitter is not carried over: write H in place of a number of the schedule to spread the load"


@dataclass(frozen=True, slots=True)
class When:
    """The fields of a spec that say when a job runs, and what they leave out."""

    fields: dict[str, Any]
    remarks: list[str] = field(default_factory=list)


def read_trigger(trigger: ast.expr | None, words: Words, *, time_zone: str | None) -> When:
    """`words` are the trigger's own where it is given by name. Raises UnreadableError."""
    if trigger is None:
        raise UnreadableError("it has no trigger, so it ran once when the program started: give it one")
    if isinstance(trigger, ast.Call):
        return _from_call(trigger, time_zone=time_zone)
    kind = literal(trigger, of="trigger")
    if kind in _FIELDS:
        return _read(kind, words, time_zone=time_zone)
    if isinstance(kind, str) and len(kind.split()) == 5:
        return read_crontab_text(trigger, zone=words.get("timezone"), time_zone=time_zone)
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
    return When({"schedule": schedule, **_zone(zone, time_zone)}, remarks)


def _from_call(trigger: ast.Call, *, time_zone: str | None) -> When:
    name = last_name(trigger.func)
    words = {word.arg: word.value for word in trigger.keywords if word.arg is not None}
    if name == "from_crontab" and (trigger.args or "expr" in words):
        given = dict(zip(("expr", "timezone"), trigger.args, strict=False)) | words
        return read_crontab_text(given["expr"], zone=given.get("timezone"), time_zone=time_zone)
    if name not in _CLASSES:
        raise UnreadableError(
            "its trigger has no counterpart: write one of CronTrigger, IntervalTrigger and DateTrigger"
        )
    if len(words) < len(trigger.keywords) or any(isinstance(one, ast.Starred) for one in trigger.args):
        raise UnreadableError("the arguments of its trigger are not literals: write them one by one")
    kind = _CLASSES[name]
    return _read(kind, dict(zip(_FIELDS[kind], trigger.args, strict=False)) | words, time_zone=time_zone)


def _read(kind: str, words: Words, *, time_zone: str | None) -> When:
    if unknown := [word for word in words if word not in _FIELDS[kind]]:
        raise UnreadableError(
            f"the trigger {kind} knows no {unknown[0]}: write one of {', '.join(_FIELDS[kind])}",
            malformed=True,
        )
    words = {word: node for word, node in words.items() if not _is_none(node)}
    zone = _zone(words.get("timezone"), time_zone)
    own = zone.get("timeZone", "Etc/UTC")
    if kind == "date":
        if "run_date" not in words:
            raise UnreadableError("it has no run_date, so it ran once when the program started: give it one")
        return When({"at": moment(words["run_date"], of="run_date", time_zone=own)})
    bounds = {
        field: moment(words[word], of=word, time_zone=own)
        for word, field in (("start_date", "startsAt"), ("end_date", "endsAt"))
        if word in words
    }
    given = {word: literal(node, of=word) for word, node in words.items() if word not in _BOUNDS}
    when = {"schedule": cron_of(given), **zone} if kind == "cron" else {"every": _every(given)}
    return When({**when, **bounds}, [_JITTER] if "jitter" in words else [])


def _every(given: Mapping[str, Any]) -> str:
    parts = [timedelta(**{unit: 1}) * number(given[unit], of=unit) for unit in _UNITS if unit in given]
    interval = sum(parts, timedelta())
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
