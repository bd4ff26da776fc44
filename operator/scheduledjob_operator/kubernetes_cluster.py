"""The one real implementation of the Cluster protocol, and what the watching and the Lease need besides."""

from datetime import datetime, timedelta

from scheduledjob_operator import names
from scheduledjob_operator.cluster import ApiError, Body, path
from scheduledjob_operator.models.types import format_time
from scheduledjob_operator.transport import PAGE_SIZE, Transport


class KubernetesCluster(Transport):
    """A real cluster."""

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

    async def _merge_patch(self, url: str, *, body: Body) -> Body:
        return await self._request(
            "PATCH",
            url,
            body=body,
            content_type="application/merge-patch+json",
            query={"fieldManager": names.FIELD_MANAGER},
        )


def _is_controlled(body: Body, *, by: str) -> bool:
    owners = body["metadata"].get("ownerReferences") or []
    return any(owner.get("controller") and owner["uid"] == by for owner in owners)


def _with_deadline(body: Body, moment: datetime) -> Body:
    """The Job with the moment from which the API server shall refuse it."""
    metadata = body["metadata"]
    annotations = {**metadata.get("annotations", {}), names.ANNOTATION_NOT_AFTER: format_time(moment)}
    return {**body, "metadata": {**metadata, "annotations": annotations}}
