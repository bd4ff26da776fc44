"""The CronJob we would like to exist for a ScheduledJob. Pure."""

import hashlib
import json
import math
from datetime import timedelta
from typing import Any

from scheduledjob_operator import names
from scheduledjob_operator.merging import merge
from scheduledjob_operator.models import ConcurrencyPolicy, ScheduledJobSpec
from scheduledjob_operator.pod_template import (
    Parent,
    RunnerDefaults,
    attempt_deadline,
    labels_of,
    pod_template,
    seconds,
)
from scheduledjob_operator.schedule import Schedule, fired_by_operator
from scheduledjob_operator.slots import shortest_gap

Body = dict[str, Any]

STARTUP_ALLOWANCE = timedelta(minutes=1)
"""What a Job may need beyond its attempts and the time they may wait for their start."""

NEVER = "0 0 30 2 *"
"""Schedule of a CronJob that the operator fires: the API server takes it, and it never comes."""
NAMES_KEPT = timedelta(seconds=30)
"""How long at least the finished Jobs of slots stay: a Job's name keeps a slot from being started again."""


def job_source(*, parent: Parent, spec: ScheduledJobSpec, defaults: RunnerDefaults) -> Body:
    """As much of the CronJob as a Job is made from: its name and its template."""
    return {
        "metadata": {"name": parent.name, "namespace": parent.namespace},
        "spec": {"jobTemplate": _job_template(parent=parent, spec=spec, defaults=defaults)},
    }


def cron_job(
    *,
    parent: Parent,
    spec: ScheduledJobSpec,
    schedule: Schedule,
    defaults: RunnerDefaults,
    suspended: bool | None = None,
) -> Body:
    """The CronJob, with only the fields we own, ready to be applied; its hash is in an annotation.

    `suspended`: whether anything holds the schedule back; by default only `enabled` does.
    """
    body: Body = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {
            "name": parent.name,
            "namespace": parent.namespace,
            "labels": labels_of(parent),
            "ownerReferences": [
                {
                    "apiVersion": names.API_VERSION,
                    "kind": names.KIND,
                    "name": parent.name,
                    "uid": parent.uid,
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": {
            "schedule": schedule.canonical,
            "timeZone": schedule.time_zone,
            "suspend": not spec.enabled if suspended is None else suspended,
            "concurrencyPolicy": spec.concurrency_policy.value,
            "startingDeadlineSeconds": seconds(spec.starting_deadline),
            "successfulJobsHistoryLimit": spec.history.succeeded_jobs,
            "failedJobsHistoryLimit": spec.history.failed_jobs,
            "jobTemplate": _job_template(parent=parent, spec=spec, defaults=defaults),
        },
    }
    if fired_by_operator(schedule, spec.concurrency_policy):
        body = merge(body, _template_only(body["spec"], schedule=schedule))
    annotations = body["metadata"].get("annotations", {})
    body["metadata"]["annotations"] = {**annotations, names.ANNOTATION_SPEC_HASH: spec_hash(body)}
    return body


def _template_only(spec: Body, *, schedule: Schedule) -> Body:
    """What makes a CronJob a mere template, and what the operator fires it by.

    `spec` is the CronJob's as if Kubernetes could fire it. So many finished Jobs are kept that those of the
    last moments are always there.
    """
    timetable = {key: spec[key] for key in ("schedule", "concurrencyPolicy", "suspend")}
    gap = shortest_gap(schedule)
    least = math.ceil(NAMES_KEPT / gap) if gap else 1
    return {
        "metadata": {"annotations": {names.ANNOTATION_TIMETABLE: json.dumps(timetable, sort_keys=True)}},
        "spec": {
            "schedule": NEVER,
            "suspend": True,
            "concurrencyPolicy": ConcurrencyPolicy.ALLOW.value,
            "successfulJobsHistoryLimit": max(spec["successfulJobsHistoryLimit"], least),
            "failedJobsHistoryLimit": max(spec["failedJobsHistoryLimit"], least),
        },
    }


def spec_hash(body: Body) -> str:
    """A short stable hash of a desired body."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def total_deadline(spec: ScheduledJobSpec) -> timedelta:
    """After how long Kubernetes ends the Job, whatever state it is in."""
    retries = 0 if spec.retry.backoff else spec.retry.limit
    waits = sum(min(10 * 2**n, 600) for n in range(retries))
    attempt = attempt_deadline(spec) + spec.grace_period
    return STARTUP_ALLOWANCE + spec.pending_timeout + (retries + 1) * attempt + timedelta(seconds=waits)


def _job_template(*, parent: Parent, spec: ScheduledJobSpec, defaults: RunnerDefaults) -> Body:
    labels = labels_of(parent)
    if spec.queue:
        labels[names.LABEL_QUEUE] = spec.queue
    return {
        "metadata": {"labels": labels},
        "spec": {
            **_retries(spec),
            "activeDeadlineSeconds": seconds(total_deadline(spec)),
            "podFailurePolicy": _pod_failure_policy(spec),
            "template": pod_template(parent=parent, spec=spec, defaults=defaults),
        },
    }


def _retries(spec: ScheduledJobSpec) -> Body:
    """How often Kubernetes tries again: not at all where each attempt is a Job of its own.

    A Pod does not know which attempt it is, unless its Job counts the failures of each index and tells
    them in an annotation: so a Job that may be tried again has one index.
    """
    limit = spec.retry.limit
    if not limit or spec.retry.backoff:
        return {"backoffLimit": 0}
    indexed = {"completionMode": "Indexed", "completions": 1, "parallelism": 1}
    return {"backoffLimit": limit, "backoffLimitPerIndex": limit, **indexed}


def _pod_failure_policy(spec: ScheduledJobSpec) -> Body:
    rules: list[Body] = [
        {
            "action": "Ignore",
            "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
        }
    ]
    if spec.retry.never_on_exit_codes:
        rules.append(
            {
                "action": "FailJob",
                "onExitCodes": {
                    "containerName": names.CONTAINER,
                    "operator": "In",
                    "values": sorted(set(spec.retry.never_on_exit_codes)),
                },
            }
        )
    return {"rules": rules}
