"""What Kubernetes says about what it refused, less what people wrote there and may be secret. Pure."""

import json
from collections.abc import Iterator
from typing import Any

from scheduledjob_operator import names
from scheduledjob_operator.cluster import ApiError, Body
from scheduledjob_operator.names import ReadyReason
from scheduledjob_operator.status import Ready

SHORTEST_SECRET = 6
"""Shorter values are not taken out of messages: they would take the words along."""


def redacted(message: str, *, body: Body) -> str:
    """A sentence of Kubernetes' own, less what people wrote into the CronJob `body` and may be secret."""
    for value in sorted(_values(body), key=len, reverse=True):
        message = message.replace(value, "[redacted]")
    return message


def refusal(error: ApiError, *, body: Body) -> Ready:
    """What to say when the API server refused the CronJob `body`: its own sentence, less our values."""
    message = redacted(error.message, body=body)
    if error.status == 403:
        quota = "exceeded quota" in message
        return Ready(reason=ReadyReason.QUOTA_EXCEEDED if quota else ReadyReason.FORBIDDEN, message=message)
    return Ready(reason=ReadyReason.APPLY_FAILED, message=message)


def _values(body: Body) -> set[str]:
    """What people wrote into a CronJob and may be secret, as it is and in quotes; of any shape."""
    template = body["spec"]["jobTemplate"]["spec"]["template"]
    annotations = template["metadata"].get("annotations") or {}
    found = set(_texts({key: text for key, text in annotations.items() if not key.startswith(names.GROUP)}))
    for containers in ("containers", "initContainers"):
        for container in _objects(template["spec"].get(containers)):
            found.update(_container_values(container))
    long = {value for value in found if len(value) >= SHORTEST_SECRET}
    return long | {json.dumps(value, ensure_ascii=False)[1:-1] for value in long}


def _container_values(container: Body) -> Iterator[str]:
    for entry in _objects(container.get("env")):
        name = str(entry.get("name"))
        if not name.startswith(names.ENV_PREFIX) or name == names.ENV_ARGS:
            yield from _texts(entry.get("value"))
    yield from _texts(container.get("command"))
    if container.get("name") != names.CONTAINER or "command" in container:  # else they name the handler
        yield from _texts(container.get("args"))


def _objects(value: Any) -> list[Body]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> Iterator[str]:
    """All texts and numbers in a value."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
    elif value is not None:
        yield str(value)
