"""CronJobs as they are desired for a spec, and their parts."""

from typing import Any

from scheduledjob_operator.desired import cron_job
from scheduledjob_operator.models import ScheduledJobSpec
from scheduledjob_operator.pod_template import Parent, RunnerDefaults
from scheduledjob_operator.wanted import schedule_of

Body = dict[str, Any]

DEFAULTS = RunnerDefaults(image="registry.example/job-runner:1.2.3")
PARENT = Parent(namespace="shop", name="hello", uid="5b0c1a6e-0000-4000-8000-000000000009")


def desired(
    spec: Body,
    *,
    defaults: RunnerDefaults = DEFAULTS,
    parent: Parent = PARENT,
    suspended: bool | None = None,
) -> Body:
    read = ScheduledJobSpec.model_validate(spec)
    schedule = schedule_of(read, spread=f"{parent.namespace}/{parent.name}")
    return cron_job(parent=parent, spec=read, schedule=schedule, defaults=defaults, suspended=suspended)


def minimal(**spec: Any) -> Body:
    return desired({"schedule": "@daily", "handler": "hello", **spec})


def pod_of(body: Body) -> Body:
    pod: Body = body["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return pod


def container_of(body: Body, name: str = "job") -> Body:
    (found,) = [entry for entry in pod_of(body)["containers"] if entry["name"] == name]
    container: Body = found
    return container


def env_of(body: Body) -> dict[str, Body]:
    return {variable["name"]: variable for variable in container_of(body)["env"]}
