"""From the models to the custom resource definition: `python -m scheduledjob_operator.crd PATH...`.

pydantic's JSON schema becomes a structural OpenAPI schema as the API server wants it: no `$ref`, no
`title`, no `null`, `const` as `enum`; what starts with `x-kubernetes-` passes through.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from scheduledjob_operator import names
from scheduledjob_operator.models import ScheduledJobSpec, ScheduledJobStatus
from scheduledjob_operator.models.spec import SPEC_RULES

_DROPPED = {"title", "const", "$defs"}


def structural_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The model's schema in the form a CustomResourceDefinition takes."""
    schema = model.model_json_schema(by_alias=True)
    result = _structural(schema, definitions=schema.get("$defs", {}))
    assert isinstance(result, dict)
    return result


def _structural(node: Any, *, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_structural(item, definitions=definitions) for item in node]
    if not isinstance(node, dict):
        return node
    node = _without_references(node, definitions=definitions)
    if "const" in node:
        node["enum"] = [node["const"]]
    if node.get("default", ...) in (None, []):  # says nothing, and would stand in everybody's manifest
        del node["default"]
    result: dict[str, Any] = {}
    for key, value in node.items():
        if key in _DROPPED:
            continue
        if key == "properties":
            result[key] = {name: _structural(child, definitions=definitions) for name, child in value.items()}
        elif key in _AS_THEY_ARE:
            result[key] = _AS_THEY_ARE[key](value)
        else:
            result[key] = _structural(value, definitions=definitions)
    return result


def _said(default: Any) -> Any:
    """A default less the fields that are not set by default: a definition has no null."""
    if isinstance(default, dict):
        return {key: _said(value) for key, value in default.items() if value is not None}
    return default


_AS_THEY_ARE: dict[str, Callable[[Any], Any]] = {
    "default": _said,
    "enum": list,
    "required": list,
    "description": lambda text: " ".join(text.split()),
}
"""What is no schema in itself, and what becomes of it."""


def _without_references(node: dict[str, Any], *, definitions: dict[str, Any]) -> dict[str, Any]:
    """Inline `$ref`, and `anyOf: [X, null]` as X. What stands beside them, such as a description, wins."""
    node = dict(node)
    while True:
        if "$ref" in node:
            target = definitions[node.pop("$ref").removeprefix("#/$defs/")]
        elif node.get("anyOf") and {"type": "null"} in node["anyOf"]:
            (target,) = [option for option in node.pop("anyOf") if option != {"type": "null"}]
        else:
            return node
        node = {**target, **node}


def _without_defaults(node: Any) -> Any:
    """The schema with no default in it: what the operator did not write is not in the status."""
    if isinstance(node, list):
        return [_without_defaults(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: _without_defaults(value) for key, value in node.items() if key != "default"}


def custom_resource_definition() -> dict[str, Any]:
    """The whole CustomResourceDefinition as the API server takes it."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names.PLURAL}.{names.GROUP}"},
        "spec": {
            "group": names.GROUP,
            "names": {
                "kind": names.KIND,
                "listKind": f"{names.KIND}List",
                "plural": names.PLURAL,
                "singular": names.SINGULAR,
                "shortNames": list(names.SHORT_NAMES),
                "categories": list(names.CATEGORIES),
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": names.VERSION,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": _root_schema()},
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": _printer_columns(),
                    "selectableFields": [{"jsonPath": ".spec.enabled"}, {"jsonPath": ".spec.handler"}],
                }
            ],
        },
    }


def _root_schema() -> dict[str, Any]:
    spec = structural_schema(ScheduledJobSpec)
    spec["x-kubernetes-validations"] = SPEC_RULES
    status = _without_defaults(structural_schema(ScheduledJobStatus))
    # kstatus (helm --wait, Flux) takes an empty status for Ready; this default makes it wait.
    status["default"] = {"observedGeneration": -1}
    return {
        "type": "object",
        "description": (
            "A ScheduledJob runs a handler of the job runner image, or a command, on a schedule, "
            "and reports what happened."
        ),
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": status,
        },
        "x-kubernetes-validations": [
            {
                "rule": f"size(self.metadata.name) <= {names.MAX_NAME_LENGTH}",
                "message": (
                    f"the name of a ScheduledJob has at most {names.MAX_NAME_LENGTH} characters, "
                    "because its CronJob has the same name: choose a shorter one"
                ),
            }
        ],
    }


def _printer_columns() -> list[dict[str, Any]]:
    def column(name: str, path: str, kind: str = "string", priority: int = 0) -> dict[str, Any]:
        result: dict[str, Any] = {"name": name, "type": kind, "jsonPath": path}
        return {**result, "priority": priority} if priority else result

    ready = '.status.conditions[?(@.type=="Ready")]'
    return [
        column("Schedule", ".status.resolvedSchedule"),
        column("Enabled", ".spec.enabled", "boolean"),
        column("Suspended", ".status.suspended"),
        column("Active", ".status.activeCount", "integer"),
        column("Last Result", ".status.lastRun.result"),
        column("Last Run", ".status.lastRun.endTime", "date"),
        # A date column prints <invalid> for a time in the future.
        column("Next Run", ".status.nextRunTimes[0]"),
        column("Age", ".metadata.creationTimestamp", "date"),
        column("Timezone", ".spec.timeZone", priority=1),
        column("Handler", ".spec.handler", priority=1),
        column("Failures", ".status.consecutiveFailures", "integer", 1),
        column("Duration", ".status.lastRun.durationSeconds", "number", 1),
        column("Ready", f"{ready}.status", priority=1),
        column("Message", f"{ready}.message", priority=1),
    ]


def render() -> str:
    """The definition as YAML text, ending in a newline."""
    note = "# Generated from the models by `make crds`. Do not edit.\n"
    return note + yaml.dump(
        custom_resource_definition(), sort_keys=False, width=110, allow_unicode=True, Dumper=_PlainDumper
    )


class _PlainDumper(yaml.SafeDumper):
    """Writes a repeated value out in full: anchors do not belong into a manifest."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # the signature is PyYAML's
        return True


def main() -> None:
    """Write the definition to each path given."""
    for path in sys.argv[1:]:
        Path(path).write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
