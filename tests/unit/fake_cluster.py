"""The one fake of the Cluster protocol: an API server in memory.

It stores bodies, counts resource versions, owns fields by manager, checks a status against the definition,
writes down every request, and can be told to refuse, to be unreachable, or to lose the answer to a write.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import jsonschema  # type: ignore[import-untyped]  # it has no types

from scheduledjob_operator import names
from scheduledjob_operator.cluster import ApiError
from scheduledjob_operator.crd import custom_resource_definition
from tests.unit import managed_fields
from tests.unit.copying import copied
from tests.unit.merge_patch import merge_patch
from tests.unit.moments import text

Body = dict[str, Any]
Id = tuple[str, str, str]
"""Kind, namespace, name."""

READS = {"get", "list"}
LOST = "the write is done and its answer is lost"


class Request(NamedTuple):
    """What the operator asked for."""

    verb: str
    kind: str
    name: str
    body: Any = None
    dry: bool = False
    """A dry run: it changes nothing, and is no write."""


class Change(NamedTuple):
    """An object before and after a write; None where there is none."""

    kind: str
    before: Body | None
    after: Body | None


def refused(status: int, message: str = "refused", reason: str = "") -> ApiError:
    return ApiError(status=status, reason=reason, message=message)


UNREACHABLE = refused(0, "connection refused")
OVERLOADED = refused(500, "etcdserver: request timed out")
QUOTA = refused(
    403, 'cronjobs.batch "portfolio-sync" is forbidden: exceeded quota: few, requested: 1, used: 1'
)


class FakeCluster:
    """Objects by kind, namespace and name: the operator sees the protocol, the tests the rest."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.objects: dict[Id, Body] = {}
        self.changes: list[Change] = []
        """Every change since the beginning: what the watches show."""
        self.requests: list[Request] = []
        self.writes: list[Request] = []
        """Requests that changed something, or would have."""
        self.outcomes: deque[ApiError | str | None] = deque()
        """What becomes of the next requests: an error, LOST, or None for what should be."""
        self.rule: Callable[[Request], ApiError | None] = lambda _request: None
        """What becomes of each request, for as long as it stands."""
        self.warnings: dict[str, list[str]] = {}
        """What Warning Events say, by the uid of what they are about."""
        self._version = 1000

    # The protocol

    async def get(self, kind: str, *, namespace: str | None, name: str) -> Body | None:
        if await self._begin(Request("get", kind, name)):
            raise UNREACHABLE
        return copied(self.objects.get((kind, namespace or "", name)))

    async def apply_cron_job(self, body: Body, *, force: bool, dry_run: bool = False) -> Body:
        request = Request("apply", "CronJob", body["metadata"]["name"], copied(body), dry=dry_run)
        lost = await self._begin(request)
        where = ("CronJob", body["metadata"]["namespace"], body["metadata"]["name"])
        live = self.objects.get(where)
        if not self._is_meant(body, live=live):
            if live is None:
                raise refused(409, "uid mismatch: no existing object was found", "Conflict")
            raise refused(422, "metadata.uid: Invalid value: field is immutable", "Invalid")
        body = {**body, "metadata": {k: v for k, v in body["metadata"].items() if k != "uid"}}
        try:
            applied = managed_fields.apply(live, body, manager=names.FIELD_MANAGER, force=force)
        except managed_fields.ConflictError:
            raise refused(409, "Apply failed with 1 conflict", "Conflict") from None
        answer = self._as_written(where, applied) if dry_run else self._write(where, applied)
        return self._done(request, answer, lost=lost)

    async def rehearse_cron_job(self, body: Body) -> None:
        metadata = body["metadata"]
        request = Request("rehearse", "CronJob", metadata["name"], copied(body), dry=True)
        lost = await self._begin(request)
        live = self._existing("CronJob", metadata["namespace"], metadata["name"])
        if live["metadata"]["resourceVersion"] != metadata["resourceVersion"]:
            raise refused(409, "the object has been modified", "Conflict")
        self._done(request, {}, lost=lost)

    @staticmethod
    def _is_meant(body: Body, *, live: Body | None) -> bool:
        uid = body["metadata"].get("uid")
        return uid is None or (live is not None and live["metadata"]["uid"] == uid)

    async def patch_cron_job_status(
        self, *, namespace: str, name: str, body: Body, resource_version: str | None = None
    ) -> Body:
        request = Request("tell" if "active" in body else "fence", "CronJob", name, copied(body))
        lost = await self._begin(request)
        live = self._existing("CronJob", namespace, name)
        if resource_version and live["metadata"]["resourceVersion"] != resource_version:
            raise refused(409, "the object has been modified", "Conflict")
        changed = {**live, "status": merge_patch(live.get("status", {}), body)}
        return self._done(request, self.put("CronJob", changed), lost=lost)

    async def annotate_cron_job(self, *, namespace: str, name: str, uid: str, annotations: Body) -> Body:
        request = Request("annotate", "CronJob", name, copied(annotations))
        lost = await self._begin(request)
        live = self._of_uid("CronJob", namespace, name, uid=uid)
        changed = merge_patch(live, {"metadata": {"annotations": annotations}})
        return self._done(request, self.put("CronJob", changed), lost=lost)

    async def create_job(self, body: Body) -> Body:
        metadata = body["metadata"]
        request = Request("create", "Job", metadata["name"], copied(body))
        lost = await self._begin(request)
        where = ("Job", metadata["namespace"], metadata["name"])
        if where in self.objects:
            raise refused(409, f'jobs.batch "{metadata["name"]}" already exists', "AlreadyExists")
        given = {"uid": f"job-{self._next_version()}", "creationTimestamp": text(self._clock())}
        made = {**body, "metadata": {**metadata, **given}, "status": {"startTime": text(self._clock())}}
        return self._done(request, self.put("Job", made), lost=lost)

    async def patch_job(self, *, namespace: str, name: str, uid: str, patch: Body) -> Body:
        verb = "label" if "labels" in patch["metadata"] else "end"
        request = Request(verb, "Job", name, copied(patch))
        lost = await self._begin(request)
        live = self._of_uid("Job", namespace, name, uid=uid)
        return self._done(request, self.put("Job", merge_patch(live, patch)), lost=lost)

    async def delete_job(self, *, namespace: str, name: str, uid: str) -> None:
        request = Request("delete", "Job", name)
        lost = await self._begin(request)
        self._of_uid("Job", namespace, name, uid=uid)
        self.delete("Job", namespace, name)
        self._done(request, {}, lost=lost)

    async def warnings_about(self, *, namespace: str, uid: str) -> list[str]:
        await self._begin(Request("list", "Event", namespace))
        return list(self.warnings.get(uid, ()))

    async def set_managed_fields(
        self, *, namespace: str, name: str, resource_version: str, entries: list[Body], annotations: Body
    ) -> Body:
        request = Request("reclaim", "CronJob", name, copied(entries))
        lost = await self._begin(request)
        live = self._existing("CronJob", namespace, name)
        if live["metadata"]["resourceVersion"] != resource_version:
            raise refused(409, "the object has been modified", "Conflict")
        given = {**live, "metadata": {**live["metadata"], "managedFields": copied(entries)}}
        changed = {**given, "metadata": {**given["metadata"], "annotations": dict(annotations)}}
        updated = managed_fields.update(given, changed, manager=names.FIELD_MANAGER)
        return self._done(request, self._write(("CronJob", namespace, name), updated), lost=lost)

    async def patch_status(self, *, namespace: str, name: str, resource_version: str, patch: Body) -> Body:
        request = Request("status", names.KIND, name, copied(patch))
        lost = await self._begin(request)
        live = self._existing(names.KIND, namespace, name)
        if live["metadata"]["resourceVersion"] != resource_version:
            raise refused(409, "the object has been modified; please apply your changes", "Conflict")
        status = merge_patch(live.get("status", {}), patch)
        if complaint := next(STATUS_SCHEMA.iter_errors(status), None):
            raise refused(422, f"status.{complaint.json_path}: {complaint.message}", "Invalid")
        return self._done(request, self.put(names.KIND, {**live, "status": status}), lost=lost)

    async def post_event(self, event: Body) -> None:
        request = Request("event", "Event", event["regarding"]["name"], copied(event))
        self._done(request, {}, lost=await self._begin(request))

    async def jobs_without(self, label: str, *, namespace: str, owner: str) -> list[Body]:
        if await self._begin(Request("list", "Job", namespace)):
            raise UNREACHABLE
        return [
            body
            for body in self.of_kind("Job")
            if body["metadata"]["namespace"] == namespace
            and label not in (body["metadata"].get("labels") or {})
            and owner in [entry["uid"] for entry in body["metadata"].get("ownerReferences", ())]
        ]

    async def list_uids(self, kind: str, *, namespace: str | None) -> dict[tuple[str, str], str]:
        await self._begin(Request("list", kind, ""))
        return {
            (where[1], where[2]): body["metadata"]["uid"]
            for where, body in self.objects.items()
            if where[0] == kind and namespace in (None, where[1])
        }

    # For the tests

    def events(self) -> list[tuple[str, str]]:
        """(reason, note) of all Events that were posted, oldest first."""
        return [(write.body["reason"], write.body["note"]) for write in self.writes if write.verb == "event"]

    def put(self, kind: str, body: Body) -> Body:
        """Create or replace an object as it is given, with a new resource version."""
        metadata = body["metadata"]
        where = (kind, metadata.get("namespace", ""), metadata["name"])
        before = self.objects.get(where)
        same = before is not None and _less_version(before) == _less_version(body)
        if before is not None and same:
            return copied(before)
        after = copied(body)
        after["metadata"]["resourceVersion"] = self._next_version()
        if before is not None and before.get("spec") != after.get("spec"):
            after["metadata"]["generation"] = before["metadata"].get("generation", 1) + 1
        self.objects[where] = after
        self.changes.append(Change(kind, before, copied(after)))
        return copied(after)

    def edit(
        self, kind: str, namespace: str, name: str, change: Callable[[Body], None], *, manager: str
    ) -> None:
        """An update by somebody else, with what it does to the ownership of fields."""
        live = self._existing(kind, namespace, name)
        changed = copied(live)
        change(changed)
        updated = managed_fields.update(live, changed, manager=manager)
        self._write((kind, namespace, name), updated)

    def delete(self, kind: str, namespace: str, name: str) -> None:
        """The object is gone; what it owned goes with it."""
        body = self.objects.pop((kind, namespace, name))
        last = {**body, "metadata": {**body["metadata"], "resourceVersion": self._next_version()}}
        self.changes.append(Change(kind, last, None))
        for where, child in list(self.objects.items()):
            owners = child["metadata"].get("ownerReferences", [])
            if where in self.objects and body["metadata"]["uid"] in [owner["uid"] for owner in owners]:
                self.delete(*where)

    def collect_garbage(self) -> None:
        """Delete what is owned by something that does not exist (any more)."""
        uids = {body["metadata"]["uid"] for body in self.objects.values()}
        for where, body in list(self.objects.items()):
            owners = {owner["uid"] for owner in body["metadata"].get("ownerReferences", [])}
            if where in self.objects and owners and not owners & uids:
                self.delete(*where)

    def of_kind(self, kind: str) -> list[Body]:
        return [copied(body) for where, body in self.objects.items() if where[0] == kind]

    async def _begin(self, request: Request) -> bool:
        """Whether the answer will be lost."""
        await asyncio.sleep(0)
        self.requests.append(request)
        if error := self.rule(request):
            raise error
        outcome = self.outcomes.popleft() if self.outcomes else None
        if isinstance(outcome, ApiError):
            raise outcome
        return outcome == LOST

    def _done(self, request: Request, answer: Body, *, lost: bool) -> Body:
        if not request.dry:
            self.writes.append(request)
        if lost:
            raise UNREACHABLE
        return answer

    def _existing(self, kind: str, namespace: str, name: str) -> Body:
        if (kind, namespace, name) not in self.objects:
            raise refused(404, f'{kind} "{name}" not found', "NotFound")
        return self.objects[kind, namespace, name]

    def _of_uid(self, kind: str, namespace: str, name: str, *, uid: str) -> Body:
        live = self._existing(kind, namespace, name)
        if live["metadata"]["uid"] != uid:
            raise refused(409, f"Precondition failed: UID in precondition: {uid}", "Conflict")
        return live

    def _write(self, where: Id, managed: Body) -> Body:
        """Put the managed part of an object, with what the API server itself fills in."""
        return self.put(where[0], self._as_written(where, managed))

    def _as_written(self, where: Id, managed: Body) -> Body:
        kind, namespace, name = where
        live = self.objects.get(where, {})
        fixed = {
            "name": name,
            "namespace": namespace,
            "uid": live.get("metadata", {}).get("uid") or f"{kind}-{self._version}".lower(),
            "creationTimestamp": text(self._clock()),
            "generation": 1,
            **{key: value for key, value in live.get("metadata", {}).items() if key in FIXED},
        }
        body = {**managed, "metadata": {**managed["metadata"], **fixed}, "status": live.get("status", {})}
        return {"apiVersion": "batch/v1", "kind": kind, **body}

    def _next_version(self) -> str:
        self._version += 1
        return str(self._version)


FIXED = {"uid", "creationTimestamp", "generation", "resourceVersion", "deletionTimestamp"}


def _less_version(body: Body) -> Body:
    metadata = {key: value for key, value in body["metadata"].items() if key != "resourceVersion"}
    return {**body, "metadata": metadata}


def _strict(schema: Any) -> Any:
    """The schema with every field that it does not name forbidden: the API server would drop it silently."""
    if isinstance(schema, list):
        return [_strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: _strict(value) for key, value in schema.items()}
    if "properties" in result and "x-kubernetes-preserve-unknown-fields" not in result:
        result.setdefault("additionalProperties", False)
    return result


def _status_schema() -> jsonschema.Draft202012Validator:
    (version,) = custom_resource_definition()["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]["properties"]["status"]
    return jsonschema.Draft202012Validator(_strict(schema))


STATUS_SCHEMA = _status_schema()
