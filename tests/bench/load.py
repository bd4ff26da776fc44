"""What people do: create, change, label and delete ScheduledJobs, as fast as the API server takes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.bench.api import APPLY_PATCH, MERGE_PATCH, Api, Body
from tests.bench.rig import NAMESPACES

GROUP = "/apis/scheduledjob.dev/v1alpha1"
BATCH = "/apis/batch/v1"
ALL = f"{GROUP}/scheduledjobs"


@dataclass(frozen=True)
class Place:
    """Namespace and name of a ScheduledJob, and so of its CronJob."""

    namespace: str
    name: str

    @property
    def scheduled_job(self) -> str:
        return f"{GROUP}/namespaces/{self.namespace}/scheduledjobs/{self.name}"

    @property
    def cron_job(self) -> str:
        return f"{BATCH}/namespaces/{self.namespace}/cronjobs/{self.name}"


def places(count: int) -> list[Place]:
    return [Place(NAMESPACES[number % len(NAMESPACES)], f"report-{number:05d}") for number in range(count)]


def schedule(number: int, *, now: datetime) -> str:
    """Once a day, six to eighteen hours from now: nothing fires while the benchmark runs."""
    due = now + timedelta(hours=6, minutes=number % 720)
    return f"{due.minute} {due.hour} * * *"


def manifest(place: Place, *, number: int, now: datetime, limit: str = "10m") -> Body:
    """A ScheduledJob such as people write."""
    return {
        "apiVersion": "scheduledjob.dev/v1alpha1",
        "kind": "ScheduledJob",
        "metadata": {"namespace": place.namespace, "name": place.name, "labels": {"team": "reports"}},
        "spec": {
            "schedule": schedule(number, now=now),
            "handler": "write_report",
            "args": {"report": number, "recipients": ["a@example.org", "b@example.org"]},
            "env": [
                {"name": "REGION", "value": "eu-central"},
                {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "reports", "key": "token"}}},
            ],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
            "timeout": limit,
            "retry": {"limit": 2},
        },
    }


async def create(api: Api, count: int) -> None:
    """Create so many ScheduledJobs, as fast as the API server takes them."""
    now = datetime.now(UTC)
    await create_all(
        api, (manifest(place, number=number, now=now) for number, place in enumerate(places(count)))
    )


async def create_all(api: Api, bodies: Iterable[Body]) -> None:
    """Create these ScheduledJobs, as fast as the API server takes them."""

    async def one(body: Body) -> None:
        await api.send("POST", f"{GROUP}/namespaces/{body['metadata']['namespace']}/scheduledjobs", body)

    await api.each(bodies, one)


def timed(place: Place, *, number: int, **when: str) -> Body:
    """A ScheduledJob such as people write, due when `when` says; its runs may overlap."""
    body = manifest(place, number=number, now=datetime.now(UTC))
    del body["spec"]["schedule"]
    body["spec"] |= {**when, "concurrencyPolicy": "Allow"}
    return body


async def apply(api: Api, count: int, *, limit: str) -> None:
    """Server-side apply of all of them, as `kubectl apply --server-side` does, with this spec.timeout."""
    now = datetime.now(UTC)

    async def one(item: tuple[int, Place]) -> None:
        number, place = item
        body = manifest(place, number=number, now=now, limit=limit)
        query = "?fieldManager=bench&force=true"
        del body["spec"]["schedule"]  # made of the time of day: leave it as it was created
        await api.send("PATCH", place.scheduled_job + query, body, content_type=APPLY_PATCH)

    await api.each(enumerate(places(count)), one)


async def label(api: Api, count: int, *, value: str) -> None:
    """Put a label on all of them: a change that is none of the operator's business."""
    body = {"metadata": {"labels": {"touched": value}}}

    async def one(place: Place) -> None:
        await api.send("PATCH", place.scheduled_job, body, content_type=MERGE_PATCH)

    await api.each(places(count), one)


async def delete(api: Api) -> None:
    """Delete all ScheduledJobs; their CronJobs and Jobs are left to the garbage collector."""
    for namespace in NAMESPACES:
        await api.send("DELETE", f"{GROUP}/namespaces/{namespace}/scheduledjobs?propagationPolicy=Background")
