"""Server-side apply in small: which manager owns which field, and what an apply or an update does to that.

An object is taken apart into leaves by path. A list of named things goes by name, any other list is one leaf.
"""

import json
from typing import Any

from tests.unit.copying import copied
from tests.unit.moments import NOON, text

Body = dict[str, Any]
Path = tuple[str, ...]
"""Steps as fieldsV1 writes them: `f:spec`, `k:{"name":"job"}`."""

NAMED = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "ownerReferences": "uid",
}
UNMANAGED = {"apiVersion", "kind", "status"}
UNMANAGED_METADATA = {
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "deletionTimestamp",
}


class ConflictError(Exception):
    """Somebody else owns a field that an apply would change."""


def leaves(body: Body) -> dict[Path, Any]:
    """All managed leaves of an object."""
    found: dict[Path, Any] = {}
    for key, value in body.items():
        if key not in UNMANAGED:
            _take_apart(value, key=key, path=(f"f:{key}",), found=found)
    for key in UNMANAGED_METADATA:
        found = {path: leaf for path, leaf in found.items() if path[:2] != ("f:metadata", f"f:{key}")}
    return found


def _take_apart(value: Any, *, key: str, path: Path, found: dict[Path, Any]) -> None:
    if isinstance(value, dict) and value:
        for name, child in value.items():
            _take_apart(child, key=name, path=(*path, f"f:{name}"), found=found)
    elif isinstance(value, list) and value and key in NAMED:
        for item in value:
            step = "k:" + json.dumps({NAMED[key]: item[NAMED[key]]}, separators=(",", ":"))
            for name, child in item.items():
                _take_apart(child, key=name, path=(*path, step, f"f:{name}"), found=found)
    elif value is not None:
        found[path] = value


def put_together(found: dict[Path, Any]) -> Body:
    """The reverse of `leaves`."""
    body: Body = {}
    for path, leaf in found.items():
        place: Any = body
        for step, following in zip(path, (*path[1:], None), strict=True):
            place = _step_into(place, step=step, following=following, leaf=leaf)
    return body


def _step_into(place: Any, *, step: str, following: str | None, leaf: Any) -> Any:
    if step.startswith("k:"):
        key = json.loads(step[2:])
        for item in place:
            if key.items() <= item.items():
                return item
        place.append(dict(key))
        return place[-1]
    name = step[2:]
    if following is None:
        place[name] = copied(leaf)
        return None
    return place.setdefault(name, [] if following.startswith("k:") else {})


def fields_v1(paths: set[Path]) -> Body:
    """The paths in the form of a managedFields entry."""
    result: Body = {}
    for path in sorted(paths):
        place = result
        for step in path:
            place = place.setdefault(step, {".": {}} if step.startswith("k:") else {})
    return result


def paths_of(fields: Body, *, prefix: Path = ()) -> set[Path]:
    """The reverse of `fields_v1`."""
    found: set[Path] = set()
    for step, inner in fields.items():
        if step == ".":
            continue
        path = (*prefix, step)
        found |= paths_of(inner, prefix=path) or {path}
    return found


def entry(manager: str, paths: set[Path], *, operation: str, subresource: str = "") -> Body:
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": "batch/v1",
        "time": text(NOON),
        "fieldsType": "FieldsV1",
        "fieldsV1": fields_v1(paths),
        **({"subresource": subresource} if subresource else {}),
    }


def apply(live: Body | None, body: Body, *, manager: str, force: bool) -> Body:
    """Server-side apply of `body`: the managed part of the object after it, with its managedFields."""
    before = leaves(live or {})
    wanted = leaves(body)
    entries = list((live or {}).get("metadata", {}).get("managedFields", []))
    if before and not entries:  # nobody knows whose they are
        entries = [entry("before-first-apply", set(before), operation="Update")]
    mine = [item for item in entries if (item["manager"], item["operation"]) == (manager, "Apply")]
    others = [item for item in entries if item not in mine]
    changing = {path for path, leaf in wanted.items() if path in before and before[path] != leaf}
    if not force and any(paths_of(item["fieldsV1"]) & changing for item in others):
        raise ConflictError
    theirs = set().union(*(paths_of(item["fieldsV1"]) for item in others))
    owned = set().union(*(paths_of(item["fieldsV1"]) for item in mine))
    given_up = owned - wanted.keys() - theirs
    after = {path: leaf for path, leaf in before.items() if path not in given_up}
    after.update(wanted)
    kept = _without(others, paths=changing)
    return _result(after, entries=[entry(manager, set(wanted), operation="Apply"), *kept])


def update(live: Body, changed: Body, *, manager: str) -> Body:
    """The managed part after an edit: its author owns what is changed or added; what is gone is nobody's."""
    before, after = leaves(live), leaves(changed)
    written = {path for path, leaf in after.items() if before.get(path) != leaf}
    lost = before.keys() - after.keys()
    entries = _without(live["metadata"].get("managedFields", []), paths=written | lost)
    own = [item for item in entries if (item["manager"], item["operation"]) == (manager, "Update")]
    paths = written.union(*(paths_of(item["fieldsV1"]) for item in own if not item.get("subresource")))
    others = [item for item in entries if item not in own or item.get("subresource")]
    return _result(after, entries=[*others, *([entry(manager, paths, operation="Update")] if paths else [])])


def _without(entries: list[Body], *, paths: set[Path]) -> list[Body]:
    kept = [{**item, "fieldsV1": fields_v1(paths_of(item["fieldsV1"]) - paths)} for item in entries]
    return [item for item in kept if item["fieldsV1"]]


def _result(found: dict[Path, Any], *, entries: list[Body]) -> Body:
    body = put_together(found)
    body.setdefault("metadata", {})["managedFields"] = entries
    return body
