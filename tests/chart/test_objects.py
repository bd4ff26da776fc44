"""What holds for every object of every way to install the chart."""

from collections import Counter
from typing import Any

import kubernetes_validate
import pytest

from tests.chart.cases import CASES
from tests.chart.pod_security import violations
from tests.chart.rendering import NAMESPACE, RELEASE, Resource, Values, is_test_hook, of_kind, render

KUBERNETES = "1.35"
POLICIES = {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
CLUSTER_SCOPED = {
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "PriorityClass",
    *POLICIES,
}
# No schema of them is part of Kubernetes: tests of their own look at them.
FOREIGN = {"CustomResourceDefinition", "ServiceMonitor", "PrometheusRule"}

every_case = pytest.mark.parametrize("values", CASES.values(), ids=CASES.keys())


def identity(resource: Resource) -> tuple[str, str, str]:
    metadata = resource["metadata"]
    return resource["kind"], metadata.get("namespace", ""), metadata["name"]


def pod_of(resource: Resource) -> dict[str, Any]:
    spec: dict[str, Any] = resource["spec"]
    return spec if resource["kind"] == "Pod" else spec["template"]["spec"]


@every_case
def test_every_object_is_one_that_kubernetes_accepts(values: Values) -> None:
    for resource in render(values):
        if resource["kind"] not in FOREIGN:
            kubernetes_validate.validate(resource, KUBERNETES, strict=True)


@every_case
def test_no_two_objects_are_the_same_one(values: Values) -> None:
    seen = Counter(identity(resource) for resource in render(values))
    assert [one for one, times in seen.items() if times > 1] == []


@every_case
def test_every_namespaced_object_says_its_namespace_and_no_other_does(values: Values) -> None:
    for resource in render(values):
        has_one = "namespace" in resource["metadata"]
        assert has_one is (resource["kind"] not in CLUSTER_SCOPED), identity(resource)


@every_case
def test_names_fit_into_a_dns_label(values: Values) -> None:
    for resource in render(values, release="a-release-name-that-is-as-long-as-helm-lets-it-become"):
        if resource["kind"] != "CustomResourceDefinition":
            name = resource["metadata"]["name"]
            assert len(name) <= 63, name
            assert not name.endswith("-"), name


@every_case
def test_every_object_has_the_recommended_labels(values: Values) -> None:
    for resource in render(values):
        labels = resource["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == values.get("nameOverride", "scheduledjob-operator")
        assert labels["app.kubernetes.io/instance"] == RELEASE
        assert labels["app.kubernetes.io/version"] == "0.1.0"
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert labels["helm.sh/chart"] == "scheduledjob-operator-0.1.0"


@every_case
def test_no_object_looks_like_one_that_the_operator_made(values: Values) -> None:
    # The admission policy is about such objects, and is none.
    made = [found if found["kind"] not in POLICIES else found["metadata"] for found in render(values)]
    assert "managed-by: scheduledjob-operator" not in str(made).replace("'", "")


@every_case
def test_every_pod_is_admitted_to_a_restricted_namespace(values: Values) -> None:
    pods = [pod_of(resource) for kind in ("Deployment", "Pod") for resource in of_kind(render(values), kind)]
    assert len(pods) == 2
    for pod in pods:
        assert violations(pod) == []
        assert all(found["securityContext"]["readOnlyRootFilesystem"] for found in pod["containers"])


def test_a_pod_that_breaks_the_restricted_standard_is_noticed() -> None:
    pod = {
        "hostNetwork": True,
        "volumes": [{"name": "node", "hostPath": {"path": "/"}}],
        "containers": [{"name": "root", "securityContext": {"runAsUser": 0}}],
    }
    assert len(violations(pod)) == 6


@every_case
def test_nothing_is_in_a_namespace_that_was_not_named(values: Values) -> None:
    named = {NAMESPACE, *values.get("watchNamespaces", [])}
    assert {resource["metadata"].get("namespace", NAMESPACE) for resource in render(values)} <= named


@every_case
def test_what_helm_test_makes_goes_away_with_it(values: Values) -> None:
    hooks = [resource for resource in render(values) if is_test_hook(resource)]
    assert sorted(hook["kind"] for hook in hooks) == [
        "ConfigMap",
        "Pod",
        "Role",
        "RoleBinding",
        "ServiceAccount",
    ]
    for hook in hooks:
        annotations = hook["metadata"]["annotations"]
        assert annotations["helm.sh/hook"] == "test"
        assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"
    order = {hook["kind"]: int(hook["metadata"]["annotations"]["helm.sh/hook-weight"]) for hook in hooks}
    assert order["Role"] < order["RoleBinding"] < order["Pod"]


@every_case
def test_the_service_finds_the_operator_and_not_the_test_pod(values: Values) -> None:
    resources = render(values)
    deployment, pod = of_kind(resources, "Deployment")[0], of_kind(resources, "Pod")[0]
    wanted = deployment["spec"]["selector"]["matchLabels"].items()
    assert wanted <= deployment["spec"]["template"]["metadata"]["labels"].items()
    assert not wanted <= pod["metadata"]["labels"].items()
    for service in of_kind(resources, "Service"):
        assert service["spec"]["selector"].items() == wanted
