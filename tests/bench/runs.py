"""Runs without a node: Jobs and Pods, created and ended as Kubernetes' controllers and the kubelet would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.bench.api import MERGE_PATCH, Api, Body
from tests.bench.load import BATCH, Place, places


@dataclass(frozen=True)
class Run:
    """One slot of one ScheduledJob."""

    place: Place
    cron_job_uid: str
    slot: datetime
    template: Body

    @property
    def name(self) -> str:
        """As the CronJob controller names its Jobs."""
        return f"{self.place.name}-{int(self.slot.timestamp()) // 60}"

    @property
    def job(self) -> str:
        return f"{BATCH}/namespaces/{self.place.namespace}/jobs/{self.name}"

    @property
    def pods(self) -> str:
        return f"/api/v1/namespaces/{self.place.namespace}/pods"


async def runs_of(api: Api, count: int, *, slots: Sequence[datetime]) -> list[Run]:
    """For each of the first `count` ScheduledJobs a run per slot, one slot after the other."""
    cron_jobs: dict[tuple[str, str], dict[str, Any]] = {
        (body["metadata"]["namespace"], body["metadata"]["name"]): body
        for body in await api.items(f"{BATCH}/cronjobs")
    }
    found = []
    for slot in slots:
        for place in places(count):
            cron_job = cron_jobs[place.namespace, place.name]
            template = cron_job["spec"]["jobTemplate"]
            found.append(Run(place, cron_job["metadata"]["uid"], slot, template))
    return found


async def start_job(api: Api, run: Run) -> str:
    """Create the Job; its uid. Source: kubernetes `pkg/controller/cronjob/utils.go`, getJobFromTemplate2."""
    metadata = run.template.get("metadata") or {}
    slot = {"batch.kubernetes.io/cronjob-scheduled-timestamp": text(run.slot)}
    body = {
        "metadata": {
            "name": run.name,
            "namespace": run.place.namespace,
            "labels": metadata.get("labels") or {},
            "annotations": {**(metadata.get("annotations") or {}), **slot},
            "ownerReferences": [_owner("CronJob", run.place.name, run.cron_job_uid)],
        },
        "spec": run.template["spec"],
    }
    made = await api.send("POST", f"{BATCH}/namespaces/{run.place.namespace}/jobs", body)
    return str(made["metadata"]["uid"])


async def end_job(api: Api, run: Run, *, ended: datetime, seconds: float = 1.0) -> None:
    """End the Job well, `ended` by its own account."""
    status = status_of_end(well=True, ended=ended, seconds=seconds)
    await api.send("PATCH", f"{run.job}/status", {"status": status}, content_type=MERGE_PATCH)


def status_of_end(*, well: bool, ended: datetime, seconds: float = 1.0) -> Body:
    """The status of a Job that has ended.

    The conditions that the job controller sets one after the other go in one write. Source: kubernetes
    `pkg/apis/batch/validation`: with Complete go a start, a completion time and SuccessCriteriaMet, with
    Failed goes FailureTarget.
    """
    kinds = ("SuccessCriteriaMet", "Complete") if well else ("FailureTarget", "Failed")
    reason = "CompletionsReached" if well else "BackoffLimitExceeded"
    conditions = [
        {
            "type": kind,
            "status": "True",
            "reason": reason,
            "message": "the job controller's own words",
            "lastProbeTime": text(ended),
            "lastTransitionTime": text(ended),
        }
        for kind in kinds
    ]
    return {
        "startTime": text(ended - timedelta(seconds=seconds)),
        **({"completionTime": text(ended), "succeeded": 1} if well else {"failed": 1}),
        "ready": 0,
        "terminating": 0,
        "uncountedTerminatedPods": {},
        "conditions": conditions,
    }


async def start_pod(api: Api, run: Run, *, job_uid: str) -> None:
    """Create the Job's Pod. It stays unscheduled: there is no node."""
    template = run.template["spec"]["template"]
    labels = {**template["metadata"]["labels"], "batch.kubernetes.io/job-name": run.name}
    body = {
        "metadata": {
            "name": f"{run.name}-0",
            "labels": labels,
            "ownerReferences": [_owner("Job", run.name, job_uid)],
        },
        "spec": template["spec"],
    }
    await api.send("POST", run.pods, body)


async def end_pod(api: Api, run: Run) -> None:
    """Let the Pod have succeeded, with the message that the runner leaves."""
    now = datetime.now(UTC)
    terminated = {
        "exitCode": 0,
        "reason": "Completed",
        "startedAt": text(now - timedelta(seconds=1)),
        "finishedAt": text(now),
        "message": '{"version":1,"result":"Succeeded","value":{"rows":1200},"durationSeconds":1.0}',
    }
    container = {
        "name": "job",
        "image": "job-runner",
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"terminated": terminated},
    }
    status = {"phase": "Succeeded", "containerStatuses": [container]}
    await api.send("PATCH", f"{run.pods}/{run.name}-0/status", {"status": status}, content_type=MERGE_PATCH)


def _owner(kind: str, name: str, uid: str) -> Body:
    return {
        "apiVersion": "batch/v1",
        "kind": kind,
        "name": name,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def text(moment: datetime) -> str:
    """RFC 3339, as Kubernetes writes its times."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
