"""What is said about a job of APScheduler beside its trigger, in the fields of a ScheduledJob."""

import ast
import math
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from scheduledjob_operator.cli.importing.apscheduler_entry import Entry
from scheduledjob_operator.cli.importing.findings import LEAST_DEADLINE, MOST_DEADLINE, UnreadableError
from scheduledjob_operator.cli.importing.python_literals import last_name, literal, number
from scheduledjob_operator.models.types import format_duration

_POLICIES = ("max_instances", "coalesce", "misfire_grace_time")
_LEAST_WINDOW = timedelta(minutes=1)
_HANDLER = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")
_PATH = re.compile(r"[\w.]+(:[\w.]+)?")
TIMEOUTS = ("timeout_seconds", "timeout")
RETRIES = ("max_retries", "retries", "retry_count")


@dataclass(slots=True)
class Job:
    """A job while it is read: what is written, what holds for all, and what was left behind."""

    entry: Entry
    defaults: dict[str, Any]
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


def function_of(entry: Entry) -> str:
    """The name of the function, which is that of the handler. Raises UnreadableError."""
    if entry.function:
        return entry.function
    node = entry.words.get("func")
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if not _PATH.fullmatch(node.value):
            raise UnreadableError(
                "the text for its function is none: write for example app.jobs:sync", malformed=True
            )
        return node.value.rpartition(":")[2].rpartition(".")[2]
    name = last_name(node) if node is not None else ""
    if not name:
        raise UnreadableError("its function is not given by name: write a function and give its name")
    return name


def handler_of(function: str, *, job: Job) -> str:
    """The name of the handler; Python allows more than a handler's name may have. Raises UnreadableError."""
    handler = function.strip("_")
    if not _HANDLER.fullmatch(handler) or len(handler) > 128:
        raise UnreadableError(
            "the name of a handler has letters, digits and _, 128 of them at most: rename the function"
        )
    if handler != function:
        job.remarks.append(f"its handler is {handler}, as the name of one has no _ at its ends")
    return handler


def enabled(job: Job) -> bool:
    """Raises UnreadableError for what is neither true nor false."""
    words = job.entry.words
    if "enabled" in words:
        try:
            value = literal(words["enabled"], of="enabled")
        except UnreadableError as error:
            job.remarks += [
                str(error),
                "nobody knows whether it is enabled: it is imported with enabled: false",
            ]
            return False
        if not isinstance(value, int) or value not in {0, 1}:
            raise UnreadableError("enabled is neither true nor false: write True or False", malformed=True)
        if not value:
            return False
    if "next_run_time" not in words:
        return True
    node = words["next_run_time"]
    if isinstance(node, ast.Constant) and node.value is None:
        return False  # APScheduler's way to add a job that is paused
    job.remarks.append("next_run_time is not carried over: ask for a run by annotation when it is applied")
    return True


def args_of(entry: Entry, *, parameters: dict[str, list[str]]) -> dict[str, Any]:
    """Raises UnreadableError: without its arguments a job may do something else."""
    named, listed = (
        literal(entry.words[word], of=word) if word in entry.words else None for word in ("kwargs", "args")
    )
    if not isinstance(listed, list | tuple | None):
        raise UnreadableError("args is no list: write for example [7]", malformed=True)
    if not isinstance(named, dict | None):
        raise UnreadableError("kwargs is no dict: write for example {'days': 7}", malformed=True)
    node = entry.words.get("func")
    function = entry.function or (node.id if isinstance(node, ast.Name) else "")
    names = parameters.get(function, [])
    if len(listed or ()) > len(names):
        raise UnreadableError("a handler gets its arguments by name: write kwargs in place of args")
    args = {**dict(zip(names, listed or (), strict=False)), **(named or {})}
    if not _is_json(args):
        raise UnreadableError("its arguments are no JSON: write texts, numbers, lists and dicts")
    return args


def _is_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(key) and _is_json(one) for key, one in value.items())
    if isinstance(value, list | tuple):
        return all(_is_json(one) for one in value)
    if isinstance(value, str):
        return value.isprintable() or not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, int) and abs(value) < 2**63)


def policies(job: Job) -> dict[str, Any]:
    """How it runs. Raises UnreadableError."""
    defaults = job.defaults
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


def limits(job: Job) -> dict[str, Any]:
    """What the columns of a registry say about timeouts and retries. Raises UnreadableError."""
    words = job.entry.words
    spec: dict[str, Any] = {}
    for word in TIMEOUTS:
        if word in words and (value := job.value(word)) is not None:
            seconds = number(value, of=word)
            if seconds != int(seconds):
                raise UnreadableError(f"{word} has a fraction of a second: write whole seconds")
            spec["timeout"] = format_duration(timedelta(seconds=int(seconds)))
            if word == "timeout":
                job.remarks.append(f"timeout does not say of what: it is read as seconds, {spec['timeout']}")
            break
    for word in RETRIES:
        if word in words and (value := job.value(word)) is not None:
            number(value, of=word)
            if not isinstance(value, int):
                raise UnreadableError(f"{word} is no whole number: write for example 3", malformed=True)
            spec |= {"retry": {"limit": value}} if value else {}
            break
    return spec
