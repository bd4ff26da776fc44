"""Manifests of CronJobs become drafts of the same names.

What a ScheduledJob has a field for goes there, and what else the Pod has into podTemplate. The rest of the
Job and the CronJob is named.
"""

import math
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import yaml

from scheduledjob_operator import names
from scheduledjob_operator.cli.importing.findings import (
    LEAST_DEADLINE,
    MOST_DEADLINE,
    Draft,
    Finding,
    Remark,
    UnreadableError,
)
from scheduledjob_operator.models.types import format_duration

Body = dict[str, Any]

MOST_NODES = 100_000
"""More values than the largest manifest has that an API server takes."""

_CRON_JOB = {
    "schedule",
    "timeZone",
    "suspend",
    "concurrencyPolicy",
    "startingDeadlineSeconds",
    "successfulJobsHistoryLimit",
    "failedJobsHistoryLimit",
    "jobTemplate",
}
_JOB = {"backoffLimit", "activeDeadlineSeconds", "template"}
_POD = {"containers", "serviceAccountName", "serviceAccount", "restartPolicy"}
_CONTAINER = {"name", "image", "command", "args", "env", "envFrom", "resources"}
_DEFAULTS = {
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "terminationGracePeriodSeconds": 30,
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "securityContext": {},
}
"""What the API server writes into every Pod by itself."""


def read_cron_jobs(text: str) -> Iterator[Finding]:
    """The CronJobs of a file, be they documents of their own or items of a list."""
    try:
        for node in yaml.compose_all(text, yaml.SafeLoader):
            if node is not None:
                yield from _document(node)
    except RecursionError:
        yield Remark(line=1, text="this is nested too deeply for manifests of CronJobs", malformed=True)
    except yaml.YAMLError as error:
        yield _no_yaml(error, text=text)


def _no_yaml(error: yaml.YAMLError, *, text: str) -> Remark:
    """Where and why a file ends being YAML; what comes before may be imported."""
    if isinstance(error, yaml.reader.ReaderError):
        line, problem = text.count("\n", 0, error.position) + 1, "it has a character that is not allowed"
    else:
        mark = getattr(error, "problem_mark", None)
        line, problem = (mark.line + 1 if mark else 1), getattr(error, "problem", None) or "it breaks off"
    if "'\\t'" in problem:
        problem = "a tab indents it, where only spaces may"
    return Remark(line=line, text=f"this is no YAML: {problem}", malformed=True)


def how_to_adopt(manifests: Iterable[Body]) -> Iterator[str]:
    """What to do so that the ScheduledJobs take over the CronJobs that they were made from."""
    by_namespace: dict[str | None, list[str]] = {}
    for manifest in manifests:
        metadata = manifest["metadata"]
        by_namespace.setdefault(metadata.get("namespace"), []).append(metadata["name"])
    if by_namespace:
        yield (
            "a CronJob of the cluster is taken over, with its Jobs and no slot lost or doubled, once its "
            "ScheduledJob is there and it is annotated:"
        )
    for namespace, found in by_namespace.items():
        where = f" --namespace {namespace}" if namespace else ""
        yield f"  kubectl annotate cronjob{where} {' '.join(found)} {names.ANNOTATION_ADOPT}=true"


def _document(node: yaml.Node) -> Iterator[Finding]:
    if not isinstance(node, yaml.MappingNode):
        line = node.start_mark.line + 1
        yield Remark(line=line, text="this is no manifest: give those of CronJobs", malformed=True)
        return
    fields = {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}
    items = fields.get("items")
    if isinstance(items, yaml.SequenceNode):
        for item in items.value:
            yield from _document(item)
        return
    line = node.start_mark.line + 1
    if _size(node, known={}) > MOST_NODES:
        yield Remark(line=line, text="the manifest is too large with all its aliases", malformed=True)
        return
    try:
        body = yaml.SafeLoader("").construct_document(node)
        if body.get("kind") != "CronJob":
            yield Remark(line=line, text=f"{body.get('kind') or 'a document'} is no CronJob: it is left out")
            return
        yield from _cron_job(body, line=line)
    except UnreadableError as error:
        yield error.at(line)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, yaml.YAMLError):
        text = "the CronJob has not the form of one: compare it with kubectl explain cronjob.spec"
        yield Remark(line=line, text=text, malformed=True)


def _size(node: yaml.Node, *, known: dict[int, float]) -> float:
    """How many values a node has when its aliases are written out; no end where it is part of itself."""
    if id(node) not in known:
        known[id(node)] = math.inf
        children = node.value if isinstance(node, yaml.CollectionNode) else []
        flat = [part for child in children for part in (child if isinstance(child, tuple) else (child,))]
        known[id(node)] = 1 + sum(_size(child, known=known) for child in flat)
    return known[id(node)]


