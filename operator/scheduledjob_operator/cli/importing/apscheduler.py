"""Jobs of APScheduler in Python source become drafts. The source is parsed and never executed."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from scheduledjob_operator.cli.importing.apscheduler_source import ADD_JOB, Entry, Source, read_source
from scheduledjob_operator.cli.importing.apscheduler_triggers import When, read_crontab_text, read_trigger
from scheduledjob_operator.cli.importing.findings import (
    LEAST_DEADLINE,
    MOST_DEADLINE,
    Draft,
    Finding,
    Remark,
    UnreadableError,
)
from scheduledjob_operator.cli.importing.manifests import Options
from scheduledjob_operator.cli.importing.python_literals import last_name, literal, number, zone_name
from scheduledjob_operator.models.types import format_duration

_JOB = {*ADD_JOB, "cron", "enabled", "description"}
"""What is said about a job; anything else is about its trigger."""
_POLICIES = ("max_instances", "coalesce", "misfire_grace_time")
_LEAST_WINDOW = timedelta(minutes=1)


@dataclass(slots=True)
class _Job:
    """A job while it is read: fields of its spec, and what was left behind."""

    entry: Entry
    remarks: list[str] = field(default_factory=list)

    def value(self, word: str, *, default: Any = None) -> Any:
        """What is said by a word; what is no literal is remarked on, and the default holds."""
        if word not in self.entry.words:
            return default
        try:
            return literal(self.entry.words[word], of=word)
        except UnreadableError as error:
            self.remarks.append(str(error))
            return default


def read_apscheduler(text: str, *, options: Options) -> Iterator[Finding]:
    """The jobs of a module."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        yield Remark(line=error.lineno or 1, text=f"this is not Python: {error.msg}", malformed=True)
        return
    except (ValueError, RecursionError, MemoryError):
        yield Remark(line=1, text="this is not Python: give the source of a module", malformed=True)
        return
    source = read_source(tree)
    defaults, time_zone, remarks = _settings(source, options=options)
    yield from remarks
    ids: dict[str, int] = {}
    for entry in source.entries:
        job = _Job(entry)
        try:
            draft = _draft(job, source=source, defaults=defaults, time_zone=time_zone, image=options.image)
            _claim(job, ids=ids)
        except UnreadableError as error:
            label = _label(entry)
            yield Remark(line=entry.line, text=f"{label} is not imported: {error}", malformed=error.malformed)
            continue
        yield draft
        yield from (Remark(line=entry.line, text=f"{_label(entry)}: {text}") for text in job.remarks)


def _settings(source: Source, *, options: Options) -> tuple[dict[str, Any], str | None, list[Remark]]:
    """What the scheduler's constructor says about all jobs: their defaults and the time zone."""
    defaults, time_zone, remarks = {}, options.time_zone, []
    try:
        if "timezone" in source.settings:
            time_zone = zone_name(source.settings["timezone"])
    except UnreadableError as error:
        remarks.append(error.at(source.settings["timezone"].lineno))
    try:
        if "job_defaults" in source.settings:
            defaults = literal(source.settings["job_defaults"], of="job_defaults")
    except UnreadableError as error:
        remarks.append(error.at(source.settings["job_defaults"].lineno))
    return defaults if isinstance(defaults, dict) else {}, time_zone, remarks


def _label(entry: Entry) -> str:
    """How a job is called in a sentence."""
    identity = entry.words.get("id")
    if isinstance(identity, ast.Constant) and isinstance(identity.value, str):
        return identity.value
    try:
        return entry.function or _function(entry.words.get("func"))
    except UnreadableError:
        return "the job"


def _claim(job: _Job, *, ids: dict[str, int]) -> None:
    """An id is one job's own. Raises UnreadableError."""
    identity = job.value("id")
    if not isinstance(identity, str) or job.value("replace_existing") is True:
        return
    if identity in ids:
        raise UnreadableError(
            f"the job of line {ids[identity]} has the same id: give it another one", malformed=True
        )
    ids[identity] = job.entry.line


def _draft(
    job: _Job, *, source: Source, defaults: dict[str, Any], time_zone: str | None, image: str | None
) -> Draft:
    """Raises UnreadableError."""
    entry = job.entry
    if entry.unpacked:
        raise UnreadableError("some of its arguments are in * or **: write them one by one")
    function = entry.function or _function(entry.words.get("func"))
    when = _when(entry, time_zone=time_zone)
    job.remarks += when.remarks
    spec: dict[str, Any] = {} if _enabled(job) else {"enabled": False}
    spec |= {**when.fields, "handler": _handler(function, job=job)}
    if image:
        spec["image"] = image
    if args := _args(entry, parameters=source.parameters.get(function, [])):
        spec["args"] = args
    spec |= _policies(job, defaults=defaults)
    _remark_on_rest(job)
    identity = entry.words.get("id")
    named = isinstance(identity, ast.Constant) and isinstance(identity.value, str)
    return Draft(line=entry.line, name=_label(entry) if named else function, spec=spec)


