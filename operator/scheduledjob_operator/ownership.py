"""Who owns which field: reading and mending `metadata.managedFields`. Pure.

Server-side apply keeps for every field the name of its writer. When somebody else has written into the
spec of a CronJob of ours, force-applying it takes our own fields back but leaves what they added; so we
first take over all of their entries in the spec, and the next apply removes what we do not want.
"""

import json
from typing import Any

from scheduledjob_operator import names

Entry = dict[str, Any]


def foreign_spec_managers(managed_fields: list[Entry]) -> tuple[str, ...]:
    """Names of the managers, other than our apply, that own a field below `spec`, sorted."""
    return tuple(
        sorted(
            {
                entry.get("manager", "")
                for entry in managed_fields
                if not _is_ours(entry) and "f:spec" in (entry.get("fieldsV1") or {})
            }
        )
    )


def owned_spec_fields(managed_fields: list[Entry]) -> int:
    """A number that stands for the fields below `spec` that are ours; it differs when one was removed."""
    ours = next((entry for entry in managed_fields if _is_ours(entry)), {})
    return hash(json.dumps((ours.get("fieldsV1") or {}).get("f:spec"), sort_keys=True))


def reclaimed(managed_fields: list[Entry]) -> list[Entry]:
    """The same entries with everything below `spec` moved to our apply.

    Source: the idea of client-go's `csaupgrade`, which moves client-side apply's fields to
    server-side apply the same way.
    """
    if not managed_fields:
        return []  # somebody has cleared them
    ours = next((entry for entry in managed_fields if _is_ours(entry)), None)
    spec: dict[str, Any] = {}
    others: list[Entry] = []
    for entry in managed_fields:
        fields = dict(entry.get("fieldsV1") or {})
        if "f:spec" in fields and not entry.get("subresource"):
            spec = _union(spec, fields.pop("f:spec"))
        if not _is_ours(entry) and fields:
            others.append({**entry, "fieldsV1": fields})
    kept = {key: value for key, value in ((ours or {}).get("fieldsV1") or {}).items() if key != "f:spec"}
    mine = {
        **(ours or {"apiVersion": "batch/v1", "fieldsType": "FieldsV1", "time": managed_fields[0]["time"]}),
        "manager": names.FIELD_MANAGER,
        "operation": "Apply",
        "fieldsV1": {**kept, "f:spec": spec},
    }
    return [mine, *others]


def _is_ours(entry: Entry) -> bool:
    return (
        entry.get("manager") == names.FIELD_MANAGER
        and entry.get("operation") == "Apply"
        and not entry.get("subresource")
    )


def _union(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    merged = dict(one)
    for key, value in other.items():
        merged[key] = _union(merged[key], value) if key in merged else value
    return merged
