"""Which run goes first when there is no room for all, and how many there may be at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import accumulate
from typing import Any

import pytest

from tests.cluster.access import Cluster
from tests.cluster.release import Operator
from tests.e2e.scheduled_job import EVERY_MINUTE, ScheduledJob, moment
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("operator")

PLACE = "scheduledjob.dev/place"
"""A resource of which a node has one, so that it is full for these runs and for nobody else."""
ONE_PLACE = {"limits": {PLACE: "1"}, "requests": {PLACE: "1"}}
PRIORITIES = ("critical", "high", "normal", "low")


def change_places(cluster: Cluster, node: str, *, operation: str) -> None:
    path = PLACE.replace("/", "~1")
    patch = [{"op": operation, "path": f"/status/{what}/{path}"} for what in ("capacity", "allocatable")]
    patch = [{**step, "value": "1"} for step in patch] if operation == "add" else patch
    cluster.kubectl(
        "patch", "node", node, "--subresource=status", "--type=json", "--patch", json.dumps(patch)
    )


@pytest.fixture
def one_place(cluster: Cluster) -> Iterator[None]:
    """Room for one run at a time in the whole cluster."""
    node = cluster.items("nodes")[0]["metadata"]["name"]
    change_places(cluster, node, operation="add")
    yield
    change_places(cluster, node, operation="remove")


def holder(*, image: str) -> dict[str, Any]:
    """A Pod that takes the place; it is critical, so that nothing pushes it out."""
    container = {
        "name": "holder",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-c", "import time; time.sleep(600)"],
        "resources": ONE_PLACE,
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "holder"},
        "spec": {
            "priorityClassName": "scheduledjob-critical",
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
        },
    }


def on_demand(cluster: Cluster, namespace: str, name: str, **spec: Any) -> ScheduledJob:
    seconds = spec.pop("seconds", 2)
    return ScheduledJob.create(
        cluster,
        namespace,
        name,
        schedule=None,
        handler="sleep",
        args={"seconds": seconds},
        timeout="2m",
        **spec,
    )


def reason_to_wait(job: ScheduledJob, reason: str) -> str:
    """What the status says about a run that waits for that reason."""

    def found() -> list[str]:
        return [run["message"] for run in job.status["active"] if run.get("reason") == reason]

    return wait_until(found, timeout=60, describe=f"a run of {job.name} waits: {reason}")[0]


def test_of_four_that_wait_for_room_the_critical_one_starts_first(
    cluster: Cluster, namespace: str, operator: Operator, one_place: None
) -> None:
    cluster.apply(holder(image=operator.images.runner), namespace=namespace)
    cluster.kubectl(
        "wait", f"--namespace={namespace}", "pod/holder", "--for=condition=Ready", "--timeout=60s"
    )
    jobs = {
        name: on_demand(cluster, namespace, name, priority=name, resources=ONE_PLACE) for name in PRIORITIES
    }
    for name in reversed(PRIORITIES):
        jobs[name].run_now()
        assert PLACE in reason_to_wait(jobs[name], "Unschedulable")
    cluster.kubectl("delete", f"--namespace={namespace}", "pod", "holder")
    runs = [jobs[name].wait_run(timeout=120) for name in PRIORITIES]
    assert {run["result"] for run in runs} == {"Succeeded"}
    starts = [moment(run["startTime"]) for run in runs]
    assert starts == sorted(set(starts)), "critical, high, normal, low, one after the other"
    made = [moment(jobs[name].jobs()[f"{name}-now"]["metadata"]["creationTimestamp"]) for name in PRIORITIES]
    assert made == sorted(made, reverse=True), "they were asked for in the reverse order"


def test_a_critical_run_takes_the_place_of_a_low_one_which_loses_no_retry(
    cluster: Cluster, namespace: str, one_place: None
) -> None:
    low = on_demand(cluster, namespace, "low", priority="low", resources=ONE_PLACE, seconds=8)
    critical = on_demand(cluster, namespace, "critical", priority="critical", resources=ONE_PLACE)
    low.wait_running(low.run_now())
    critical.run_now()
    first, second = critical.wait_run(), low.wait_run()
    assert (first["result"], second["result"]) == ("Succeeded", "Succeeded")
    assert [attempt["reason"] for attempt in second["attempts"]] == ["Preempted", "Completed"]
    assert moment(second["attempts"][1]["startTime"]) >= moment(first["endTime"])
    assert low.get()["spec"].get("retry", {}).get("limit", 0) == 0


def at_once(runs: Iterable[Mapping[str, Any]]) -> int:
    """How many of the runs there were at the same time at most; one may begin as another one ends."""
    changes: list[tuple[datetime, int]] = []
    for run in runs:
        changes += [(moment(run["startTime"]), 1), (moment(run["endTime"]), -1)]
    return max(accumulate(change for _, change in sorted(changes)))


def test_a_quota_of_two_pods_lets_two_of_six_runs_go_at_once_and_the_others_say_what_they_wait_for(
    cluster: Cluster, namespace: str
) -> None:
    cluster.kubectl("create", "quota", "two-at-once", "--hard=pods=2", f"--namespace={namespace}")
    job = on_demand(cluster, namespace, "worker", concurrencyPolicy="Allow", history={"succeededJobs": 6})
    wait_until(lambda: "pods" in job.get("resourcequota", "two-at-once").get("status", {}).get("hard", {}))
    asked = [job.run_now(suffix=str(number)) for number in range(6)]
    assert "exceeded quota: two-at-once" in reason_to_wait(job, "QuotaExceeded")
    runs = [job.wait_run(name, timeout=180) for name in asked]
    assert {run["result"] for run in runs} == {"Succeeded"}
    assert at_once(runs) == 2


def test_the_name_of_a_queue_and_the_priority_are_on_every_job_and_its_pods(
    cluster: Cluster, namespace: str
) -> None:
    """Where Kueue is installed, it takes both from there; it is not here, so nothing holds the Jobs back."""
    job = ScheduledJob.create(
        cluster, namespace, "queued", schedule=EVERY_MINUTE, queue="batch", priority="high", timeout="1m"
    )
    by_hand = job.run_now()
    job.wait_run(by_hand)
    job.ask("run", {"ifActive": "Queue"})
    wait_until(lambda: len(job.jobs()) >= 3, timeout=90, describe="a slot has its Job, too")
    for name, body in job.jobs().items():
        assert body["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "batch", name
        pod = body["spec"]["template"]["spec"]
        assert pod["priorityClassName"] == "scheduledjob-high", name
