"""The script behind `helm test`, against an API of dicts: a cluster with, without, or with a bad operator."""

import importlib.util
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from tests.chart.rendering import CHART, only, render

Resource = dict[str, Any]
ALL = "scheduledjob.dev/v1alpha1/namespaces/team-a/scheduledjobs"
ONE = f"{ALL}/probe"
CRONJOB = "batch/v1/namespaces/team-a/cronjobs/probe"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("helm_test", CHART / "files" / "helm-test.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = load()


class Cluster:
    """Keeps objects by path. `operator` is what happens after a ScheduledJob was created."""

    def __init__(self, operator: Callable[["Cluster"], None] = lambda _: None) -> None:
        self.objects: dict[str, Resource] = {}
        self.created: list[Resource] = []
        self.failures: list[Exception] = []
        self._operator = operator

    def get(self, path: str) -> Resource | None:
        self._fail()
        return self.objects.get(path)

    def create(self, path: str, body: Resource) -> None:
        self._fail()
        self.created.append(body)
        body = {**body, "metadata": {**body["metadata"], "generation": 1}}
        self.objects[f"{path}/{body['metadata']['name']}"] = body
        self._operator(self)

    def delete(self, path: str) -> None:
        self._fail()
        if self.objects.pop(path, None):
            self.objects.pop(CRONJOB, None)

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop()


def ready(cluster: Cluster, *, status: str = "True", generation: int = 1) -> None:
    condition = {
        "type": "Ready",
        "status": status,
        "message": "as seen",
        "observedGeneration": generation,
    }
    cluster.objects[ONE]["status"] = {"conditions": [condition]}


def works(cluster: Cluster) -> None:
    ready(cluster)
    cluster.objects[CRONJOB] = {"metadata": {"ownerReferences": [{"kind": "ScheduledJob", "name": "probe"}]}}


def run(cluster: Cluster) -> None:
    SCRIPT.run(SCRIPT.Check(cluster, name="probe", namespace="team-a"), seconds=0.05, pause=0.001)


def test_a_working_operator_passes_and_nothing_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = Cluster(works)
    run(cluster)
    assert cluster.objects == {}
    assert [line[:3] for line in capsys.readouterr().out.splitlines()] == ["ok:"] * 5


def test_the_scheduled_job_never_fires_and_knows_only_fields_of_the_crd() -> None:
    cluster = Cluster(works)
    run(cluster)
    (body,) = cluster.created
    crd = only(render(), "CustomResourceDefinition")
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert body["spec"]["enabled"] is False
    assert set(body["spec"]) <= set(spec["properties"])


def no_operator(_cluster: Cluster) -> None:
    return


def refuses(cluster: Cluster) -> None:
    ready(cluster, status="False")


def is_stale(cluster: Cluster) -> None:
    ready(cluster, generation=0)


def writes_no_cronjob(cluster: Cluster) -> None:
    ready(cluster)


def leaves_a_foreign_cronjob(cluster: Cluster) -> None:
    ready(cluster)
    cluster.objects[CRONJOB] = {"metadata": {}}


@pytest.mark.parametrize(
    ("operator", "told"),
    [
        (no_operator, "the operator has accepted it: not after .* does the operator run"),
        (refuses, 'the operator has accepted it: not after .*"message": "as seen"'),
        (is_stale, "the operator has accepted it: not after .* no Ready condition"),
        (writes_no_cronjob, "its CronJob is there: not after .* no CronJob probe that the ScheduledJob owns"),
        (leaves_a_foreign_cronjob, "its CronJob is there: not after"),
    ],
)
def test_a_failure_says_which_step_and_what_was_seen(operator: Callable[[Cluster], None], told: str) -> None:
    cluster = Cluster(operator)
    with pytest.raises(SCRIPT.CheckError, match=told):
        run(cluster)
    assert ONE not in cluster.objects


def test_what_an_ended_test_left_is_removed_first() -> None:
    cluster = Cluster(works)
    cluster.objects[ONE] = SCRIPT.manifest("probe", "team-a")
    run(cluster)
    assert len(cluster.created) == 1


def test_a_scheduled_job_of_somebody_else_is_not_touched() -> None:
    cluster = Cluster(works)
    theirs = {"metadata": {"name": "probe", "labels": {"app": "theirs"}}}
    cluster.objects[ONE] = theirs
    with pytest.raises(SCRIPT.CheckError, match="is not a helm test's"):
        run(cluster)
    assert cluster.objects == {ONE: theirs}


def test_calls_that_fail_for_a_moment_are_repeated() -> None:
    cluster = Cluster(works)
    cluster.failures = [SCRIPT.UnavailableError("503"), SCRIPT.UnavailableError("not yet allowed")]
    run(cluster)
    assert cluster.failures == []


def test_a_call_that_is_refused_is_told_at_once() -> None:
    cluster = Cluster(works)
    cluster.failures = [SCRIPT.CheckError("422 schedule: no")]
    with pytest.raises(SCRIPT.CheckError, match="422"):
        run(cluster)


def test_the_pod_gives_the_script_its_name_and_namespace() -> None:
    container = only(render({"watchNamespaces": ["team-a"]}), "Pod")["spec"]["containers"][0]
    assert container["env"] == [
        {"name": "TEST_NAMESPACE", "value": "team-a"},
        {"name": "TEST_NAME", "value": "scheduledjob-operator-test"},
    ]
    source = (CHART / "files" / "helm-test.py").read_text()
    config_map = only(render(), "ConfigMap")
    assert config_map["data"]["helm-test.py"].strip() == source.strip()
    assert container["command"] == ["python", "/test/helm-test.py"]
