"""A CronJob that somebody else has made, and a ScheduledJob of the same name."""

import copy
from typing import Any

from scheduledjob_operator.job_names import slot_job
from tests.unit import bodies, managed_fields
from tests.unit.bodies import NAME, Body
from tests.unit.moments import NOON, after_noon, text
from tests.unit.world import World

ADOPT = "scheduledjob.dev/adopt"
TEMPLATE = {
    "spec": {
        "ttlSecondsAfterFinished": 600,
        "template": {
            "spec": {
                "restartPolicy": "OnFailure",
                "containers": [{"name": "worker", "image": "worker:1", "command": ["work"]}],
            }
        },
    }
}
EVERY_MINUTE = {"schedule": "* * * * *", "handler": "sync"}


def job_of(seconds: float) -> str:
    """Name of the Job that Kubernetes makes for the slot so many seconds after noon."""
    return slot_job(NAME, after_noon(seconds))


def foreign(*, wanted: bool = True, owners: list[Body] | None = None, **spec: Any) -> Body:
    """A CronJob as kubectl apply makes it, with a slot every five minutes; that of noon has been started."""
    body = bodies.cron_job(
        spec={"jobTemplate": copy.deepcopy(TEMPLATE), **spec},
        status={"lastScheduleTime": text(NOON)},
        uid="theirs",
        labels={"team": "x"},
        annotations={"kubectl.kubernetes.io/last-applied-configuration": "{}"},
        ownerReferences=owners or [],
        creationTimestamp=text(after_noon(-86400)),
    )
    del body["spec"]["timeZone"]
    fields = set(managed_fields.leaves(body))
    entry = managed_fields.entry("kubectl-client-side-apply", fields, operation="Update")
    body["metadata"]["managedFields"] = [entry]
    return with_wish(body) if wanted else body


def with_wish(body: Body, value: str = "true") -> Body:
    metadata = body["metadata"]
    return {**body, "metadata": {**metadata, "annotations": {**metadata["annotations"], ADOPT: value}}}


def old_job(world: World, name: str, **given: Any) -> Body:
    """A Job by the template of before: it has no label of ours."""
    given.setdefault("ownerReferences", bodies.owner("CronJob", uid="theirs"))
    return world.cluster.put("Job", bodies.job(name, labels={}, **given))


def world_with(spec: Body | None = None, *, punctual: bool = False, **given: Any) -> World:
    """A CronJob of somebody else and a ScheduledJob of its name, at 12:00:30; nobody has looked yet."""
    world = World()
    world.punctual = punctual
    world.restart()
    world.cluster.put("CronJob", foreign(**given))
    world.create(spec)
    return world


def spec_from_scratch(spec: Body | None = None) -> Body:
    """That of the CronJob where there was none before."""
    world = World()
    world.create(spec)
    world.settle()
    found: Body = world.cron_job["spec"]
    return found
