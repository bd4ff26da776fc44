"""Objects as the API server gives them, with what its controllers have filled in."""

from datetime import datetime
from typing import Any

from tests.unit.moments import NOON, after_noon, text

Body = dict[str, Any]

NAMESPACE = "shop"
NAME = "portfolio-sync"
UID = "0a1b2c3d-0000-4000-8000-000000000001"
CRON_JOB_UID = "0a1b2c3d-0000-4000-8000-000000000002"
LABELS = {"app.kubernetes.io/managed-by": "scheduledjob-operator", "scheduledjob.dev/name": NAME}


def scheduled_job(*, spec: Body | None = None, status: Body | None = None, **metadata: Any) -> Body:
    """A ScheduledJob after the defaults of its definition were filled in."""
    return {
        "apiVersion": "scheduledjob.dev/v1alpha1",
        "kind": "ScheduledJob",
        "metadata": {
            "name": NAME,
            "namespace": NAMESPACE,
            "uid": UID,
            "resourceVersion": "100",
            "generation": 1,
            "creationTimestamp": text(after_noon(-3600)),
            **metadata,
        },
        "spec": spec if spec is not None else {"schedule": "*/5 * * * *", "handler": "sync"},
        "status": status if status is not None else {"observedGeneration": -1},
    }


def owner(kind: str, *, name: str = NAME, uid: str = UID) -> list[Body]:
    api_version = "scheduledjob.dev/v1alpha1" if kind == "ScheduledJob" else "batch/v1"
    return [
        {
            "apiVersion": api_version,
            "kind": kind,
            "name": name,
            "uid": uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]


def cron_job(*, spec: Body | None = None, status: Body | None = None, **metadata: Any) -> Body:
    """The CronJob of the ScheduledJob."""
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {
            "name": NAME,
            "namespace": NAMESPACE,
            "uid": CRON_JOB_UID,
            "resourceVersion": "201",
            "generation": 1,
            "creationTimestamp": text(NOON),
            "labels": dict(LABELS),
            "annotations": {"scheduledjob.dev/spec-hash": "0123456789abcdef"},
            "ownerReferences": owner("ScheduledJob"),
            **metadata,
        },
        "spec": {"schedule": "*/5 * * * *", "timeZone": "Etc/UTC", "suspend": False, **(spec or {})},
        "status": status or {},
    }


def job(
    name: str,
    *,
    created: datetime = NOON,
    slot: datetime | None = None,
    status: Body | None = None,
    **metadata: Any,
) -> Body:
    """A Job of the CronJob: started by the schedule when it has a slot, else by a person."""
    if slot is not None:
        annotations = {"batch.kubernetes.io/cronjob-scheduled-timestamp": text(slot)}
    else:
        annotations = {"cronjob.kubernetes.io/instantiate": "manual"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "uid": f"uid-of-{name}",
            "resourceVersion": "200",
            "generation": 1,
            "creationTimestamp": text(created),
            "labels": dict(LABELS),
            "annotations": annotations,
            "ownerReferences": owner("CronJob", uid=CRON_JOB_UID),
            **metadata,
        },
        "spec": {"backoffLimit": 0, "completions": 1, "parallelism": 1, "suspend": False},
        "status": {"startTime": text(created), "active": 1} if status is None else status,
    }


def complete(started: datetime, ended: datetime) -> Body:
    """Status of a Job that went well."""
    return {
        "startTime": text(started),
        "completionTime": text(ended),
        "succeeded": 1,
        "ready": 0,
        "terminating": 0,
        "uncountedTerminatedPods": {},
        "conditions": [
            _job_condition("SuccessCriteriaMet", "CompletionsReached", "Reached expected number", ended),
            _job_condition("Complete", "CompletionsReached", "Reached expected number", ended),
        ],
    }


