"""`python -m job_runner generate`: ScheduledJobs, as YAML, for the handlers that have a schedule.

Written without a YAML library, which the image does not hold: JSON's strings are YAML's too.
"""

import json
import re
from collections.abc import Iterator

from job_runner.discovery import Broken
from job_runner.errors import ConfigurationError
from job_runner.registry import REGISTRY, Handler, Schedule

LONGEST_NAME = 52
"""Of a ScheduledJob, as of the CronJob that stands behind it."""


def as_yaml(broken: list[Broken], *, namespace: str | None) -> str:
    """One document for each schedule, by name, then a comment with your handlers that have none.

    All or nothing, as `kubectl apply --prune` would take a part for the whole: raises ConfigurationError for
    anything that could not be loaded, and for a name that no ScheduledJob can have, or that two would have.
    """
    if broken:
        raise ConfigurationError("\n".join(f"not loaded: {one.where}: {one.error}" for one in broken))
    documents = [
        _document(name, handler, schedule, namespace=namespace)
        for name, (handler, schedule) in sorted(_by_name().items())
    ]
    own = [handler for handler in REGISTRY.handlers() if not handler.built_in]
    idle = [handler.name for handler in own if not handler.schedules]
    comment = [f"# without a schedule: {', '.join(idle)}\n"] if idle else []
    return "".join(documents + comment)


def remarks() -> list[str]:
    """What to tell whoever generates, beside the manifests."""
    scheduled = [handler for handler in REGISTRY.handlers() if handler.schedules]
    if not scheduled:
        return [
            'no handler has a schedule: write for instance @every_minutes(5) above @job_handler("a-name")'
        ]
    return [
        f"handler {handler.name!r} gets no arguments from its schedule: give {missing} a default, "
        "or add spec.args to the manifest"
        for handler in scheduled
        if (missing := " and ".join(_required(handler)))
    ]


def _by_name() -> dict[str, tuple[Handler, Schedule]]:
    found: dict[str, tuple[Handler, Schedule]] = {}
    for handler in REGISTRY.handlers():
        for name, schedule in zip(_names(handler), handler.schedules, strict=True):
            if name in found:
                raise ConfigurationError(
                    f"the handlers {found[name][0].name!r} and {handler.name!r} would both be the "
                    f"ScheduledJob {name!r}: rename one of them"
                )
            found[name] = (handler, schedule)
    return found


def _names(handler: Handler) -> Iterator[str]:
    """Of the handler's ScheduledJobs: its own as a DNS label, from the second one on with a number."""
    label = re.sub(r"[._]", "-", handler.name.lower())
    for number in range(1, len(handler.schedules) + 1):
        name = label if number == 1 else f"{label}-{number}"
        if len(name) > LONGEST_NAME:
            raise ConfigurationError(
                f"{handler.place}: the name of a ScheduledJob has {LONGEST_NAME} characters at most, and "
                f"{name!r} has {len(name)}: give the handler a shorter one"
            )
        yield name


def _document(name: str, handler: Handler, schedule: Schedule, *, namespace: str | None) -> str:
    metadata = {"name": name} | ({"namespace": namespace} if namespace is not None else {})
    return (
        "---\n"
        "apiVersion: scheduledjob.dev/v1alpha1\n"
        "kind: ScheduledJob\n"
        f"metadata:\n{_lines(metadata)}"
        f"spec:\n{_lines({'handler': handler.name, **schedule.fields()})}"
    )


def _lines(fields: dict[str, str]) -> str:
    return "".join(f"  {name}: {json.dumps(text, ensure_ascii=False)}\n" for name, text in fields.items())


def _required(handler: Handler) -> list[str]:
    if handler.signature.whole:
        return []  # only its model knows what it can do without
    return [name for name, argument in handler.signature.arguments.items() if argument.required]
