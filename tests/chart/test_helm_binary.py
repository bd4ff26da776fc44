"""The same chart through the real `helm`: what people run must say what the tests above saw."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.chart.cases import CASES
from tests.chart.rendering import CHART, NAMESPACE, RELEASE, REPOSITORY, Resource, render

CLUSTER_TOOLS = REPOSITORY / ".cluster" / "bin"


@pytest.fixture(scope="module")
def helm() -> str:
    """Path of the helm binary."""
    found = shutil.which("helm", path=f"{CLUSTER_TOOLS}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        pytest.skip("no helm in .cluster/bin or on the PATH: `make cluster-up` brings one")
    return found


def run(*arguments: str | Path) -> str:
    done = subprocess.run(list(map(str, arguments)), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def by_name(resources: list[Resource]) -> dict[str, Resource]:
    return {
        f"{found['kind']}/{found['metadata'].get('namespace')}/{found['metadata']['name']}": found
        for found in resources
    }


def test_helm_lint_has_nothing_to_say(helm: str) -> None:
    said = run(helm, "lint", "--strict", CHART)
    assert "[" not in said, said


@pytest.mark.parametrize("case", ["default", "a standby", "everything on"])
def test_helm_template_makes_the_same_objects(helm: str, case: str, tmp_path: Path) -> None:
    values = tmp_path / "values.json"
    values.write_text(json.dumps(CASES[case]))
    printed = run(helm, "template", RELEASE, CHART, "--namespace", NAMESPACE, "--values", values)
    resources = [found for found in yaml.safe_load_all(printed) if found]
    assert by_name(resources) == by_name(render(CASES[case]))


def test_helm_refuses_a_sixth_operator_before_it_asks_a_cluster(helm: str) -> None:
    done = subprocess.run(
        [helm, "template", RELEASE, CHART, "--set", "replicaCount=6"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert "'/replicaCount': maximum: got 6, want 5" in done.stderr
