"""The CustomResourceDefinition, the PriorityClasses and the admission policy."""

import yaml

from scheduledjob_operator.names import (
    ANNOTATION_NOT_AFTER,
    GROUP,
    KIND,
    LABEL_MANAGED_BY,
    LATE_WRITE,
    MANAGED_BY,
    PLURAL,
)
from tests.chart.cases import CASES
from tests.chart.rendering import CHART, REPOSITORY, of_kind, only, render

KEEP = {"helm.sh/resource-policy": "keep"}
GENERATED = REPOSITORY / "crds" / "scheduledjobs.yaml"
GOLDEN = REPOSITORY / "tests" / "data" / "output" / "chart" / "admission-policy.yaml"
POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"


def test_the_charts_crd_is_the_generated_one_byte_for_byte() -> None:
    stale = "the chart's copy of the CRD is stale: run `make crds`"
    assert (CHART / "files" / "scheduledjobs.yaml").read_bytes() == GENERATED.read_bytes(), stale


def test_the_installed_crd_is_the_generated_one_with_labels() -> None:
    crd = only(render(), "CustomResourceDefinition")
    generated = yaml.safe_load(GENERATED.read_text())
    assert crd["metadata"].pop("labels")["app.kubernetes.io/managed-by"] == "Helm"
    assert crd["metadata"].pop("annotations") == KEEP
    assert crd == generated
    assert crd["metadata"]["name"] == f"{PLURAL}.{GROUP}"
    assert crd["spec"]["names"]["kind"] == KIND


def test_the_crd_stays_unless_it_may_go() -> None:
    crd = only(render(CASES["CRD goes with the release"]), "CustomResourceDefinition")
    assert "annotations" not in crd["metadata"]
    assert of_kind(render(CASES["no CRD"]), "CustomResourceDefinition") == []


def test_the_priority_classes_are_four_and_stay_with_the_crd() -> None:
    classes = of_kind(render(), "PriorityClass")
    assert {found["metadata"]["name"]: (found["value"], found["preemptionPolicy"]) for found in classes} == {
        "scheduledjob-critical": (100000, "PreemptLowerPriority"),
        "scheduledjob-high": (10000, "PreemptLowerPriority"),
        "scheduledjob-normal": (0, "PreemptLowerPriority"),
        "scheduledjob-low": (-1000, "Never"),
    }
    assert not any(found["globalDefault"] for found in classes)
    assert all(found["metadata"]["annotations"] == KEEP for found in classes)


def test_the_priority_classes_can_go_be_renamed_or_be_left_out() -> None:
    going = of_kind(render(CASES["CRD goes with the release"]), "PriorityClass")
    assert len(going) == 4
    assert not any("annotations" in found["metadata"] for found in going)
    renamed = of_kind(render(CASES["priority classes of another prefix"]), "PriorityClass")
    assert {found["metadata"]["name"] for found in renamed} == {
        "batch-critical",
        "batch-high",
        "batch-normal",
        "batch-low",
    }
    assert of_kind(render(CASES["no priority classes"]), "PriorityClass") == []


def test_every_priority_of_the_crd_has_its_class() -> None:
    crd = only(render(), "CustomResourceDefinition")
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    classes = {found["metadata"]["name"] for found in of_kind(render(), "PriorityClass")}
    assert {f"scheduledjob-{name}" for name in spec["properties"]["priority"]["enum"]} == classes


def test_the_admission_policy_is_exactly_that_of_the_golden_file() -> None:
    resources = render()
    found = [
        {
            "kind": kind,
            "name": only(resources, kind)["metadata"]["name"],
            "spec": only(resources, kind)["spec"],
        }
        for kind in (POLICY, BINDING)
    ]
    assert found == list(yaml.safe_load_all(GOLDEN.read_text()))


def test_the_admission_policy_looks_for_what_the_operator_writes_and_says_what_it_knows() -> None:
    spec = only(render(), POLICY)["spec"]
    assert spec["matchConstraints"]["objectSelector"] == {"matchLabels": {LABEL_MANAGED_BY: MANAGED_BY}}
    (condition,), (validation,) = spec["matchConditions"], spec["validations"]
    for expression in (condition["expression"], validation["expression"], validation["messageExpression"]):
        assert f"'{ANNOTATION_NOT_AFTER}'" in expression
    assert LATE_WRITE in validation["messageExpression"]


def test_the_admission_policy_has_the_releases_name_and_can_be_left_out() -> None:
    for case in ("default", "everything on", "long names"):
        resources = render(CASES[case])
        name = only(resources, "Deployment")["metadata"]["name"] + "-late-writes"
        assert only(resources, POLICY)["metadata"]["name"] == name
        assert only(resources, BINDING)["metadata"]["name"] == name
        assert only(resources, BINDING)["spec"]["policyName"] == name
    without = render(CASES["no admission policy"])
    assert of_kind(without, POLICY) + of_kind(without, BINDING) == []
