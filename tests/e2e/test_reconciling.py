"""A ScheduledJob and its CronJob stay in step, whoever touches what."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster.access import Cluster
from tests.cluster.release import Operator
from tests.e2e.scheduled_job import NEVER, ScheduledJob
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("operator")


def container(job: ScheduledJob) -> dict[str, Any]:
    spec = job.get("cronjob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    found: dict[str, Any] = spec["containers"][0]
    return found


def test_a_hand_edited_cronjob_is_put_back_and_an_event_names_the_editor(
    cluster: Cluster, namespace: str
) -> None:
    job = ScheduledJob.create(cluster, namespace, "edited")
    before = job.get("cronjob")["spec"]
    job.kubectl("set", "env", "cronjob/edited", "ADDED=by-hand")
    job.kubectl("patch", "cronjob", "edited", "--type=merge", '--patch={"spec":{"schedule":"*/7 * * * *"}}')
    wait_until(lambda: job.get("cronjob")["spec"] == before, describe="the CronJob is as it was")
    job.wait_event("DriftCorrected", says="kubectl-set")


def test_a_deleted_cronjob_is_created_again(cluster: Cluster, namespace: str) -> None:
    job = ScheduledJob.create(cluster, namespace, "deleted")
    uid = job.get("cronjob")["metadata"]["uid"]
    job.kubectl("delete", "cronjob", "deleted")
    found = ("get", "cronjob", "deleted", f"--namespace={namespace}", "--output=jsonpath={.metadata.uid}")
    again = wait_until(
        lambda: cluster.kubectl(*found, check=False).stdout, describe="there is a CronJob again"
    )
    assert again != uid


def test_a_label_taken_off_the_cronjob_comes_back(cluster: Cluster, namespace: str) -> None:
    job = ScheduledJob.create(cluster, namespace, "unlabelled")
    job.kubectl("label", "cronjob", "unlabelled", "app.kubernetes.io/managed-by-")
    wait_until(
        lambda: "app.kubernetes.io/managed-by" in job.get("cronjob")["metadata"]["labels"],
        describe="the label is back",
    )


def test_a_foreign_cronjob_is_never_touched_and_taken_over_only_when_it_is_gone(
    cluster: Cluster, namespace: str
) -> None:
    job = ScheduledJob(cluster, namespace, "foreign")
    job.kubectl("create", "cronjob", "foreign", f"--schedule={NEVER}", "--image=none", "--", "true")
    before = job.get("cronjob")["metadata"]
    job.apply()
    assert job.wait_ready(status="False")["reason"] == "NameConflict"
    after = job.get("cronjob")["metadata"]
    assert after["resourceVersion"] == before["resourceVersion"]
    job.kubectl("delete", "cronjob", "foreign")
    job.patch(timeout="1m")
    job.wait_ready()
    assert job.get("cronjob")["metadata"]["uid"] != before["uid"]


@pytest.mark.parametrize(
    ("spec", "reason", "instead"),
    [
        ({"timeZone": "Europe/Berln"}, "InvalidSchedule", "Europe/Berlin"),
        ({"schedule": "0 0 31 2 *"}, "InvalidSchedule", "never"),
        ({"schedule": "0 0 * * 7"}, "InvalidSchedule", "SUN"),
        ({"podTemplate": {"spec": {"nodeSelektor": {}}}}, "ApplyFailed", "nodeSelektor"),
    ],
    ids=["unknown time zone", "a date that never comes", "7 as a weekday", "unknown field of a Pod"],
)
def test_what_only_the_operator_can_see_is_said_and_the_last_good_cronjob_stays(
    spec: dict[str, Any], reason: str, instead: str, cluster: Cluster, namespace: str
) -> None:
    job = ScheduledJob.create(cluster, namespace, "invalid")
    good = job.get("cronjob")["spec"]
    job.patch(**spec)
    ready = job.wait_ready(status="False")
    assert ready["reason"] == reason
    assert instead in ready["message"]
    assert job.get("cronjob")["spec"] == good
    assert ready["message"] in job.wait_event(reason, says=ready["message"])
    job.patch(schedule=NEVER, timeZone="Etc/UTC", podTemplate=None)
    job.wait_ready()


def test_a_quota_that_forbids_the_cronjob_is_the_reason(cluster: Cluster, namespace: str) -> None:
    cluster.kubectl("create", "quota", "none", "--hard=count/cronjobs.batch=0", f"--namespace={namespace}")
    job = ScheduledJob(cluster, namespace, "too-many")
    wait_until(
        lambda: "count/cronjobs.batch" in job.get("resourcequota", "none").get("status", {}).get("hard", {})
    )
    job.apply()
    ready = job.wait_ready(status="False")
    assert ready["reason"] == "QuotaExceeded"
    assert "exceeded quota: none" in ready["message"]


def test_a_restart_writes_nothing_and_the_history_survives(
    cluster: Cluster, namespace: str, operator: Operator
) -> None:
    job = ScheduledJob.create(cluster, namespace, "remembered", history={"succeededJobs": 1})
    job.wait_run(job.run_now(suffix="one"))
    job.wait_run(job.run_now(suffix="two"))
    wait_until(
        lambda: len(cluster.items("jobs", f"--namespace={namespace}")) == 1,
        timeout=60,
        describe="the first Job was collected",
    )
    (made,) = cluster.items("jobs", f"--namespace={namespace}")

    def now_there() -> list[dict[str, Any]]:
        return [job.get(), job.get("cronjob"), job.get("job", made["metadata"]["name"])]

    def at_rest() -> list[dict[str, Any]]:
        """Kubernetes' controller writes what it has done a moment after it did it."""
        once, again = now_there(), now_there()
        assert once == again
        return again

    before = wait_until(at_rest, describe="nothing is written any more")
    operator.stop()
    operator.start()
    wait_until(lambda: synced_metrics(operator), timeout=60, describe="the operator has caught up")
    # With their resource versions. Other namespaces may be busy, so the operator's own count does not tell.
    assert now_there() == before
    runs = before[0]["status"]["recentRuns"]
    assert [run["id"] for run in runs] == ["remembered-two", "remembered-one"]


