"""CronJobs that people have made are taken over with their Jobs: each slot of the change has one run."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from scheduledjob_operator.cli import main
from tests.cluster.access import Cluster
from tests.cluster.release import Operator
from tests.e2e.scheduled_job import EVERY_MINUTE, NEVER, ScheduledJob, moment
from tests.waiting import wait_until

ADOPT = "scheduledjob.dev/adopt"
MINUTE = timedelta(minutes=1)
BUSY = 120.0
"""Seconds that the run takes in which one of them is taken over; it ends before anybody looks."""
TAKING_OVER = timedelta(seconds=25)
"""Longer than it takes to take all of them over."""
COUNTED: dict[str, dict[str, Any]] = {
    "punctual": {},
    "by-kubernetes": {"punctualFiring": False},
    "by-the-operator": {"concurrencyPolicy": "Queue"},
    "given-back": {},
}
"""With a slot each minute; what their ScheduledJobs have beyond what is imported."""


@dataclass(frozen=True)
class Adopted:
    """What became of them two slots after they were taken over."""

    since: datetime
    """The first slot of all that have some."""
    at: datetime
    until: datetime
    going_on: str
    """The Job of `busy` that was active meanwhile."""
    jobs: dict[str, ScheduledJob]
    before: dict[str, dict[str, Any]]
    """The CronJobs when they were not ours yet."""
    after: dict[str, dict[str, Any]]

    @property
    def slots(self) -> list[datetime]:
        count = int((self.until - self.since) / MINUTE)
        return [self.since + number * MINUTE for number in range(count + 1)]

    def within(self, slots: list[datetime]) -> list[datetime]:
        """Those of them that count: before `since` not all were there yet."""
        return [slot for slot in slots if self.since <= slot <= self.until]


def cron_job(name: str, *, image: str, seconds: float, **spec: Any) -> dict[str, Any]:
    """As somebody has it in a repository: with fields that no ScheduledJob has, and names of its own."""
    container = {
        "name": "worker",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-c", f"import time; time.sleep({seconds})"],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    pod = {
        "restartPolicy": "OnFailure",
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }
    job = {"ttlSecondsAfterFinished": 3600, "parallelism": 1, "template": {"spec": pod}}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name, "labels": {"team": "x"}},
        "spec": {
            "schedule": EVERY_MINUTE,
            "concurrencyPolicy": "Forbid",
            "successfulJobsHistoryLimit": 20,
            "jobTemplate": {"spec": job},
            **spec,
        },
    }


def runner_image(cluster: Cluster) -> str:
    deployment = cluster.get("deployment", "scheduledjob-operator", "--namespace=scheduledjob-system")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    given = {str(entry["name"]): str(entry.get("value", "")) for entry in container["env"]}
    return next(value for name, value in given.items() if name.endswith("RUNNER_IMAGE"))


def begin_scenes(cluster: Cluster, namespace: str) -> dict[str, ScheduledJob]:
    image = runner_image(cluster)
    specs: dict[str, dict[str, Any]] = {
        **{name: {"seconds": 2} for name in COUNTED},
        "busy": {"seconds": BUSY},
        "suspended": {"seconds": 2, "suspend": True},
    }
    for name, given in specs.items():
        cluster.apply(cron_job(name, image=image, **given), namespace=namespace)
    return {name: ScheduledJob(cluster, namespace, name) for name in specs}


def slots_of(job: ScheduledJob) -> list[datetime]:
    """The slots that have a Job, sorted; twice where there are two."""
    uid = job.get("cronjob")["metadata"]["uid"]
    found = []
    for body in job.cluster.items("jobs", f"--namespace={job.namespace}"):
        metadata = body["metadata"]
        if metadata["ownerReferences"][0]["uid"] == uid:
            given = metadata["annotations"]
            text = given.get("batch.kubernetes.io/cronjob-scheduled-timestamp")
            found.append(moment(text or given["scheduledjob.dev/slot"]))
    return sorted(found)


def active_job(job: ScheduledJob) -> str:
    """Its Job that goes on for as long as taking over takes; nothing while there is none."""
    for entry in job.get("cronjob")["status"].get("active", []):
        made = moment(job.get("job", entry["name"])["metadata"]["creationTimestamp"])
        if datetime.now(UTC) - made < timedelta(seconds=BUSY) - TAKING_OVER:
            return str(entry["name"])
    return ""


def imported(cluster: Cluster, namespace: str) -> tuple[list[dict[str, Any]], list[list[str]]]:
    """The manifests of the ScheduledJobs, and the arguments of the commands that the import prints."""
    given = cluster.kubectl("get", "cronjobs", f"--namespace={namespace}", "--output=yaml").stdout
    result = CliRunner().invoke(main, ["import", "cronjobs", "-"], input=given)
    assert result.exit_code == 0, result.stderr
    commands = [line.split()[1:] for line in result.stderr.splitlines() if line.startswith("  kubectl ")]
    return list(yaml.safe_load_all(result.stdout)), commands


@pytest.fixture(scope="module")
def adopted(scene: dict[str, ScheduledJob], cluster: Cluster) -> Adopted:
    jobs = scene
    running = [job for name, job in jobs.items() if name != "suspended"]
    wait_until(lambda: all(map(slots_of, running)), timeout=90, describe="each has had a slot")
    since = max(slots_of(jobs[name])[0] for name in COUNTED)
    manifests, commands = imported(cluster, running[0].namespace)
    for manifest in manifests:
        manifest["spec"] |= COUNTED.get(manifest["metadata"]["name"], {})
        cluster.apply(manifest)
    for job in jobs.values():
        assert f"{ADOPT}=true" in job.wait_ready(status="False")["message"]
    going_on = wait_until(
        lambda: 5 < datetime.now(UTC).second < 35 and active_job(jobs["busy"]),
        timeout=240,
        describe="no slot is near, and a run has just begun",
    )
    before = {name: job.get("cronjob") for name, job in jobs.items()}
    at = datetime.now(UTC)
    for command in commands:
        cluster.kubectl(*command)
    for job in jobs.values():
        job.wait_ready()
    after = {name: job.get("cronjob") for name, job in jobs.items()}
    until = at.replace(second=0, microsecond=0) + 2 * MINUTE
    # Kubernetes' garbage collector has to have heard that there is an owner before it can take that away.
    wait_until(lambda: datetime.now(UTC) > until - MINUTE + timedelta(seconds=5), timeout=80)
    jobs["given-back"].kubectl("delete", "scheduledjob", "given-back", "--cascade=orphan")
    wait_until(lambda: datetime.now(UTC) > until + timedelta(seconds=12), timeout=140)
    return Adopted(since, at, until, str(going_on), jobs, before, after)


def test_each_minute_of_the_change_has_one_job(adopted: Adopted) -> None:
    def all_have() -> bool:
        found = {name: adopted.within(slots_of(adopted.jobs[name])) for name in COUNTED}
        assert found == dict.fromkeys(COUNTED, adopted.slots)
        return True

    wait_until(all_have, describe="each slot has its Job")


@pytest.mark.parametrize("name", [name for name in COUNTED if name != "given-back"])
def test_the_ledger_has_the_runs_since_and_no_slot_of_before(name: str, adopted: Adopted) -> None:
    job = adopted.jobs[name]

    def ended() -> dict[str, Any]:
        status = job.status
        runs = [moment(run["slot"]) for run in reversed(status["recentRuns"])]
        assert adopted.within(runs)[-2:] == adopted.slots[-2:]
        return status

    status = wait_until(ended, timeout=60, describe=f"the runs of {name} have ended")
    assert all(run["result"] == "Succeeded" for run in status["recentRuns"])
    assert status["unstarted"] == []


def test_what_only_the_cron_job_had_is_gone_and_the_rest_stays(adopted: Adopted) -> None:
    before, after = adopted.before["punctual"], adopted.after["punctual"]
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["metadata"]["labels"]["team"] == "x"
    assert after["status"]["lastScheduleTime"] >= before["status"]["lastScheduleTime"]
    template = after["spec"]["jobTemplate"]["spec"]
    assert [container["name"] for container in template["template"]["spec"]["containers"]] == ["job"]
    assert "ttlSecondsAfterFinished" not in template
    (owner,) = after["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["controller"]) == ("ScheduledJob", True)


def test_it_is_said_in_an_event_and_the_wish_is_taken_away(adopted: Adopted) -> None:
    job = adopted.jobs["punctual"]
    says = f"the CronJob punctual was taken over, as {ADOPT} on it asks for"
    assert job.wait_event("CronJobAdopted") == [says]
    wait_until(lambda: ADOPT not in job.get("cronjob")["metadata"]["annotations"], timeout=60)


def test_a_run_that_goes_on_counts_and_is_not_cut(adopted: Adopted) -> None:
    job = adopted.jobs["busy"]
    old = adopted.going_on
    run = job.wait_run(old, timeout=120)
    assert (run["result"], run["durationSeconds"] >= BUSY) == ("Succeeded", True)
    made = [moment(body["metadata"]["creationTimestamp"]) for body in job.jobs().values()]
    assert all(moment(run["endTime"]) <= creation for creation in made if creation > adopted.at)


def test_one_that_was_suspended_stays_so(adopted: Adopted) -> None:
    job = adopted.jobs["suspended"]
    assert job.get()["spec"]["enabled"] is False
    assert (adopted.after["suspended"]["spec"]["suspend"], slots_of(job)) == (True, [])


def test_without_its_scheduled_job_it_goes_on_as_it_is(adopted: Adopted) -> None:
    job = adopted.jobs["given-back"]
    body = job.get("cronjob")
    assert "ownerReferences" not in body["metadata"]
    assert body["spec"] == adopted.after["given-back"]["spec"]
    assert job.kubectl("get", "scheduledjobs", "given-back", "--ignore-not-found") == ""


def test_what_has_another_controller_is_never_taken_over(
    cluster: Cluster, namespace: str, operator: Operator
) -> None:
    assert operator.pods()
    cluster.kubectl("create", "configmap", "theirs", f"--namespace={namespace}")
    job = ScheduledJob(cluster, namespace, "controlled")
    uid = job.get("configmap", "theirs")["metadata"]["uid"]
    body = cron_job("controlled", image="none", seconds=1, schedule=NEVER)
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "theirs", "uid": uid, "controller": True}
    body["metadata"] |= {"annotations": {ADOPT: "true"}, "ownerReferences": [owner]}
    cluster.apply(body, namespace=namespace)
    before = job.get("cronjob")
    job.apply()
    assert "controlled by ConfigMap theirs" in job.wait_ready(status="False")["message"]
    assert job.get("cronjob") == before


def wanted(cluster: Cluster, namespace: str, name: str, **pod: Any) -> ScheduledJob:
    """A CronJob that never fires and shall be taken over; its ScheduledJob is not there yet."""
    body = cron_job(name, image="none", seconds=1, schedule=NEVER)
    body["metadata"]["annotations"] = {ADOPT: "true"}
    body["spec"]["jobTemplate"]["spec"]["template"]["spec"] |= pod
    cluster.apply(body, namespace=namespace)
    return ScheduledJob(cluster, namespace, name)


@pytest.mark.parametrize(
    ("name", "pod"),
    [
        ("malformed", {"nodeSelektor": {}}),
        ("invalid", {"nodeSelector": {"no label": "x"}}),
    ],
)
def test_what_would_be_refused_leaves_everything_as_it_was(
    name: str, pod: dict[str, Any], cluster: Cluster, namespace: str, operator: Operator
) -> None:
    assert operator.pods()
    job = wanted(cluster, namespace, name)
    made = job.run_now()
    before = job.get("cronjob"), job.get("job", made)["metadata"].get("labels")
    job.apply(podTemplate={"spec": pod})
    assert job.wait_ready(status="False")["reason"] == "ApplyFailed"
    assert (job.get("cronjob"), job.get("job", made)["metadata"].get("labels")) == before
    job.patch(podTemplate=None)
    job.wait_ready()
    assert job.get("job", made)["metadata"]["labels"]["scheduledjob.dev/name"] == name


def test_two_templates_that_cannot_be_merged_are_no_hindrance(
    cluster: Cluster, namespace: str, operator: Operator
) -> None:
    assert operator.pods()
    theirs = {"name": "tmp", "configMap": {"name": "theirs", "optional": True}}  # ours is an emptyDir
    job = wanted(cluster, namespace, "other-volume", volumes=[theirs])
    job.apply()
    job.wait_ready()
    pod = job.get("cronjob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["volumes"] == [{"name": "tmp", "emptyDir": {}}]


def test_without_managed_fields_nothing_is_left_of_the_old_template(
    cluster: Cluster, namespace: str, operator: Operator
) -> None:
    assert operator.pods()
    job = wanted(cluster, namespace, "of-nobody")
    nobody = json.dumps([{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}])
    job.kubectl("patch", "cronjob", job.name, "--type=json", f"--patch={nobody}")
    job.apply()
    job.wait_ready()
    pod = job.get("cronjob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert [container["name"] for container in pod["containers"]] == ["job"]
    job.wait_event("CronJobAdopted")
    assert "DriftCorrected" not in dict(job.events()), "it was right at once"


def test_what_was_root_with_a_token_still_is_when_it_is_imported(
    cluster: Cluster, request: pytest.FixtureRequest, operator: Operator
) -> None:
    assert operator.pods()
    namespace = cluster.create_namespace(f"root-{secrets.token_hex(3)}")
    request.addfinalizer(lambda: cluster.kubectl("delete", "namespace", namespace, "--wait=false"))
    body = cron_job("root", image=runner_image(cluster), seconds=1, schedule=NEVER)
    pod = body["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    pod |= {"securityContext": {"runAsUser": 0}, "enableServiceLinks": True}
    token = "/var/run/secrets/kubernetes.io/serviceaccount/token"
    own = f'test "$(id -u)" = 0 && test -s {token} && chown 1234 /tmp && test -n "$KUBERNETES_SERVICE_HOST"'
    del pod["containers"][0]["securityContext"]
    pod["containers"][0]["command"] = ["sh", "-c", own]
    cluster.apply(body, namespace=namespace)
    [manifest], [command] = imported(cluster, namespace)
    cluster.apply(manifest)
    cluster.kubectl(*command)
    job = ScheduledJob(cluster, namespace, "root")
    job.wait_ready()
    assert job.wait_run(job.run_now())["result"] == "Succeeded"
    assert "DriftCorrected" not in dict(job.events())
