"""The Pods of a ScheduledJob: our defaults, over them its podTemplate, over that its fields. Pure."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from scheduledjob_operator import names
from scheduledjob_operator.merging import merge, merge_named
from scheduledjob_operator.models import ScheduledJobSpec

Body = dict[str, Any]

RUNNER_UID = 65532
EVIDENCE_MARGIN = timedelta(seconds=5)
"""How much later than a handler's own timeout its Pod is ended, so that the runner can still report."""


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


def pod_template(*, parent: Parent, spec: ScheduledJobSpec, defaults: RunnerDefaults) -> Body:
    """A Pod template as a Job has it."""
    template = merge(_template_defaults(spec=spec, defaults=defaults), spec.pod_template or {})
    pod: Body = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": seconds(attempt_deadline(spec)),
        "terminationGracePeriodSeconds": seconds(spec.grace_period),
        "containers": [_container(parent=parent, spec=spec)],
    }
    if spec.service_account_name:
        pod["serviceAccountName"] = spec.service_account_name
    if spec.priority:
        pod["priorityClassName"] = f"{defaults.priority_class_prefix}{spec.priority.value}"
    return merge(template, {"metadata": {"labels": labels_of(parent)}, "spec": pod})


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
        "TIMEOUT_SECONDS": {"value": str(seconds(spec.timeout))},
        "GRACE_PERIOD_SECONDS": {"value": str(seconds(spec.grace_period))},
    }
    if spec.handler:
        text = json.dumps(spec.args or {}, ensure_ascii=False, sort_keys=True)
        # The kubelet expands $(NAME) in values, and makes one $ of every two.
        values["ARGS"] = {"value": text.replace("$", "$$")}
    return [{"name": f"{names.ENV_PREFIX}{name}", **value} for name, value in values.items()]


def attempt_deadline(spec: ScheduledJobSpec) -> timedelta:
    """After how long the kubelet ends one attempt. A handler ends itself a little earlier."""
    return spec.timeout + (EVIDENCE_MARGIN if spec.handler else timedelta())


def seconds(duration: timedelta) -> int:
    """Whole seconds, as Kubernetes counts."""
    return int(duration.total_seconds())


def labels_of(parent: Parent) -> dict[str, str]:
    """The labels of all that is made for a ScheduledJob."""
    return {names.LABEL_MANAGED_BY: names.MANAGED_BY, names.LABEL_NAME: parent.name}
