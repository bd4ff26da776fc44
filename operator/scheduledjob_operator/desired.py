"""The CronJob we would like to exist for a ScheduledJob. Pure."""

import hashlib
import json
import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from scheduledjob_operator import names
from scheduledjob_operator.models import ConcurrencyPolicy, ScheduledJobSpec
from scheduledjob_operator.schedule import Schedule, fired_by_operator
from scheduledjob_operator.slots import shortest_gap

Body = dict[str, Any]

RUNNER_UID = 65532
EVIDENCE_MARGIN = timedelta(seconds=5)
"""How much later than a handler's own timeout its Pod is ended, so that the runner can still report."""
STARTUP_ALLOWANCE = timedelta(minutes=1)
"""What a Job may need beyond its attempts and the time they may wait for their start."""

NEVER = "0 0 30 2 *"
"""Schedule of a CronJob that the operator fires: the API server takes it, and it never comes."""
NAMES_KEPT = timedelta(seconds=30)
"""How long at least the finished Jobs of slots stay: a Job's name keeps a slot from being started again."""

_MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "imagePullSecrets": "name",
    "ports": "containerPort",
}
_WHOLE = {"env", "volumes"}
"""Lists of what is one thing or another: merged, it would be both at once, which the API server refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerDefaults:
    """What the operator's installation says about all runs."""

    image: str
    image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: tuple[str, ...] = ()
    priority_class_prefix: str = "scheduledjob-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """Identity of the ScheduledJob."""

    namespace: str
    name: str
    uid: str


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
            "labels": _labels(parent),
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
            "startingDeadlineSeconds": _seconds(spec.starting_deadline),
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


def attempt_deadline(spec: ScheduledJobSpec) -> timedelta:
    """After how long the kubelet ends one attempt. A handler ends itself a little earlier."""
    return spec.timeout + (EVIDENCE_MARGIN if spec.handler else timedelta())


def total_deadline(spec: ScheduledJobSpec) -> timedelta:
    """After how long Kubernetes ends the Job, whatever state it is in."""
    retries = 0 if spec.retry.backoff else spec.retry.limit
    waits = sum(min(10 * 2**n, 600) for n in range(retries))
    attempt = attempt_deadline(spec) + spec.grace_period
    return STARTUP_ALLOWANCE + spec.pending_timeout + (retries + 1) * attempt + timedelta(seconds=waits)


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())


def _labels(parent: Parent) -> dict[str, str]:
    return {names.LABEL_MANAGED_BY: names.MANAGED_BY, names.LABEL_NAME: parent.name}


def _job_template(*, parent: Parent, spec: ScheduledJobSpec, defaults: RunnerDefaults) -> Body:
    labels = _labels(parent)
    if spec.queue:
        labels[names.LABEL_QUEUE] = spec.queue
    return {
        "metadata": {"labels": labels},
        "spec": {
            **_retries(spec),
            "activeDeadlineSeconds": _seconds(total_deadline(spec)),
            "podFailurePolicy": _pod_failure_policy(spec),
            "template": _pod_template(parent=parent, spec=spec, defaults=defaults),
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


def _pod_template(*, parent: Parent, spec: ScheduledJobSpec, defaults: RunnerDefaults) -> Body:
    template = merge(_template_defaults(spec=spec, defaults=defaults), spec.pod_template or {})
    pod: Body = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": _seconds(attempt_deadline(spec)),
        "terminationGracePeriodSeconds": _seconds(spec.grace_period),
        "containers": [_container(parent=parent, spec=spec)],
    }
    if spec.service_account_name:
        pod["serviceAccountName"] = spec.service_account_name
    if spec.priority:
        pod["priorityClassName"] = f"{defaults.priority_class_prefix}{spec.priority.value}"
    return merge(template, {"metadata": {"labels": _labels(parent)}, "spec": pod})


def _template_defaults(*, spec: ScheduledJobSpec, defaults: RunnerDefaults) -> Body:
    """What a podTemplate may override: the restricted Pod Security profile, a writable /tmp."""
    security: Body = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    if spec.image is None:
        security["readOnlyRootFilesystem"] = True
    container: Body = {
        "name": names.CONTAINER,
        "image": defaults.image,
        "imagePullPolicy": defaults.image_pull_policy,
        "securityContext": security,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108  # an emptyDir of the Pod's own
    }
    pod: Body = {
        "automountServiceAccountToken": spec.service_account_name is not None,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": RUNNER_UID,
            "runAsGroup": RUNNER_UID,
            "fsGroup": RUNNER_UID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumes": [{"name": "tmp", "emptyDir": {}}],
        "containers": [container],
    }
    if defaults.image_pull_secrets:
        pod["imagePullSecrets"] = [{"name": name} for name in defaults.image_pull_secrets]
    return {"metadata": {}, "spec": pod}


def _container(*, parent: Parent, spec: ScheduledJobSpec) -> Body:
    user_env = [variable.model_dump(by_alias=True, exclude_none=True) for variable in spec.env]
    container: Body = {
        "name": names.CONTAINER,
        "env": merge_named(_context(parent=parent, spec=spec), user_env, key="name", whole=True),
    }
    if spec.handler:
        container["args"] = ["run", spec.handler]
    if spec.command:
        container["command"] = list(spec.command)
    if spec.image:
        container["image"] = spec.image
    if spec.env_from:
        container["envFrom"] = [
            source.model_dump(by_alias=True, exclude_none=True) for source in spec.env_from
        ]
    if spec.resources:
        container["resources"] = spec.resources.model_dump(by_alias=True, exclude_none=True)
    return container


def _context(*, parent: Parent, spec: ScheduledJobSpec) -> list[Body]:
    """The run's context in environment variables; what differs from run to run by the downward API."""

    def field(path: str) -> Body:
        return {"valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}

    values: dict[str, Body] = {
        "NAME": {"value": parent.name},
        "NAMESPACE": field("metadata.namespace"),
        "POD_NAME": field("metadata.name"),
        "JOB_NAME": field(f"metadata.labels['{names.LABEL_JOB_NAME}']"),
        "SLOT": field(f"metadata.annotations['{names.ANNOTATION_SLOT}']"),
        "TRIGGER": field(f"metadata.annotations['{names.ANNOTATION_TRIGGER}']"),
        "ATTEMPT": field(f"metadata.annotations['{names.ANNOTATION_ATTEMPT}']"),
        "FAILURES": field(f"metadata.annotations['{names.ANNOTATION_FAILURES}']")
        if spec.retry.limit and not spec.retry.backoff
        else {"value": "0"},
        "TIME_ZONE": {"value": spec.time_zone},
        "TIMEOUT_SECONDS": {"value": str(_seconds(spec.timeout))},
        "GRACE_PERIOD_SECONDS": {"value": str(_seconds(spec.grace_period))},
    }
    if spec.handler:
        text = json.dumps(spec.args or {}, ensure_ascii=False, sort_keys=True)
        # The kubelet expands $(NAME) in values, and makes one $ of every two.
        values["ARGS"] = {"value": text.replace("$", "$$")}
    return [{"name": f"{names.ENV_PREFIX}{name}", **value} for name, value in values.items()]


def merge(base: Body, overlay: Body) -> Body:
    """`overlay` over `base`, deeply; lists of named things are merged by their name, other lists replaced.

    Source: the merge keys of Kubernetes' own strategic merge patch.
    """
    result = dict(base)
    for key, value in overlay.items():
        present = result.get(key)
        if isinstance(value, dict) and isinstance(present, dict):
            result[key] = merge(present, value)
        elif isinstance(value, list) and isinstance(present, list) and key in _MERGE_KEYS:
            result[key] = merge_named(present, value, key=_MERGE_KEYS[key], whole=key in _WHOLE)
        else:
            result[key] = value
    return result


def merge_named(base: list[Body], overlay: list[Body], *, key: str, whole: bool = False) -> list[Body]:
    """Two lists of objects as one: those of the same name in place of each other, new ones at the end.

    `whole` replaces an item instead of merging into it, as for a variable, which is either a value or a
    reference.
    """
    if not all(isinstance(item, dict) for item in (*base, *overlay)):
        return overlay  # not what it should be: the API server will say so
    result = {str(item.get(key)): item for item in base}
    for item in overlay:
        name = str(item.get(key))
        result[name] = merge(result[name], item) if name in result and not whole else item
    return list(result.values())
