"""What the custom resource definition refuses in a spec that the models read: it is the stricter one."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from scheduledjob_operator.crd import structural_schema
from scheduledjob_operator.models import ScheduledJobSpec

Body = dict[str, Any]

_PATTERN = re.compile(r"self\.matches\('(.*)'\)")
_TYPES = {"object": (dict, "an object"), "array": (list, "a list")}


def refusals(spec: Body) -> Iterator[str]:
    """A part of a sentence for each: the form of texts, sizes and shapes, and what a list may have once."""
    yield from _refused(spec, schema=_schema(), path="spec")


@cache
def _schema() -> Body:
    return structural_schema(ScheduledJobSpec)


def _refused(value: Any, *, schema: Body, path: str) -> Iterator[str]:
    if value is None:
        return  # the API server takes it for nothing
    kind, said = _TYPES.get(schema.get("type", ""), (object, ""))
    if not isinstance(value, kind):
        yield f"{path}: must be {said}"
        return
    for rule in schema.get("x-kubernetes-validations", ()):
        pattern = _PATTERN.fullmatch(rule["rule"])
        if pattern and not _matches(value, pattern=pattern[1]):
            yield f"{path}: {rule['message']}"
    if isinstance(value, dict):
        for name, child in schema.get("properties", {}).items():
            yield from _refused(value.get(name), schema=child, path=f"{path}.{name}")
    if isinstance(value, list):
        yield from _in_list(value, schema=schema, path=path)


def _in_list(items: list[Any], *, schema: Body, path: str) -> Iterator[str]:
    most = schema.get("maxItems", len(items))
    if len(items) > most:
        yield f"{path}: may have at most {most} items"
    for number, item in enumerate(items):
        yield from _refused(item, schema=schema["items"], path=f"{path}.{number}")
    kind = schema.get("x-kubernetes-list-type")
    keys = schema.get("x-kubernetes-list-map-keys", ())
    if kind in {"map", "set"}:
        once: list[Any] = []
        for item in items:
            identity = [item.get(key) for key in keys] if kind == "map" else [item]
            if identity in once:
                yield f"{path}: has {identity[0]} more than once"
            once.append(identity)


def _matches(text: Any, *, pattern: str) -> bool:
    """As CEL does it, whose literals have two backslashes for one."""
    expression = pattern.replace("\\\\", "\\")
    return isinstance(text, str) and re.fullmatch(expression, text, re.ASCII) is not None
