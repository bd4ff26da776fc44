"""List and watch one kind for as long as the operator lives, whatever happens to the connection.

kopf watches the ScheduledJobs. Their CronJobs, Jobs and Pods are followed here, because the reconciler
has to know three things that kopf's watching does not tell: that the first list is complete, what
disappeared while a watch was interrupted, and that an ERROR event is no reason to stop.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from scheduledjob_operator.cluster import ApiError, Body
from scheduledjob_operator.kubernetes_cluster import KubernetesCluster

logger = logging.getLogger(__name__)

VISIT_INTERVAL = 15.0
"""Seconds between two looks at a namespace that cannot be watched."""
WATCH_SECONDS = 300
FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 30.0
GONE = 410


class Sink(Protocol):
    """Who is told."""

    def changed(self, kind: str, body: Body) -> None:
        """An object was listed, created or modified."""

    def deleted(self, kind: str, body: Body) -> None:
        """An object was deleted; of a namespace only its name is sure to be told."""

    def listed(self, kind: str, *, namespace: str | None, uids: set[str]) -> None:
        """A list is complete: what is not in it does not exist."""


class Informer:
    """Follows one kind in one namespace, or in all of them (None)."""

    def __init__(
        self,
        *,
        cluster: KubernetesCluster,
        kind: str,
        namespace: str | None,
        selector: str,
        sink: Sink,
        clock: Callable[[], float],
    ) -> None:
        self._cluster = cluster
        self._sink = sink
        self._clock = clock
        self._selector = selector
        self.kind = kind
        self.namespace = namespace
        self.synced = asyncio.Event()
        self.last_contact = clock()
        """When the API server last answered, by the monotonic clock."""
        self._resource_version = ""
        self._outdated = True
        self._backoff = FIRST_BACKOFF

    async def run(self) -> None:
        """Never returns; ends by cancellation."""
        while True:
            if await self._tried(self._list()):
                while not self._outdated:
                    await self._tried(self._watch())

    async def _tried(self, step: Coroutine[Any, Any, None]) -> bool:
        """Whether the step went well; if not, wait before the next one, longer each time in a row."""
        try:
            await step
        except ApiError as error:
            if error.status == GONE:
                self._outdated = True
            # What is forbidden stays so until somebody gives the right: that is worth more than a remark.
            level = logging.WARNING if error.status in (401, 403) else logging.INFO
            logger.log(level, "watching %ss was interrupted, going on: %s", self.kind, error)
            await asyncio.sleep(self._backoff * random.uniform(0.5, 1.0))  # noqa: S311  # jitter
            self._backoff = min(self._backoff * 2, LONGEST_BACKOFF)
            return False
        self._backoff = FIRST_BACKOFF
        return True

    async def _list(self) -> None:
        uids: set[str] = set()
        async for page in self._cluster.pages(self.kind, namespace=self.namespace, selector=self._selector):
            self._resource_version = page["metadata"]["resourceVersion"]
            for item in page["items"]:
                uids.add(item["metadata"]["uid"])
                self._sink.changed(self.kind, item)
            self.last_contact = self._clock()
            await asyncio.sleep(0)  # let the others have a turn between two pages
        self._sink.listed(self.kind, namespace=self.namespace, uids=uids)
        self._outdated = False
        self.synced.set()

    async def _watch(self) -> None:
        """Pass changes on until the API server ends the watch. Raises ApiError when it breaks."""
        watching = self._cluster.watch(
            self.kind,
            namespace=self.namespace,
            selector=self._selector,
            resource_version=self._resource_version,
            seconds=WATCH_SECONDS,
        )
        async with watching as events:
            async for event in events:
                self.last_contact = self._clock()
                body = event["object"]
                if event["type"] == "ERROR":
                    # Whatever it is, a new list sets it right; kopf would stop here for good.
                    raise ApiError(
                        status=GONE, reason=str(body.get("reason")), message=str(body.get("message"))
                    )
                self._resource_version = body["metadata"]["resourceVersion"]
                if event["type"] == "DELETED":
                    self._sink.deleted(self.kind, body)
                elif event["type"] in ("ADDED", "MODIFIED"):
                    self._sink.changed(self.kind, body)


class NamespaceVisits:
    """Looks at one namespace every now and then, where no right to watch them all was given."""

    kind = "Namespace"

    def __init__(
        self, *, cluster: KubernetesCluster, namespace: str, sink: Sink, clock: Callable[[], float]
    ) -> None:
        self._cluster = cluster
        self._sink = sink
        self._clock = clock
        self.namespace = namespace
        self.synced = asyncio.Event()
        self.last_contact = clock()
        """When the API server last answered, by the monotonic clock."""

    async def run(self) -> None:
        """Never returns; ends by cancellation."""
        while True:
            try:
                body = await self._cluster.get("Namespace", namespace=None, name=self.namespace)
            except ApiError as error:
                logger.info("namespace %s could not be looked at: %s", self.namespace, error)
            else:
                if body is None:
                    self._sink.deleted("Namespace", {"metadata": {"name": self.namespace}})
                else:
                    self._sink.changed("Namespace", body)
                self.last_contact = self._clock()
                self.synced.set()
            await asyncio.sleep(VISIT_INTERVAL if self.synced.is_set() else FIRST_BACKOFF)