def synced_metrics(operator: Operator) -> str:
    """The operator's metrics once it has reconciled all it knows."""
    (pod,) = operator.pods()
    path = f"/api/v1/namespaces/{operator.namespace}/pods/{pod}:8080/proxy/metrics"
    text = operator.cluster.kubectl("get", f"--raw={path}", check=False).stdout
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    known = float(values.get("scheduledjob_operator_scheduledjobs", 0))
    done = float(values.get("scheduledjob_operator_reconcile_duration_seconds_count", 0))
    return text if 0 < known <= done else ""


def test_schedules_go_on_while_the_operator_is_down_and_the_status_catches_up(
    cluster: Cluster, namespace: str, operator: Operator
) -> None:
    job = ScheduledJob.create(cluster, namespace, "alone", schedule="* * * * *")
    operator.stop()
    try:
        done = wait_until(
            lambda: [
                body
                for body in cluster.items("jobs", f"--namespace={namespace}")
                if body["status"].get("succeeded")
            ],
            timeout=120,
            describe="a Job ran without the operator",
        )
    finally:
        operator.start()
    assert job.wait_run(done[0]["metadata"]["name"])["result"] == "Succeeded"


@pytest.mark.parametrize("cascade", ["background", "foreground"])
@pytest.mark.parametrize("state", ["up", "down"])
def test_deleting_leaves_nothing(
    cascade: str, state: str, cluster: Cluster, namespace: str, operator: Operator
) -> None:
    job = ScheduledJob.create(cluster, namespace, "short-lived", handler="sleep", args={"seconds": 300})
    job.wait_running(job.run_now())
    if state == "down":
        operator.stop()
    try:
        job.kubectl("delete", "scheduledjob", "short-lived", f"--cascade={cascade}", "--wait=false")
        wait_until(
            lambda: not cluster.items("scheduledjobs,cronjobs,jobs,pods", f"--namespace={namespace}"),
            timeout=90,
            describe="nothing is left",
        )
    finally:
        if state == "down":
            operator.start()


def test_an_orphaned_cronjob_stays_and_is_taken_over_again(cluster: Cluster, namespace: str) -> None:
    job = ScheduledJob.create(cluster, namespace, "orphaned")
    uid = job.get("cronjob")["metadata"]["uid"]
    job.kubectl("delete", "scheduledjob", "orphaned", "--cascade=orphan")
    wait_until(lambda: "ownerReferences" not in job.get("cronjob")["metadata"])
    job.apply()
    job.wait_ready()
    after = job.get("cronjob")["metadata"]
    assert after["uid"] == uid
    assert [owner["uid"] for owner in after["ownerReferences"]] == [job.get()["metadata"]["uid"]]