def failed(
    started: datetime,
    ended: datetime,
    *,
    reason: str = "BackoffLimitExceeded",
    message: str = "Job has reached the specified backoff limit",
    pods: int = 1,
) -> Body:
    """Status of a Job that Kubernetes gave up."""
    return {
        "startTime": text(started),
        **({"failed": pods} if pods else {}),
        "ready": 0,
        "terminating": 0,
        "uncountedTerminatedPods": {},
        "conditions": [
            _job_condition("FailureTarget", reason, message, ended),
            _job_condition("Failed", reason, message, ended),
        ],
    }


def _job_condition(type_: str, reason: str, message: str, when: datetime) -> Body:
    return {
        "type": type_,
        "status": "True",
        "reason": reason,
        "message": message,
        "lastProbeTime": text(when),
        "lastTransitionTime": text(when),
    }


def pod(
    name: str,
    *,
    job_name: str,
    created: datetime = NOON,
    status: Body | None = None,
    **metadata: Any,
) -> Body:
    """A Pod of a Job."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "generateName": f"{job_name}-",
            "namespace": NAMESPACE,
            "uid": f"uid-of-{name}",
            "resourceVersion": "300",
            "creationTimestamp": text(created),
            "labels": {
                **LABELS,
                "batch.kubernetes.io/job-name": job_name,
                "batch.kubernetes.io/controller-uid": f"uid-of-{job_name}",
                "job-name": job_name,
                "controller-uid": f"uid-of-{job_name}",
            },
            "ownerReferences": owner("Job", name=job_name, uid=f"uid-of-{job_name}"),
            "finalizers": ["batch.kubernetes.io/job-tracking"],
            **metadata,
        },
        "spec": {"restartPolicy": "Never", "containers": [{"name": "job", "image": "runner"}]},
        "status": {"phase": "Pending", "qosClass": "BestEffort"} if status is None else status,
    }


def running(started: datetime) -> Body:
    """Status of a Pod whose container runs."""
    return _pod_status(
        "Running", {"running": {"startedAt": text(started)}}, conditions=[_condition("Ready", "True")]
    )


def waiting(reason: str, message: str = "") -> Body:
    """Status of a Pod whose container cannot start."""
    return _pod_status("Pending", {"waiting": {"reason": reason, "message": message}})


def unschedulable(message: str) -> Body:
    return {
        "phase": "Pending",
        "conditions": [_condition("PodScheduled", "False", reason="Unschedulable", message=message)],
        "qosClass": "BestEffort",
    }


def ended(
    exit_code: int,
    *,
    started: datetime,
    finished: datetime,
    message: str = "",
    reason: str = "",
    disruption: str = "",
    **pod_status: Any,
) -> Body:
    """Status of a Pod whose container ended. `reason`: the container's, by default that of its exit code."""
    terminated = {
        "exitCode": exit_code,
        "reason": reason or ("Completed" if exit_code == 0 else "Error"),
        "startedAt": text(started),
        "finishedAt": text(finished),
        "containerID": "containerd://0123",
        **({"message": message} if message else {}),
    }
    conditions = [_condition("Ready", "False", reason="PodFailed")]
    if disruption:
        conditions.insert(0, _condition("DisruptionTarget", "True", reason=disruption, message="disrupted"))
    status = _pod_status(
        "Succeeded" if exit_code == 0 else "Failed", {"terminated": terminated}, conditions=conditions
    )
    return {**status, **pod_status}


def _pod_status(phase: str, state: Body, *, conditions: list[Body] | None = None) -> Body:
    return {
        "phase": phase,
        "conditions": [
            *(conditions or []),
            _condition("Initialized", "True"),
            _condition("PodScheduled", "True"),
        ],
        "containerStatuses": [
            {
                "name": "job",
                "image": "runner",
                "imageID": "",
                "ready": "running" in state,
                "restartCount": 0,
                "started": "running" in state,
                "lastState": {},
                "state": state,
            }
        ],
        "qosClass": "BestEffort",
    }


def _condition(type_: str, status: str, **details: str) -> Body:
    return {
        "type": type_,
        "status": status,
        "lastProbeTime": None,
        "lastTransitionTime": text(NOON),
        **details,
    }
