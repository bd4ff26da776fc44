"""The Lease by which replicas agree on a leader: read, and written only over what was read."""

from typing import Protocol

from scheduledjob_operator.cluster import ApiError, Body, path
from scheduledjob_operator.kubernetes_cluster import KubernetesCluster


class Leases(Protocol):
    """One Lease. Every method raises ApiError."""

    async def get(self) -> Body | None:
        """The Lease; None when there is none."""

    async def put(self, spec: Body, *, over: Body | None) -> Body:
        """Give the Lease that spec, and the Lease then; 409 when it is not `over` (None: absent) any more."""


class KubernetesLeases:
    """A Lease of a real cluster."""

    def __init__(self, cluster: KubernetesCluster, *, namespace: str, name: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._name = name

    async def get(self) -> Body | None:
        try:
            return await self._cluster.get("Lease", namespace=self._namespace, name=self._name)
        except ApiError as error:
            raise self._explained(error, verb="get") from error

    async def put(self, spec: Body, *, over: Body | None) -> Body:
        verb = "create" if over is None else "update"
        try:
            if over is None:
                return await self._cluster.write("POST", self._path(), body=self._new(spec))
            # The resource version is in `over`: the API server refuses the write when the Lease moved on.
            return await self._cluster.write("PUT", self._path(self._name), body={**over, "spec": spec})
        except ApiError as error:
            raise self._explained(error, verb=verb) from error

    def _path(self, name: str | None = None) -> str:
        return path("Lease", namespace=self._namespace, name=name)

    def _new(self, spec: Body) -> Body:
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"namespace": self._namespace, "name": self._name},
            "spec": spec,
        }

    def _explained(self, error: ApiError, *, verb: str) -> ApiError:
        if error.status != 403:
            return error
        sentence = f"may not {verb} leases in namespace {self._namespace}: is the Role of the chart there?"
        return ApiError(status=403, reason=error.reason, message=f"{sentence} ({error.message})")
