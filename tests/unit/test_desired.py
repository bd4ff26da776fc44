"""The CronJob that is made for a ScheduledJob: golden files, and what holds for every spec.

The golden files are tests/data/input/*.yaml (ScheduledJobs) and tests/data/output/*.yaml (their CronJobs).
After a meant change: `python -m pytest tests/unit/test_desired.py --update-golden`; then read the diff.
"""

import json
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from hypothesis import given

from scheduledjob_operator.desired import cron_job, spec_hash
from scheduledjob_operator.pod_template import Parent, RunnerDefaults
from scheduledjob_operator.store import ScheduledJobSeen
from scheduledjob_operator.wanted import Wanted, parse
from tests.unit.cron_jobs import DEFAULTS, PARENT, container_of, desired, env_of, minimal, pod_of
from tests.unit.moments import NOON
from tests.unit.strategies import specs

DATA = Path(__file__).resolve().parents[1] / "data"
INPUTS = sorted((DATA / "input").glob("*.yaml"))
KUBERNETES = "1.35"

Body = dict[str, Any]

# Golden files


def test_there_are_golden_files_and_none_too_many() -> None:
    assert len(INPUTS) >= 7, "and each shows something that the others do not"
    assert {path.name for path in INPUTS} == {path.name for path in (DATA / "output").glob("*.yaml")}


