"""What people read: NOTES, README, Chart.yaml, and the examples in them."""

import base64
import re
from pathlib import Path
from typing import Any

import helm_python
import pytest
import yaml
from helm_python import Chart

from tests.chart.cases import CASES
from tests.chart.rendering import (
    CHART,
    NAMESPACE,
    RELEASE,
    Values,
    chart,
    container,
    environment,
    notes,
    only,
    render,
)
from tests.chart.values_table import described_values, readme_with, table


def spec_schema() -> dict[str, Any]:
    crd = only(render(), "CustomResourceDefinition")
    schema: dict[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return schema


def assert_is_a_scheduled_job(manifest: dict[str, Any]) -> None:
    assert (manifest["apiVersion"], manifest["kind"]) == ("scheduledjob.dev/v1alpha1", "ScheduledJob")
    assert set(manifest["spec"]) <= set(spec_schema()["properties"])


@pytest.mark.parametrize(
    ("values", "namespace"), [({}, "default"), ({"watchNamespaces": ["team-a", "team-b"]}, "team-a")]
)
def test_the_notes_show_the_first_three_commands(values: Values, namespace: str) -> None:
    text = notes(values)
    manifest = yaml.safe_load(re.search(r"<<'YAML'\n(.*?)\n\s+YAML", text, re.DOTALL)[1])  # type: ignore[index]
    assert_is_a_scheduled_job(manifest)
    assert manifest["metadata"] == {"name": "hello", "namespace": namespace}
    assert f"kubectl get sj -n {namespace} -o wide" in text
    assert f"kubectl create job hello-now --from=cronjob/hello -n {namespace}" in text


def test_the_notes_say_what_happens_while_the_operator_is_down_and_where_to_look() -> None:
    text = notes()
    assert "While the operator is down, the native CronJobs keep firing" in text
    assert f"helm test scheduledjob-operator -n {NAMESPACE}" in text
    assert f"kubectl logs -n {NAMESPACE} deployment/scheduledjob-operator" in text


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ("default", "works in all namespaces."),
        ("two namespaces", "works in team-a, team-b only."),
        ("no CRD", "must already be in the cluster"),
        ("no priority classes", "spec.priority needs the PriorityClasses scheduledjob-critical"),
        ("alerts", "metrics.serviceMonitor.enabled is false: the alerts need another scrape of /metrics"),
        ("stopped", "replicaCount is 0: no operator runs until you set it to 1 or more."),
        ("a standby", "One of the 2 pods works, the others are standbys."),
        ("rights given by somebody else", "give the ServiceAccount scheduledjob-operator the rights"),
    ],
)
def test_the_notes_say_what_was_installed_and_what_was_not(case: str, sentence: str) -> None:
    assert sentence in notes(CASES[case])


def test_the_notes_tell_of_replicas_only_when_they_are_not_one() -> None:
    who = f"kubectl get lease scheduledjob-operator -n {NAMESPACE}"
    assert who in notes(CASES["a standby"])
    assert who not in notes()
    assert "replicaCount" not in notes()


def test_the_readme_has_the_table_of_todays_values() -> None:
    stale = "the README's table is stale: run `python -m tests.chart.values_table --write`"
    assert (CHART / "README.md").read_text() == readme_with(table()), stale


def test_every_value_is_described() -> None:
    described = described_values()

    def leaves(tree: dict[str, Any], prefix: str = "") -> list[str]:
        found = []
        for key, value in tree.items():
            path = prefix + key
            inner = isinstance(value, dict) and value and path not in described
            found += leaves(value, f"{path}.") if inner else [path]
        return found

    assert sorted(leaves(chart().values)) == sorted(described)


def test_the_chart_names_the_images_that_it_installs() -> None:
    listed = yaml.safe_load(chart().metadata["annotations"]["artifacthub.io/images"])
    assert [entry["image"] for entry in listed] == [
        container()["image"],
        environment()["SCHEDULEDJOB_OPERATOR_RUNNER_IMAGE"],
    ]


def test_the_chart_lists_its_crd_with_an_example() -> None:
    annotations = chart().metadata["annotations"]
    crd = only(render(), "CustomResourceDefinition")
    (listed,) = yaml.safe_load(annotations["artifacthub.io/crds"])
    assert listed["name"] == crd["metadata"]["name"]
    assert listed["kind"] == crd["spec"]["names"]["kind"]
    assert [listed["version"]] == [version["name"] for version in crd["spec"]["versions"]]
    (example,) = yaml.safe_load(annotations["artifacthub.io/crdsExamples"])
    assert_is_a_scheduled_job(example)


def test_the_icon_in_the_chart_is_the_svg_beside_it() -> None:
    head, _, data = chart().metadata["icon"].partition(",")
    assert head == "data:image/svg+xml;base64"
    assert base64.b64decode(data).decode() == (CHART / "icon.svg").read_text().strip()


def test_a_packaged_chart_renders_as_its_folder_does(tmp_path: Path) -> None:
    archive = helm_python.package(CHART, destination=tmp_path)
    with Chart.load(archive) as packaged:
        assert packaged.render({}, name=RELEASE, namespace=NAMESPACE) == chart().render(
            {}, name=RELEASE, namespace=NAMESPACE
        )
