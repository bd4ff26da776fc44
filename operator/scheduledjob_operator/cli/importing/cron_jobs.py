"""Manifests of CronJobs become drafts of the same names.

What a ScheduledJob has a field for goes there (`cron_job_policies`), and what else the Pod has into
podTemplate (`cron_job_pod`, `cron_job_security`). The rest of the Job and the CronJob is named.
"""

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from scheduledjob_operator import names
from scheduledjob_operator.cli.importing.cron_job_pod import OWN_LABELS, what
from scheduledjob_operator.cli.importing.cron_job_policies import policies, when
from scheduledjob_operator.cli.importing.findings import Draft, Finding, Remark, UnreadableError
from scheduledjob_operator.cli.importing.manifests import Options

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
_JOB_DEFAULTS = {"completions": 1, "parallelism": 1, "completionMode": "NonIndexed", "suspend": False}
_NOBODYS = {"kubectl.kubernetes.io/last-applied-configuration"}
"""Annotations that say nothing about a Job."""


class _Loader(yaml.SafeLoader):
    """Reads a date as the text that it is in JSON."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_cron_jobs(text: str, *, options: Options) -> Iterator[Finding]:
    """The CronJobs of a file, be they documents of their own or items of a list."""
    without_zone = None
    try:
        for node in yaml.compose_all(text, _Loader):
            for finding in _document(node, options=options) if node is not None else ():
                if without_zone is None and isinstance(finding, Draft) and _goes_by_the_cluster(finding):
                    without_zone = finding.line
                yield finding
    except RecursionError:
        yield Remark(line=1, text="this is nested too deeply for manifests of CronJobs", malformed=True)
    except yaml.YAMLError as error:
        yield _no_yaml(error, text=text)
    if without_zone is not None:
        sentence = (
            "schedules without a timeZone, from here on, are taken for UTC, where Kubernetes goes by the "
            "zone of its controller manager: give another one with --time-zone"
        )
        yield Remark(line=without_zone, text=sentence)


def _goes_by_the_cluster(draft: Draft) -> bool:
    return "schedule" in draft.spec and "timeZone" not in draft.spec


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
            "a CronJob of the cluster is taken over, with its Jobs and between two slots, once its "
            "ScheduledJob is there and it is annotated:"
        )
    for namespace, found in by_namespace.items():
        where = f" --namespace {namespace}" if namespace else ""
        yield f"  kubectl annotate cronjob{where} {' '.join(found)} {names.ANNOTATION_ADOPT}=true"


def _document(node: yaml.Node, *, options: Options) -> Iterator[Finding]:
    if not isinstance(node, yaml.MappingNode):
        line = node.start_mark.line + 1
        yield Remark(line=line, text="this is no manifest: give those of CronJobs", malformed=True)
        return
    fields = {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}
    items = fields.get("items")
    if isinstance(items, yaml.SequenceNode):
        for item in items.value:
            yield from _document(item, options=options)
        return
    line = node.start_mark.line + 1
    if _size(node, known={}) > MOST_NODES:
        yield Remark(line=line, text="the manifest is too large with all its aliases", malformed=True)
        return
    try:
        body = _Loader("").construct_document(node)
        if body.get("kind") != "CronJob":
            yield Remark(line=line, text=f"{body.get('kind') or 'a document'} is no CronJob: it is left out")
            return
        json.dumps(body)  # what YAML can say beyond JSON is no manifest
        yield from _cron_job(body, line=line, options=options)
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


def _cron_job(body: Body, *, line: int, options: Options) -> Iterator[Finding]:
    """Raises UnreadableError, and KeyError and the like for what is no CronJob."""
    metadata = body["metadata"]
    name = str(metadata["name"])
    remarks: list[str] = []
    try:
        _check_place(metadata, options=options)
        spec = _spec(body["spec"], options=options, remarks=remarks)
    except UnreadableError as error:
        raise UnreadableError(f"{name} is not imported: {error}") from None
    yield Draft(line=line, name=name, namespace=metadata.get("namespace"), spec=spec, exact=True)
    yield from (Remark(line=line, text=f"{name}: {text}") for text in remarks)


def _check_place(metadata: Body, *, options: Options) -> None:
    """Raises UnreadableError for a CronJob that no ScheduledJob could take over."""
    owners = metadata.get("ownerReferences") or []
    if owner := next((one for one in owners if one.get("controller")), None):
        raise UnreadableError(f"it belongs to {owner['kind']} {owner['name']}")
    namespace = metadata.get("namespace")
    if namespace and options.namespace and namespace != options.namespace:
        raise UnreadableError(
            f"it is in the namespace {namespace}, where its ScheduledJob has to be, too: leave "
            f"--namespace {options.namespace} out"
        )


def _spec(spec: Body, *, options: Options, remarks: list[str]) -> Body:
    job = spec["jobTemplate"]["spec"]
    template = job["template"]
    for place, given, known in (("spec", spec, _CRON_JOB), ("jobTemplate.spec", job, _JOB)):
        remarks.extend(
            f"{place}.{field} is not carried over, as a ScheduledJob has no such field"
            for field, value in given.items()
            if field not in known and value is not None and _JOB_DEFAULTS.get(field) != value
        )
    if template["spec"].get("restartPolicy") == "OnFailure":
        remarks.append("restartPolicy is not carried over, as each attempt is a Pod of its own")
    return {
        **when(spec, time_zone=options.time_zone, remarks=remarks),
        **what(template, remarks=remarks),
        **policies(spec, job, template["spec"], remarks=remarks),
        **_queue(spec["jobTemplate"].get("metadata") or {}, remarks=remarks),
    }


def _queue(metadata: Body, *, remarks: list[str]) -> Body:
    """The one label of a Job that has a field; the others are named."""
    labels = dict(metadata.get("labels") or {})
    queue = labels.pop(names.LABEL_QUEUE, None)
    left = [f"label {key}" for key in labels if key not in OWN_LABELS]
    left += [f"annotation {key}" for key in metadata.get("annotations") or {} if key not in _NOBODYS]
    if left:
        remarks.append(
            "jobTemplate.metadata is not carried over, as Jobs have what the operator gives them: "
            f"{', '.join(left)}"
        )
    return {"queue": queue} if queue else {}
