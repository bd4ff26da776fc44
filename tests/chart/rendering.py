"""Renders the chart with Helm's own engine, inside this process."""

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from helm_python import Chart

REPOSITORY = Path(__file__).resolve().parents[2]
CHART = REPOSITORY / "charts" / "scheduledjob-operator"
NOTES = "NOTES.txt"
RELEASE = "scheduledjob-operator"
NAMESPACE = "scheduledjob-system"

Values = dict[str, Any]
Resource = dict[str, Any]
"""A Kubernetes object as parsed from YAML."""


@cache
def chart() -> Chart:
    return Chart.load(CHART)


def render(values: Values | None = None, *, release: str = RELEASE) -> list[Resource]:
    """All objects of a release, hooks among them."""
    return copy.deepcopy(_rendered(json.dumps(values or {}), release=release))


@cache
def _rendered(values: str, *, release: str) -> list[Resource]:
    """One rendering for all tests of the same values: parsing the CRD is most of the work."""
    texts = chart().render(json.loads(values), name=release, namespace=NAMESPACE)
    manifests = [text for path, text in sorted(texts.items()) if not path.endswith(NOTES)]
    return [found for text in manifests for found in yaml.load_all(text, Loader=yaml.CSafeLoader) if found]


def notes(values: Values | None = None) -> str:
    texts = chart().render(values or {}, name=RELEASE, namespace=NAMESPACE)
    return next(text for path, text in texts.items() if path.endswith(NOTES))


def of_kind(resources: list[Resource], kind: str) -> list[Resource]:
    return [resource for resource in resources if resource["kind"] == kind]


def only(resources: list[Resource], kind: str) -> Resource:
    """The one object of that kind."""
    found = of_kind(resources, kind)
    assert len(found) == 1, f"{len(found)} objects of kind {kind}"
    return found[0]


def is_test_hook(resource: Resource) -> bool:
    return "helm.sh/hook" in resource["metadata"].get("annotations", {})


def installed(resources: list[Resource]) -> list[Resource]:
    """What `helm install` creates: everything but the objects of `helm test`."""
    return [resource for resource in resources if not is_test_hook(resource)]


def deployment(values: Values | None = None) -> Resource:
    return only(render(values), "Deployment")


def container(values: Values | None = None) -> Resource:
    containers: list[Resource] = deployment(values)["spec"]["template"]["spec"]["containers"]
    assert len(containers) == 1
    return containers[0]


def environment(values: Values | None = None) -> dict[str, str]:
    """The operator container's environment, as far as it is given by value."""
    return {entry["name"]: entry["value"] for entry in container(values)["env"] if "value" in entry}
