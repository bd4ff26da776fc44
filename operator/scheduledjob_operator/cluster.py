"""What the operator needs of a cluster: a small Protocol for all its I/O, and how things are called there."""

import os
from collections.abc import Mapping
from typing import Any, Protocol
from uuid import uuid4

from scheduledjob_operator import names
from scheduledjob_operator.models.types import format_time

Body = dict[str, Any]

PATHS = {
    "CronJob": ("apis/batch/v1", "cronjobs"),
    "Job": ("apis/batch/v1", "jobs"),
    "Pod": ("api/v1", "pods"),
    "Namespace": ("api/v1", "namespaces"),
    "Event": ("apis/events.k8s.io/v1", "events"),
    "Lease": ("apis/coordination.k8s.io/v1", "leases"),
    names.KIND: (f"apis/{names.API_VERSION}", names.PLURAL),
}


class ApiError(Exception):
    """The API server refused a request, or could not be asked.

    `status` is the HTTP status, 0 when there was no answer; `message` is the API server's own sentence.
    """

    def __init__(self, *, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}" if status else message)
        self.status = status
        self.reason = reason
        self.message = message

    @property
    def is_malformed(self) -> bool:
        """Whether what was sent is no object of its kind, whatever there is already."""
        return "typed patch object" in self.message

    @property
    def is_refusal(self) -> bool:
        """Whether the same request will be refused again: the fault is in what was asked for."""
        if names.LATE_WRITE in self.message:
            return False  # it was on its way for too long
        return self.status in (400, 403, 405, 413, 415, 422) or self.is_malformed


class Cluster(Protocol):
    """What the reconciler needs from a cluster. Every method raises ApiError."""

    async def get(self, kind: str, *, namespace: str | None, name: str) -> Body | None:
        """The object; None when there is none."""

    async def apply_cron_job(self, body: Body, *, force: bool, dry_run: bool = False) -> Body:
        """Server-side apply of a CronJob with our field manager; the object as it is then, or would be."""

    async def rehearse_cron_job(self, body: Body) -> None:
        """Ask whether a CronJob may become `body`, which nothing is merged into; nothing is changed.

        `body` has the resourceVersion that it is compared with.
        """

    async def patch_cron_job_status(
        self, *, namespace: str, name: str, body: Body, resource_version: str | None = None
    ) -> Body:
        """Merge `body` into the CronJob's status, if it is still at `resource_version` or none is given."""

    async def annotate_cron_job(self, *, namespace: str, name: str, uid: str, annotations: Body) -> Body:
        """Merge annotations into the CronJob of that uid."""

    async def create_job(self, body: Body) -> Body:
        """Create a Job; 409 when one of its name exists."""

    async def patch_job(self, *, namespace: str, name: str, uid: str, patch: Body) -> Body:
        """Merge `patch` into the Job of that uid."""

    async def delete_job(self, *, namespace: str, name: str, uid: str) -> None:
        """Delete the Job of that uid, its Pods in the background."""

    async def warnings_about(self, *, namespace: str, uid: str) -> list[str]:
        """What the Warning Events about an object say, oldest first."""

    async def set_managed_fields(
        self, *, namespace: str, name: str, resource_version: str, entries: list[Body], annotations: Body
    ) -> Body:
        """Replace the CronJob's managedFields and annotations, if it is still at `resource_version`."""

    async def patch_status(self, *, namespace: str, name: str, resource_version: str, patch: Body) -> Body:
        """Merge `patch` into the ScheduledJob's status, if it is still at that version; the object then."""

    async def post_event(self, event: Body) -> None:
        """Create an Event."""

    async def jobs_without(self, label: str, *, namespace: str, owner: str) -> list[Body]:
        """The Jobs of a namespace that do not carry a label, and whose controller has the uid `owner`."""

    async def list_uids(self, kind: str, *, namespace: str | None) -> dict[tuple[str, str], str]:
        """(namespace, name) -> uid of every object of a kind, metadata only."""


class Turn(Protocol):
    """Whose turn it is to write: see `election`."""

    @property
    def leading(self) -> bool:
        """Whether it is ours."""

    @property
    def seconds_left(self) -> float:
        """How long it takes until it may be another's."""


def path(kind: str, *, namespace: str | None, name: str | None = None, subresource: str | None = None) -> str:
    """The URL path of an object, of a kind in a namespace, or of a kind in all namespaces."""
    group_version, plural = PATHS[kind]
    parts = [group_version]
    if namespace is not None:
        parts += ["namespaces", namespace]
    parts += [part for part in (plural, name, subresource) if part]
    return "/" + "/".join(parts)


def event_body(*, kind: str, namespace: str, name: str, uid: str, details: Mapping[str, Any]) -> Body:
    """An Event about an object. `details`: type, reason, note, action and time (aware datetime)."""
    time = details["time"]
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"namespace": namespace, "name": f"{name}.{uuid4().hex[:16]}"},
        "eventTime": f"{format_time(time)[:-1]}.{time.microsecond:06d}Z",
        "type": details["type"],
        "reason": details["reason"],
        "action": details["action"],
        "note": details["note"][:1024],
        "regarding": {
            "apiVersion": names.API_VERSION,
            "kind": kind,
            "namespace": namespace,
            "name": name,
            "uid": uid,
        },
        "reportingController": f"{names.GROUP}/{names.FIELD_MANAGER}",
        "reportingInstance": os.environ.get("HOSTNAME", "local"),
    }
