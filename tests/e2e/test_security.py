"""What the operator may do, and what it never says."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scheduledjob_operator import names
from tests.cluster.access import Cluster
from tests.cluster.release import NAMESPACE, RELEASE, Operator
from tests.e2e.scheduled_job import ScheduledJob, as_text
from tests.waiting import wait_until

GOLDEN = Path(__file__).parent.parent / "data" / "output" / "can-i-list.txt"
CANARY = "canary-3f9c51d07e"
ALREADY_OVER = "2026-01-01T00:00:00Z"


def test_the_operators_rights_equal_the_golden_file(cluster: Cluster, operator: Operator) -> None:
    account = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}", "system:authenticated"]
    as_groups = [f"--as-group={group}" for group in groups]
    listed = cluster.kubectl("auth", "can-i", "--list", f"--as={account}", *as_groups, "--namespace=default")
    lines = sorted(" ".join(line.split()) for line in listed.stdout.splitlines()[1:] if "[/" not in line)
    assert "\n".join(lines) + "\n" == GOLDEN.read_text()
    assert not any("secrets" in line or "pods/exec" in line for line in lines)


def test_the_operators_own_namespace_can_be_restricted(cluster: Cluster, operator: Operator) -> None:
    label = "pod-security.kubernetes.io/enforce=restricted"
    done = cluster.kubectl("label", "namespace", NAMESPACE, label, "--overwrite", "--dry-run=server")
    assert "would violate" not in done.stderr


@pytest.mark.parametrize("succeeds", [True, False], ids=["a run that succeeds", "a run that fails"])
def test_no_env_value_and_no_argument_is_in_status_events_or_logs(
    succeeds: bool, cluster: Cluster, operator: Operator, namespace: str
) -> None:
    handler = "hello" if succeeds else "sleep"
    args = {"name": f"{CANARY}-argument"} if succeeds else {"seconds": f"{CANARY}-argument"}
    job = ScheduledJob.create(
        cluster,
        namespace,
        "canary",
        handler=handler,
        args=args,
        env=[{"name": "PASSWORD", "value": f"{CANARY}-env"}],
    )
    run = job.wait_run(job.run_now())
    run.pop("value", None)  # the handler's own answer, which is a greeting by name
    assert CANARY not in str(run)
    assert CANARY not in str(cluster.items("events", f"--namespace={namespace}"))
    assert CANARY not in operator.logs()


def test_a_refused_cronjob_does_not_quote_env_values(
    cluster: Cluster, operator: Operator, namespace: str
) -> None:
    job = ScheduledJob(cluster, namespace, "refused")
    job.apply(env=[{"name": "A", "value": CANARY, "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}])
    ready = job.wait_ready(status="False")
    assert ready["reason"] == "ApplyFailed"
    assert CANARY not in str(job.status)


def job_of_the_operator(name: str, *, not_after: str) -> dict[str, Any]:
    """One that makes no pod."""
    metadata = {
        "name": name,
        "labels": {names.LABEL_MANAGED_BY: names.MANAGED_BY},
        "annotations": {names.ANNOTATION_NOT_AFTER: not_after},
    }
    container = {"name": names.CONTAINER, "image": "none"}
    pod = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {"suspend": True, "template": pod},
    }


def create(
    cluster: Cluster, body: dict[str, Any], *, namespace: str, dry_run: bool = False
) -> subprocess.CompletedProcess[str]:
    arguments = ["create", "--filename=-", f"--namespace={namespace}"] + ["--dry-run=server"] * dry_run
    return cluster.kubectl(*arguments, input=json.dumps(body), check=False)


def test_a_job_that_arrives_when_another_replica_may_act_is_refused(
    cluster: Cluster, operator: Operator, namespace: str
) -> None:
    late = job_of_the_operator("late", not_after=ALREADY_OVER)
    # The API server takes a moment to know a policy that was just installed.
    wait_until(
        lambda: create(cluster, late, namespace=namespace, dry_run=True).returncode,
        describe="a late Job is refused",
    )
    said = create(cluster, late, namespace=namespace).stderr
    assert f"this Job had to be made by {ALREADY_OVER}, and it is {datetime.now(UTC):%Y-%m-%dT}" in said
    assert "another replica may act by now" in said
    assert cluster.items("jobs", f"--namespace={namespace}") == []


def test_a_job_that_arrives_in_time_is_made(cluster: Cluster, operator: Operator, namespace: str) -> None:
    in_an_hour = as_text(datetime.now(UTC) + timedelta(hours=1))
    punctual = job_of_the_operator("punctual", not_after=in_an_hour)
    assert create(cluster, punctual, namespace=namespace).returncode == 0