@pytest.mark.parametrize("path", INPUTS, ids=[path.stem for path in INPUTS])
def test_the_cron_job_is_that_of_the_golden_file(path: Path, request: pytest.FixtureRequest) -> None:
    seen = ScheduledJobSeen.from_body(yaml.safe_load(path.read_text(encoding="utf-8")))
    wanted = parse(seen, now=NOON)
    assert isinstance(wanted, Wanted)
    parent = Parent(namespace=seen.key.namespace, name=seen.key.name, uid=seen.uid)
    body = cron_job(parent=parent, spec=wanted.spec, schedule=wanted.schedule, defaults=DEFAULTS)
    output = DATA / "output" / path.name
    if request.config.getoption("--update-golden"):
        text = yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=110)
        output.write_text(text, encoding="utf-8")
    assert body == yaml.safe_load(output.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", INPUTS, ids=[path.stem for path in INPUTS])
def test_kubernetes_own_schema_takes_the_golden_file(path: Path) -> None:
    body = yaml.safe_load((DATA / "output" / path.name).read_text(encoding="utf-8"))
    assert kubernetes_validate.validate(body, KUBERNETES, strict=True) == KUBERNETES


# What holds for every spec


@given(specs)
def test_the_same_spec_gives_the_same_cron_job(spec: Body) -> None:
    assert desired(spec) == desired(json.loads(json.dumps(spec)))


@given(specs, specs)
def test_the_hash_differs_exactly_when_the_cron_job_does(one: Body, other: Body) -> None:
    first, second = desired(one), desired(other)
    hashes = [body["metadata"].pop("annotations")["scheduledjob.dev/spec-hash"] for body in (first, second)]
    assert (hashes[0] == hashes[1]) == (first == second)


@given(specs)
def test_the_order_of_keys_does_not_change_the_hash(spec: Body) -> None:
    assert desired(spec) == desired(dict(reversed(spec.items())))
    body = desired(spec)
    assert spec_hash(body) == spec_hash(dict(reversed(body.items())))


@given(specs)
def test_the_cron_job_is_ours_whatever_the_spec_says(spec: Body) -> None:
    body = desired(spec)
    labels = {"app.kubernetes.io/managed-by": "scheduledjob-operator", "scheduledjob.dev/name": "hello"}
    template = body["spec"]["jobTemplate"]
    assert body["metadata"]["labels"] == labels
    assert labels.items() <= template["metadata"]["labels"].items()
    assert labels.items() <= template["spec"]["template"]["metadata"]["labels"].items()
    (owner,) = body["metadata"]["ownerReferences"]
    assert (owner["uid"], owner["controller"]) == (PARENT.uid, True)
    assert {"status", "finalizers"}.isdisjoint({*body, *body["metadata"]})


@given(specs)
def test_every_attempt_has_an_end(spec: Body) -> None:
    body = desired(spec)
    job, pod = body["spec"]["jobTemplate"]["spec"], pod_of(body)
    assert pod["restartPolicy"] == "Never"
    attempts = job["backoffLimit"] + 1
    longest = pod["activeDeadlineSeconds"] + pod["terminationGracePeriodSeconds"]
    assert job["activeDeadlineSeconds"] > attempts * longest
    assert body["spec"]["successfulJobsHistoryLimit"] >= 1, (
        "else Kubernetes collects a run before it is counted"
    )


@given(specs)
def test_there_is_no_token_unless_a_service_account_is_named(spec: Body) -> None:
    pod = pod_of(desired(spec))
    assert pod["automountServiceAccountToken"] is ("serviceAccountName" in spec)
    assert pod.get("serviceAccountName") == spec.get("serviceAccountName")


@given(specs)
def test_the_pod_is_restricted(spec: Body) -> None:
    body = desired(spec)
    pod, container = pod_of(body), container_of(body)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"].get("readOnlyRootFilesystem", False) is ("image" not in spec)
    assert "tmp" in [volume["name"] for volume in pod["volumes"]]


@given(specs)
def test_names_are_unique_in_every_list_of_named_things(spec: Body) -> None:
    pod = pod_of(desired(spec))
    lists = [pod["containers"], pod["volumes"], *(entry.get("env", []) for entry in pod["containers"])]
    for named in lists:
        found = [entry["name"] for entry in named]
        assert len(found) == len(set(found))


# Single fields


@pytest.mark.parametrize(
    ("spec", "path", "value"),
    [
        ({"enabled": False}, "suspend", True),
        ({"enabled": True}, "suspend", False),
        ({"schedule": "@weekly"}, "schedule", "@weekly"),
        ({"timeZone": "Asia/Tokyo"}, "timeZone", "Asia/Tokyo"),
        ({"startingDeadline": "1h"}, "startingDeadlineSeconds", 3600),
        ({"concurrencyPolicy": "Replace"}, "concurrencyPolicy", "Replace"),
        ({"history": {"failedJobs": 9}}, "failedJobsHistoryLimit", 9),
        ({"history": {"succeededJobs": 9}}, "successfulJobsHistoryLimit", 9),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_field_reaches_the_cron_job(spec: Body, path: str, value: Any) -> None:
    assert minimal(**spec)["spec"][path] == value


def test_a_handler_may_report_before_its_pod_is_ended_and_a_command_may_not_take_longer() -> None:
    assert pod_of(minimal(timeout="5m"))["activeDeadlineSeconds"] == 305
    assert env_of(minimal(timeout="5m"))["SCHEDULEDJOB_TIMEOUT_SECONDS"]["value"] == "300"
    command = desired({"schedule": "@daily", "command": ["true"], "timeout": "5m"})
    assert pod_of(command)["activeDeadlineSeconds"] == 300


def test_disruptions_use_up_no_retry_and_hopeless_exit_codes_end_the_run() -> None:
    rules = minimal()["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
    assert rules[0]["action"] == "Ignore"
    assert rules[0]["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
    assert rules[1]["action"] == "FailJob"
    assert rules[1]["onExitCodes"] == {"containerName": "job", "operator": "In", "values": [64, 65, 78]}


@pytest.mark.parametrize("codes", [[], [2]], ids=["none", "one"])
def test_the_list_of_hopeless_exit_codes_may_be_empty(codes: list[int]) -> None:
    rules = minimal(retry={"neverOnExitCodes": codes})["spec"]["jobTemplate"]["spec"]["podFailurePolicy"][
        "rules"
    ]
    assert len(rules) == 1 + len(codes)


def test_the_installation_names_image_pull_policy_pull_secrets_and_priority_prefix() -> None:
    defaults = RunnerDefaults(
        image="own:1", image_pull_policy="Always", image_pull_secrets=("a", "b"), priority_class_prefix="p-"
    )
    body = desired({"schedule": "@daily", "handler": "hello", "priority": "critical"}, defaults=defaults)
    assert container_of(body)["image"] == "own:1"
    assert container_of(body)["imagePullPolicy"] == "Always"
    assert pod_of(body)["imagePullSecrets"] == [{"name": "a"}, {"name": "b"}]
    assert pod_of(body)["priorityClassName"] == "p-critical"


def test_the_context_of_a_run_reaches_it_through_the_downward_api() -> None:
    paths = {
        name.removeprefix("SCHEDULEDJOB_"): variable["valueFrom"]["fieldRef"]["fieldPath"]
        for name, variable in env_of(minimal(retry={"limit": 1})).items()
        if "valueFrom" in variable
    }
    assert paths == {
        "NAMESPACE": "metadata.namespace",
        "POD_NAME": "metadata.name",
        "JOB_NAME": "metadata.labels['batch.kubernetes.io/job-name']",
        "SLOT": "metadata.annotations['scheduledjob.dev/slot']",
        "TRIGGER": "metadata.annotations['scheduledjob.dev/trigger']",
        "ATTEMPT": "metadata.annotations['scheduledjob.dev/attempt']",
        "FAILURES": "metadata.annotations['batch.kubernetes.io/job-index-failure-count']",
    }