def _cron_job(body: Body, *, line: int) -> Iterator[Finding]:
    """Raises UnreadableError, and KeyError and the like for what is no CronJob."""
    metadata, spec = body["metadata"], body["spec"]
    if owner := next(iter(metadata.get("ownerReferences") or []), None):
        raise UnreadableError(
            f"{metadata['name']} is not imported: it belongs to {owner['kind']} {owner['name']}"
        )
    job = spec["jobTemplate"]["spec"]
    template = job["template"]
    name = str(metadata["name"])
    remarks = [
        f"{name}: {place}.{field} is not carried over, as a ScheduledJob has no such field"
        for place, given, known in (("spec", spec, _CRON_JOB), ("jobTemplate.spec", job, _JOB))
        for field in given
        if field not in known
    ]
    if job.get("activeDeadlineSeconds") is not None:
        remarks.append(f"{name}: activeDeadlineSeconds was for all attempts, and its timeout is for each one")
    if not _has_user(template["spec"]):
        remarks.append(
            f"{name}: it had its image's own user, and now 65532: set runAsUser in podTemplate for another"
        )
    if template["spec"].get("restartPolicy") == "OnFailure":
        remarks.append(f"{name}: restartPolicy is not carried over, as each attempt is a Pod of its own")
    wanted = {**_when(spec), **_what(template, name=name), **_policies(spec, job)}
    yield Draft(line=line, name=name, namespace=metadata.get("namespace"), spec=wanted, exact=True)
    yield from (Remark(line=line, text=text) for text in remarks)


def _when(spec: Body) -> Body:
    when = {"schedule": spec["schedule"]}
    if spec.get("timeZone"):
        when["timeZone"] = spec["timeZone"]
    return {"enabled": False, **when} if spec.get("suspend") else when


def _what(template: Body, *, name: str) -> Body:
    """The fields that say what runs. Raises UnreadableError."""
    pod = template["spec"]
    if len(pod["containers"]) != 1:
        raise UnreadableError(
            f"{name} is not imported: it has several containers, and only one can be the job"
        )
    container = pod["containers"][0]
    if not container.get("command"):
        raise UnreadableError(
            f"{name} is not imported: it runs its image's own entry point: write that as command"
        )
    what: Body = {
        "command": [*container["command"], *container.get("args", [])],
        "image": container["image"],
        **{field: container[field] for field in ("env", "envFrom", "resources") if container.get(field)},
    }
    if account := pod.get("serviceAccountName"):
        what["serviceAccountName"] = account
    if rest := _rest(container, known=_CONTAINER):
        rest = {"containers": [{"name": names.CONTAINER, **rest}]}
    rest |= _rest(pod, known=_POD)
    overlay = {"spec": rest} if rest else {}
    if labels := {key: value for key, value in (template.get("metadata") or {}).items() if value}:
        overlay = {"metadata": labels, **overlay}
    return {**what, "podTemplate": overlay} if overlay else what


def _has_user(pod: Body) -> bool:
    contexts = (one.get("securityContext") or {} for one in (pod, *pod["containers"]))
    return any("runAsUser" in context for context in contexts)


def _rest(given: Body, *, known: set[str]) -> Body:
    """What has no field of its own and is not what it would be anyway."""
    return {
        field: value
        for field, value in given.items()
        if field not in known and (field not in _DEFAULTS or value != _DEFAULTS[field])
    }


def _policies(spec: Body, job: Body) -> Body:
    """With Kubernetes' defaults where nothing is said."""
    policies: Body = {"concurrencyPolicy": spec.get("concurrencyPolicy", "Allow")}
    limit = job.get("backoffLimit", 6)
    if limit:
        policies["retry"] = {"limit": limit}
    if (seconds := spec.get("startingDeadlineSeconds")) is not None:
        late = min(max(timedelta(seconds=seconds), LEAST_DEADLINE), MOST_DEADLINE)
        policies["startingDeadline"] = format_duration(late)
    if (seconds := job.get("activeDeadlineSeconds")) is not None:
        policies["timeout"] = format_duration(timedelta(seconds=seconds))
    kept = {
        field: max(1, spec[given])
        for field, given in (
            ("succeededJobs", "successfulJobsHistoryLimit"),
            ("failedJobs", "failedJobsHistoryLimit"),
        )
        if spec.get(given) is not None
    }
    return {**policies, "history": kept} if kept else policies
