"""What a CronJob runs, as fields of a ScheduledJob, and as podTemplate what these do not say.

podTemplate also has what a Pod is by Kubernetes' defaults and would not be by a ScheduledJob's.
"""

from typing import Any

from scheduledjob_operator import names
from scheduledjob_operator.cli.importing.cron_job_security import (
    init_context,
    job_context,
    pod_context,
    restrictions,
)
from scheduledjob_operator.cli.importing.findings import UnreadableError

Body = dict[str, Any]

OWN_LABELS = {names.LABEL_MANAGED_BY, names.LABEL_NAME}

_POD = {
    "activeDeadlineSeconds",
    "automountServiceAccountToken",
    "containers",
    "enableServiceLinks",
    "initContainers",
    "restartPolicy",
    "securityContext",
    "serviceAccount",
    "serviceAccountName",
    "terminationGracePeriodSeconds",
    "volumes",
}
_CONTAINER = {
    "args",
    "command",
    "env",
    "envFrom",
    "image",
    "name",
    "resources",
    "securityContext",
    "volumeMounts",
}
_DEFAULTS = {
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
"""What the API server writes into every Pod by itself."""
_TMP = "job-tmp"
"""The volume on /tmp where another one is named as that of a ScheduledJob is."""


def what(template: Body, *, remarks: list[str]) -> Body:
    """The fields that say what runs. Raises UnreadableError."""
    pod = template["spec"]
    container = _only_container(pod)
    fields: Body = {
        "command": [*container["command"], *(container.get("args") or [])],
        "image": container["image"],
    }
    if env := _env(container, remarks=remarks):
        fields["env"] = _renamed(env, old=container["name"])
    if container.get("envFrom"):
        fields["envFrom"] = container["envFrom"]
    if resources := _resources(container):
        fields["resources"] = resources
    if account := pod.get("serviceAccountName") or pod.get("serviceAccount"):
        fields["serviceAccountName"] = account
    if sentence := restrictions(pod):
        remarks.append(sentence)
    overlay = _metadata(template.get("metadata") or {}, remarks=remarks)
    rest = _renamed(_pod(pod, container=container, account=account), old=container["name"])
    if rest:
        overlay["spec"] = rest
    return {**fields, "podTemplate": overlay} if overlay else fields


def _only_container(pod: Body) -> Body:
    containers: list[Body] = pod["containers"]
    if len(containers) != 1:
        raise UnreadableError("it has several containers, and only one can be the job")
    if not containers[0].get("command"):
        raise UnreadableError("it runs its image's own entry point: write that as command")
    if any(one["name"] == names.CONTAINER for one in pod.get("initContainers") or []):
        raise UnreadableError("an init container is named job, as the run's own has to be: rename it")
    if (pod.get("os") or {}).get("name") == "windows":
        raise UnreadableError("it is for Windows, and the Pods of a ScheduledJob are for Linux")
    return containers[0]


def _env(container: Body, *, remarks: list[str]) -> list[Body]:
    """Each name once: the last one is what a container gets."""
    found: dict[str, Body] = {}
    for variable in container.get("env") or []:
        name = variable["name"]
        if name in found:
            remarks.append(f"the variable {name} is given more than once: only the last one is carried over")
        found[name] = variable
    return list(found.values())


def _resources(container: Body) -> Body:
    """A quantity with a fraction becomes a text, which is the same to Kubernetes."""
    given = container.get("resources") or {}
    return {
        field: {
            name: str(amount) if isinstance(amount, float) else amount
            for name, amount in given[field].items()
        }
        for field in ("limits", "requests")
        if given.get(field)
    }


def _metadata(given: Body, *, remarks: list[str]) -> Body:
    labels = given.get("labels") or {}
    if taken := sorted(OWN_LABELS & labels.keys()):
        remarks.append(f"its Pods get the operator's own value of the label {' and '.join(taken)}")
    kept = {**given, "labels": {key: value for key, value in labels.items() if key not in OWN_LABELS}}
    metadata = {key: value for key, value in kept.items() if value}
    return {"metadata": metadata} if metadata else {}


def _pod(pod: Body, *, container: Body, account: str | None) -> Body:
    """What is said about the Pod beyond the fields of a ScheduledJob."""
    token = pod.get("automountServiceAccountToken") is not False
    result: Body = {}
    if token != bool(account):
        result["automountServiceAccountToken"] = token
    if pod.get("enableServiceLinks") is not False:
        result["enableServiceLinks"] = True
    if context := pod_context(pod):
        result["securityContext"] = context
    volumes = list(pod.get("volumes") or [])
    job = _job(container, pod=pod)
    if _takes_the_name_of_tmp(pod, container=container):
        volumes.append({"name": _TMP, "emptyDir": {}})
        mounts = job.get("volumeMounts", [])
        job["volumeMounts"] = [*mounts, {"name": _TMP, "mountPath": "/tmp"}]  # noqa: S108  # as desired has it
    if inits := [_init(one, pod=pod) for one in pod.get("initContainers") or []]:
        result["initContainers"] = inits
    if job:
        result["containers"] = [{"name": names.CONTAINER, **job}]
    if volumes:
        result["volumes"] = volumes
    return {**result, **_rest(pod, known=_POD)}


def _job(container: Body, *, pod: Body) -> Body:
    result: Body = {}
    if context := job_context(container, pod=pod):
        result["securityContext"] = context
    if container.get("volumeMounts"):
        result["volumeMounts"] = list(container["volumeMounts"])
    resources = container.get("resources") or {}
    if rest := {key: value for key, value in resources.items() if key not in {"limits", "requests"}}:
        result["resources"] = rest
    if not container.get("imagePullPolicy") and _is_latest(container["image"]):
        result["imagePullPolicy"] = "Always"
    return {**result, **_rest(container, known=_CONTAINER)}


def _init(container: Body, *, pod: Body) -> Body:
    context = init_context(container, pod=pod)
    rest = _rest(container, known={"securityContext"})
    return {**rest, "securityContext": context} if context else rest


def _takes_the_name_of_tmp(pod: Body, *, container: Body) -> bool:
    """Whether a volume would come into the place of the one on /tmp."""
    on_tmp = any(mount["mountPath"] == "/tmp" for mount in container.get("volumeMounts") or [])  # noqa: S108
    return not on_tmp and any(volume["name"] == "tmp" for volume in pod.get("volumes") or [])


def _is_latest(image: str) -> bool:
    """Whether Kubernetes pulls it for every run when nothing is said."""
    _, _, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    return "@" not in image and tag in {"", "latest"}


def _rest(given: Body, *, known: set[str]) -> Body:
    """What has no field of its own and is not what it would be anyway."""
    return {
        field: value
        for field, value in given.items()
        if field not in known and value is not None and (field not in _DEFAULTS or value != _DEFAULTS[field])
    }


def _renamed(value: Any, *, old: str) -> Any:
    """With the name that the container has in a ScheduledJob's Pod wherever it is referred to."""
    if isinstance(value, list):
        return [_renamed(one, old=old) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: names.CONTAINER if (key, one) == ("containerName", old) else _renamed(one, old=old)
        for key, one in value.items()
    }
