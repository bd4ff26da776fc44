"""The only I/O of the operator: a small Protocol and its one real implementation.

Configuration, credentials and connections are those of `kubernetes.aio`. Requests go by path through its REST
client: its dynamic client would discover what we know, and formats a traceback for every 404.
"""

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol, Self
from urllib.parse import urlencode
from uuid import uuid4

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from scheduledjob_operator import names
from scheduledjob_operator.metrics import API_REQUESTS
from scheduledjob_operator.models.types import format_time
from scheduledjob_operator.server_clock import ServerClock

Body = dict[str, Any]

REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)
PAGE_SIZE = 500
HTTP_ERRORS = 400
"""From this HTTP status on, an answer is a refusal."""

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


class KubernetesCluster:
    """A real cluster."""

    def __init__(self, configuration: Configuration, *, identity: str, turn: Turn | None = None) -> None:
        self._turn = turn
        self._clock = ServerClock()
        self._client = ApiClient(configuration)
        self._client.user_agent = f"scheduledjob-operator/{identity}"

    @classmethod
    async def connect(cls, *, connections: int, turn: Turn | None = None) -> Self:
        """By the Pod's service account, else by KUBECONFIG. `connections`: most requests at once; 0: any.

        `turn` is asked right before each write is sent; None: nobody else ever writes.
        """
        configuration = Configuration()
        if "KUBERNETES_SERVICE_HOST" in os.environ and "KUBECONFIG" not in os.environ:
            config.load_incluster_config(client_configuration=configuration)
        else:
            await config.load_kube_config(client_configuration=configuration)
        configuration.connection_pool_maxsize = connections
        # A proxy is in the configuration already; aiohttp would look for one at each request, in two threads.
        configuration.client_session_kwargs = {"trust_env": False}
        return cls(configuration, identity=os.environ.get("HOSTNAME", "local"), turn=turn)

    async def close(self) -> None:
        await self._client.close()

    async def get(self, kind: str, *, namespace: str | None, name: str) -> Body | None:
        try:
            return await self._request("GET", path(kind, namespace=namespace, name=name))
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def apply_cron_job(self, body: Body, *, force: bool, dry_run: bool = False) -> Body:
        metadata = body["metadata"]
        query = {"fieldManager": names.FIELD_MANAGER, "force": "true" if force else "false"}
        if dry_run:
            query["dryRun"] = "All"
        return await self._request(
            "PATCH",
            path("CronJob", namespace=metadata["namespace"], name=metadata["name"]),
            body=body,
            content_type="application/apply-patch+yaml",
            query=query,
        )

    async def rehearse_cron_job(self, body: Body) -> None:
        metadata = body["metadata"]
        # A patch and no update: the operator has no right to the latter.
        operations = [
            {"op": "add", "path": "/metadata/labels", "value": metadata["labels"]},
            {"op": "add", "path": "/metadata/annotations", "value": metadata["annotations"]},
            {"op": "add", "path": "/metadata/ownerReferences", "value": metadata["ownerReferences"]},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
            {"op": "add", "path": "/spec", "value": body["spec"]},
        ]
        await self._request(
            "PATCH",
            path("CronJob", namespace=metadata["namespace"], name=metadata["name"]),
            body=operations,
            content_type="application/json-patch+json",
            query={"fieldManager": names.FIELD_MANAGER, "fieldValidation": "Strict", "dryRun": "All"},
        )

    async def patch_cron_job_status(
        self, *, namespace: str, name: str, body: Body, resource_version: str | None = None
    ) -> Body:
        metadata = {"metadata": {"resourceVersion": resource_version}} if resource_version else {}
        return await self._merge_patch(
            path("CronJob", namespace=namespace, name=name, subresource="status"),
            body={**metadata, "status": body},
        )

    async def annotate_cron_job(self, *, namespace: str, name: str, uid: str, annotations: Body) -> Body:
        return await self._merge_patch(
            path("CronJob", namespace=namespace, name=name),
            body={"metadata": {"uid": uid, "annotations": annotations}},
        )

    async def create_job(self, body: Body) -> Body:
        if self._turn is not None and self._turn.leading:
            body = _with_deadline(body, self._clock.now + timedelta(seconds=self._turn.seconds_left))
        return await self._request(
            "POST",
            path("Job", namespace=body["metadata"]["namespace"]),
            body=body,
            query={"fieldManager": names.FIELD_MANAGER},
        )

    async def patch_job(self, *, namespace: str, name: str, uid: str, patch: Body) -> Body:
        given = {**patch, "metadata": {**patch.get("metadata", {}), "uid": uid}}
        return await self._merge_patch(path("Job", namespace=namespace, name=name), body=given)

    async def delete_job(self, *, namespace: str, name: str, uid: str) -> None:
        options = {"propagationPolicy": "Background", "preconditions": {"uid": uid}}
        await self._request("DELETE", path("Job", namespace=namespace, name=name), body=options)

    async def warnings_about(self, *, namespace: str, uid: str) -> list[str]:
        query = {"fieldSelector": f"involvedObject.uid={uid},type=Warning", "limit": str(PAGE_SIZE)}
        # The core group's Events can be selected by what they are about; they are the same Events.
        url = f"/api/v1/namespaces/{namespace}/events"
        found = (await self._request("GET", url, query=query))["items"]
        found.sort(key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
        return [str(event.get("message", "")) for event in found]

    async def set_managed_fields(
        self, *, namespace: str, name: str, resource_version: str, entries: list[Body], annotations: Body
    ) -> Body:
        operations = [
            # There may be none, and what is not there cannot be replaced.
            {"op": "add", "path": "/metadata/managedFields", "value": entries},
            {"op": "add", "path": "/metadata/annotations", "value": annotations},
            # The API server refuses the patch when the object has moved on.
            {"op": "replace", "path": "/metadata/resourceVersion", "value": resource_version},
        ]
        return await self._request(
            "PATCH",
            path("CronJob", namespace=namespace, name=name),
            body=operations,
            content_type="application/json-patch+json",
            query={"fieldManager": names.FIELD_MANAGER},
        )

    async def patch_status(self, *, namespace: str, name: str, resource_version: str, patch: Body) -> Body:
        return await self._merge_patch(
            path(names.KIND, namespace=namespace, name=name, subresource="status"),
            body={"metadata": {"resourceVersion": resource_version}, "status": patch},
        )

    async def post_event(self, event: Body) -> None:
        namespace = event["metadata"]["namespace"]
        await self._request("POST", path("Event", namespace=namespace), body=event)

    async def write(self, method: str, url: str, *, body: Body) -> Body:
        """Create (POST) or replace (PUT) an object; the object as it is then."""
        return await self._request(method, url, body=body, query={"fieldManager": names.FIELD_MANAGER})

    async def jobs_without(self, label: str, *, namespace: str, owner: str) -> list[Body]:
        # No selector knows owners. One page is held at a time: a namespace may have ten thousands of Jobs.
        pages = self.pages("Job", namespace=namespace, selector=f"!{label}")
        return [body async for page in pages for body in page["items"] if _is_controlled(body, by=owner)]

    async def list_uids(self, kind: str, *, namespace: str | None) -> dict[tuple[str, str], str]:
        uids: dict[tuple[str, str], str] = {}
        async for page in self.pages(kind, namespace=namespace, selector="", metadata_only=True):
            for item in page["items"]:
                metadata = item["metadata"]
                uids[metadata["namespace"], metadata["name"]] = metadata["uid"]
        return uids

    async def pages(
        self, kind: str, *, namespace: str | None, selector: str, metadata_only: bool = False
    ) -> AsyncIterator[Body]:
        """The list of a kind, page by page."""
        query = {"limit": str(PAGE_SIZE), "labelSelector": selector}
        accept = "application/json"
        if metadata_only:
            accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
        while True:
            page = await self._request("GET", path(kind, namespace=namespace), query=query, accept=accept)
            yield page
            if not (following := page["metadata"].get("continue")):
                return
            query["continue"] = following

    @asynccontextmanager
    async def watch(
        self, kind: str, *, namespace: str | None, selector: str, resource_version: str, seconds: int
    ) -> AsyncIterator[AsyncIterator[Body]]:
        """Watch events of a kind after `resource_version`, for `seconds` at most."""
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "labelSelector": selector,
            "resourceVersion": resource_version,
            "timeoutSeconds": str(seconds),
        }
        # A bookmark comes every minute: a longer silence is a dead connection.
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=75)
        response = await self._send(
            "GET", path(kind, namespace=namespace), query=query, timeout=timeout, accept="application/json"
        )
        try:
            yield _lines(response)
        finally:
            response.close()

    async def _merge_patch(self, url: str, *, body: Body) -> Body:
        return await self._request(
            "PATCH",
            url,
            body=body,
            content_type="application/merge-patch+json",
            query={"fieldManager": names.FIELD_MANAGER},
        )

    async def _request(
        self,
        method: str,
        url: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> Body:
        response = await self._send(
            method, url, body=body, query=query, content_type=content_type, accept=accept
        )
        try:
            answer: Body = json.loads(await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise ApiError(status=0, reason="NoAnswer", message=f"{method} {url}: {error!r}") from error
        return answer

    async def _send(
        self,
        method: str,
        url: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        timeout: aiohttp.ClientTimeout = REQUEST_TIMEOUT,  # noqa: ASYNC109  # passed on to aiohttp
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> aiohttp.ClientResponse:
        API_REQUESTS.labels(verb=method).inc()
        headers = {**self._client.default_headers, "Accept": accept, "Content-Type": content_type}
        address = f"{self._client.configuration.host}{url}?{urlencode(query or {})}"
        try:
            await self._client.update_params_for_auth(headers, [], ["BearerToken"], url, method, body)
            if method != "GET" and self._turn is not None and not self._turn.leading:
                raise ApiError(status=0, reason="NotLeading", message="another replica acts now")
            answer = await self._client.rest_client.request(
                method, address, headers=headers, body=body, _request_timeout=timeout
            )
            response: aiohttp.ClientResponse = answer.response
            self._clock.note(response.headers.get("Date"))
            if response.status >= HTTP_ERRORS:
                raise _api_error(response, text=await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ApiError(status=0, reason="NoAnswer", message=f"{method} {url}: {error!r}") from error
        return response


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


def _is_controlled(body: Body, *, by: str) -> bool:
    owners = body["metadata"].get("ownerReferences") or []
    return any(owner.get("controller") and owner["uid"] == by for owner in owners)


def _with_deadline(body: Body, moment: datetime) -> Body:
    """The Job with the moment from which the API server shall refuse it."""
    metadata = body["metadata"]
    annotations = {**metadata.get("annotations", {}), names.ANNOTATION_NOT_AFTER: format_time(moment)}
    return {**body, "metadata": {**metadata, "annotations": annotations}}


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[Body]:
    try:
        async for line in response.content:
            yield json.loads(line)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise ApiError(status=0, reason="BrokenStream", message=f"the stream broke off: {error!r}") from error


def _api_error(response: aiohttp.ClientResponse, *, text: bytes) -> ApiError:
    try:
        status = json.loads(text)
        reason, message = status.get("reason") or "", status.get("message") or ""
    except (AttributeError, ValueError):
        reason, message = "", ""
    fallback = str(response.reason)
    return ApiError(status=response.status, reason=reason or fallback, message=message or fallback)