def _function(node: ast.expr | None) -> str:
    """The name of the function, which is that of the handler."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.rpartition(":")[2].rpartition(".")[2]
    name = last_name(node) if node is not None else ""
    if not name:
        raise UnreadableError("its function is not given by name: write a function and give its name")
    return name


def _handler(function: str, *, job: _Job) -> str:
    """The name of the handler; Python allows more than a handler's name may have. Raises UnreadableError."""
    handler = function.strip("_")
    if not handler.isascii() or not handler:
        raise UnreadableError("the name of a handler has letters, digits and _: rename the function")
    if handler != function:
        job.remarks.append(f"its handler is {handler}, as the name of one has no _ at its ends")
    return handler


def _when(entry: Entry, *, time_zone: str | None) -> When:
    words = entry.words
    if "cron" in words and "trigger" not in words:
        zone = words.get("timezone")
        return read_crontab_text(words["cron"], zone=zone, time_zone=time_zone)
    own = {word: node for word, node in words.items() if word not in _JOB}
    return read_trigger(words.get("trigger"), own, time_zone=time_zone)


def _enabled(job: _Job) -> bool:
    words = job.entry.words
    if "enabled" in words and job.value("enabled") is not True:
        if job.remarks:
            job.remarks.append("nobody knows whether it is enabled: it is imported with enabled: false")
        return False
    if "next_run_time" not in words:
        return True
    node = words["next_run_time"]
    if isinstance(node, ast.Constant) and node.value is None:
        return False  # APScheduler's way to add a job that is paused
    job.remarks.append("next_run_time is not carried over: ask for a run by annotation when it is applied")
    return True


def _args(entry: Entry, *, parameters: list[str]) -> dict[str, Any]:
    """Raises UnreadableError: without its arguments a job may do something else."""
    named = literal(entry.words["kwargs"], of="kwargs") if "kwargs" in entry.words else None
    listed = literal(entry.words["args"], of="args") if "args" in entry.words else None
    if len(listed or ()) > len(parameters):
        raise UnreadableError("a handler gets its arguments by name: write kwargs in place of args")
    if not isinstance(named or {}, dict):
        raise UnreadableError("kwargs is no dict: write for example {'days': 7}", malformed=True)
    args = {**dict(zip(parameters, listed or (), strict=False)), **(named or {})}
    if not _is_json(args):
        raise UnreadableError("its arguments are no JSON: write texts, numbers, lists and dicts")
    return args


def _is_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(one) for key, one in value.items())
    if isinstance(value, list | tuple):
        return all(_is_json(one) for one in value)
    return value is None or isinstance(value, str | int | float)


def _policies(job: _Job, *, defaults: dict[str, Any]) -> dict[str, Any]:
    instances, coalesce = (job.value(word, default=defaults.get(word)) for word in _POLICIES[:2])
    spec: dict[str, Any] = {}
    if instances is not None and number(instances, of="max_instances") > 1:
        spec["concurrencyPolicy"] = "Allow"
        job.remarks.append(f"max_instances {instances} is carried over as Allow, which knows no bound")
    known = "misfire_grace_time" in job.entry.words or "misfire_grace_time" in defaults
    unread = len(job.remarks)
    grace = job.value("misfire_grace_time", default=defaults.get("misfire_grace_time"))
    known = known and len(job.remarks) == unread
    late = MOST_DEADLINE if grace is None else timedelta(seconds=number(grace, of="misfire_grace_time"))
    if known:
        deadline = max(LEAST_DEADLINE, min(late, MOST_DEADLINE))
        spec["startingDeadline"] = format_duration(deadline)
        if deadline != late or grace is None:
            text = f"misfire_grace_time {grace} is carried over as a startingDeadline of "
            job.remarks.append(f"{text}{format_duration(deadline)}, as it has to be from 10s to 720h")
    if coalesce is not None:
        spec["catchUp"] = {"policy": "Latest" if coalesce else "All"}
        if known:
            spec["catchUp"]["window"] = format_duration(max(_LEAST_WINDOW, min(late, MOST_DEADLINE)))
    return spec


def _remark_on_rest(job: _Job) -> None:
    words = job.entry.words
    for word in ("jobstore", "executor"):
        if word in words:
            job.remarks.append(f"{word} is not carried over: each run is a Pod of its own")
    if "id" in words and not isinstance(words["id"], ast.Constant):
        job.remarks.append("id is not a literal: it is named after its function")
    if job.entry.conditional:
        job.remarks.append(
            "it stands under a condition or in a loop, and is imported once, whatever that says"
        )
