"""One object over another, as Kubernetes merges them. Pure."""

from typing import Any

Body = dict[str, Any]

_MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "imagePullSecrets": "name",
    "ports": "containerPort",
}
_WHOLE = {"env", "volumes"}
"""Lists of what is one thing or another: merged, it would be both at once, which the API server refuses."""


def merge(base: Body, overlay: Body) -> Body:
    """`overlay` over `base`, deeply; lists of named things are merged by their name, other lists replaced.

    Source: the merge keys of Kubernetes' own strategic merge patch.
    """
    result = dict(base)
    for key, value in overlay.items():
        present = result.get(key)
        if isinstance(value, dict) and isinstance(present, dict):
            result[key] = merge(present, value)
        elif isinstance(value, list) and isinstance(present, list) and key in _MERGE_KEYS:
            result[key] = merge_named(present, value, key=_MERGE_KEYS[key], whole=key in _WHOLE)
        else:
            result[key] = value
    return result


def merge_named(base: list[Body], overlay: list[Body], *, key: str, whole: bool = False) -> list[Body]:
    """Two lists of objects as one: those of the same name in place of each other, new ones at the end.

    `whole` replaces an item instead of merging into it, as for a variable, which is either a value or a
    reference.
    """
    if not all(isinstance(item, dict) for item in (*base, *overlay)):
        return overlay  # not what it should be: the API server will say so
    result = {str(item.get(key)): item for item in base}
    for item in overlay:
        name = str(item.get(key))
        result[name] = merge(result[name], item) if name in result and not whole else item
    return list(result.values())
