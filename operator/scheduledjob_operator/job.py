"""The Job of a run that the operator starts, made from the CronJob's template. Pure."""

import json
from typing import Any

from scheduledjob_operator import names
from scheduledjob_operator.models import PendingRun
from scheduledjob_operator.models.types import format_time
from scheduledjob_operator.requests import Overrides

Body = dict[str, Any]


def job(*, run: PendingRun, cron_job: Body, uid: str, overrides: Overrides | None) -> Body:
    """The Job of a run's next attempt, owned by the CronJob as `kubectl create job --from` does it.

    `cron_job` is the desired one, `uid` that of the one that exists. What the run is, its Pod learns from
    annotations through the downward API.
    """
    metadata, template = cron_job["metadata"], cron_job["spec"]["jobTemplate"]
    annotations = _annotations(run)
    pod = template["spec"]["template"]
    told = pod.get("metadata", {})
    own_pod = {
        "metadata": {**told, "annotations": {**told.get("annotations", {}), **annotations}},
        "spec": pod["spec"] if overrides is None else _overridden(pod["spec"], overrides),
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": run.job_name,
            "namespace": metadata["namespace"],
            "labels": dict(template["metadata"]["labels"]),
            "annotations": annotations,
            "ownerReferences": [
                {
                    "apiVersion": "batch/v1",
                    "kind": "CronJob",
                    "name": metadata["name"],
                    "uid": uid,
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": {**template["spec"], "template": own_pod},
    }


def _annotations(run: PendingRun) -> dict[str, str]:
    values = {
        names.ANNOTATION_TRIGGER: str(run.trigger),
        names.ANNOTATION_ATTEMPT: str(run.attempt),
        names.ANNOTATION_RUN_ID: run.id,
        names.ANNOTATION_SLOT: format_time(run.slot) if run.slot else None,
        names.ANNOTATION_REQUESTED_BY: run.requested_by,
        names.ANNOTATION_REQUEST: run.request,
        names.ANNOTATION_RETRY_OF: run.retry_of,
        names.ANNOTATION_OVERRIDDEN: "true" if run.overridden else None,
    }
    return {key: value for key, value in values.items() if value is not None}


def _overridden(pod: Body, overrides: Overrides) -> Body:
    """The Pod's spec with arguments and variables of this run in the place of the ScheduledJob's own."""
    values = dict(overrides.env or {})
    if overrides.args is not None:
        values[names.ENV_ARGS] = json.dumps(overrides.args, ensure_ascii=False, sort_keys=True)
    # The kubelet expands $(NAME) in values, and makes one $ of every two.
    given = {name: {"name": name, "value": value.replace("$", "$$")} for name, value in values.items()}
    containers = [
        container if container["name"] != names.CONTAINER else _with_env(container, given=given)
        for container in pod["containers"]
    ]
    return {**pod, "containers": containers}


def _with_env(container: Body, *, given: dict[str, Body]) -> Body:
    kept = [entry for entry in container.get("env", []) if entry["name"] not in given]
    return {**container, "env": [*kept, *given.values()]}
