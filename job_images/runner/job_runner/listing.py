"""`python -m job_runner list`: what this image can run."""

import json
from typing import Any

from job_runner.arguments import schema
from job_runner.discovery import Broken
from job_runner.errors import ConfigurationError
from job_runner.registry import REGISTRY, Handler


def as_json(broken: list[Broken]) -> str:
    """{"handlers": [{name, source, place, summary, args (JSON Schema)}], "broken": [{where, error}]}"""
    failed = list(broken)
    handlers = []
    for handler in _handlers():
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
    """One line a handler, then one line for everything that could not be loaded."""
    rows = [("NAME", "ARGS", "SOURCE", "SUMMARY")]
    rows += [(one.name, str(one.signature), one.source, one.summary) for one in _handlers()]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "   ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    ]
    lines += [f"not loaded: {one.where}: {one.error}" for one in broken]
    return "\n".join(line.rstrip() for line in lines)


def _handlers() -> list[Handler]:
    found = []
    for name in REGISTRY:
        try:
            found.append(REGISTRY.get(name))
        except ConfigurationError:
            continue  # two handlers claim the name: one of them is among the broken
    return found


def _described(handler: Handler) -> dict[str, Any]:
    return {
        "name": handler.name,
        "source": handler.source,
        "place": str(handler.place),
        "summary": handler.summary,
        "args": schema(handler),
    }
