"""`python -m job_runner list`: what this image can run."""

import json
from itertools import accumulate
from typing import Any

from job_runner.arguments import schema
from job_runner.discovery import Broken
from job_runner.errors import ConfigurationError
from job_runner.registry import REGISTRY, Handler

_WIDEST_ARGUMENTS = 60
"""Columns; `-o json` has all of them."""


def as_json(broken: list[Broken]) -> str:
    """{"handlers": [{name, source, place, summary, schedules, args}], "broken": [{where, error}]}

    schedules: as fields of a ScheduledJob's spec; args: a JSON Schema.
    """
    failed = list(broken)
    handlers = []
    for handler in REGISTRY.handlers():
        try:
            handlers.append(_described(handler))
        except ConfigurationError as error:
            failed.append(Broken(where=str(handler.place), error=str(error), names=frozenset({handler.name})))
    document = {
        "handlers": handlers,
        "broken": [{"where": one.where, "error": one.error} for one in failed],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def as_table(broken: list[Broken]) -> str:
    """One line a handler, then one line for everything that could not be loaded.

    Of many arguments it shows the first, as many as fit.
    """
    rows = [("NAME", "ARGS", "SCHEDULE", "SOURCE", "SUMMARY")]
    rows += [
        (one.name, _arguments(one), _schedules(one), one.source, one.summary) for one in REGISTRY.handlers()
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "   ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    ]
    lines += [f"not loaded: {one.where}: {one.error}" for one in broken]
    return "\n".join(line.rstrip() for line in lines)


def _arguments(handler: Handler) -> str:
    described = handler.signature.described()
    lengths = accumulate(len(one) + len(", ") for one in described)
    shown = max(1, sum(length <= _WIDEST_ARGUMENTS for length in lengths))
    left = len(described) - shown
    return ", ".join([*described[:shown], f"and {left} more"] if left > 0 else described) or "-"


def _schedules(handler: Handler) -> str:
    return "; ".join(map(str, handler.schedules)) or "-"


def _described(handler: Handler) -> dict[str, Any]:
    return {
        "name": handler.name,
        "source": handler.source,
        "place": str(handler.place),
        "summary": handler.summary,
        "schedules": [schedule.fields() for schedule in handler.schedules],
        "args": schema(handler),
    }
