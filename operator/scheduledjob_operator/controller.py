"""Keeps the reconciler going: what the watches show wakes a key, workers take the keys one by one."""

import asyncio
import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Self

from scheduledjob_operator import names
from scheduledjob_operator.cluster import ApiError, Body, KubernetesCluster
from scheduledjob_operator.informer import Informer, NamespaceVisits
from scheduledjob_operator.metrics import OBJECTS, QUEUE_LENGTH, RECONCILE_ERRORS, RECONCILE_SECONDS
from scheduledjob_operator.reconcile import Reconciler
from scheduledjob_operator.settings import Settings
from scheduledjob_operator.store import Key, Store, parent_of
from scheduledjob_operator.work_queue import WorkQueue

logger = logging.getLogger(__name__)

CHILD_KINDS = ("CronJob", "Job", "Pod")
START_PATIENCE = timedelta(seconds=3)
"""How long a run may last before its beginning is written: one that is shorter costs one write, not two."""
PRUNE_DELAY = 5.0
"""Seconds between a list that was repeated and the look for what is missing from it."""


class Controller:
    """The running operator, less kopf."""

    def __init__(
        self, *, settings: Settings, cluster: KubernetesCluster, watching: KubernetesCluster
    ) -> None:
        self.namespaces = settings.watch_namespaces or (None,)
        self._cluster = cluster
        self._watching = watching
        self.store = Store()
        self.queue: WorkQueue[Key] = WorkQueue(clock=time.monotonic)
        self._reconciler = Reconciler(
            cluster=cluster,
            store=self.store,
            defaults=settings.runner_defaults,
            clock=lambda: datetime.now(UTC),
            switch=settings.switch,
            start_patience=START_PATIENCE,
        )
        children = [
            Informer(
                cluster=watching,
                kind=kind,
                namespace=namespace,
                # A CronJob of somebody else matters too: it may have the name of one of ours.
                selector="" if kind == "CronJob" else names.SELECTOR,
                sink=self,
                clock=time.monotonic,
            )
            for namespace in self.namespaces
            for kind in CHILD_KINDS
        ]
        self.informers: list[Informer | NamespaceVisits] = [
            *children,
            *map(self._namespaces, self.namespaces),
        ]
        self.tasks: list[asyncio.Task[None]] = []
        self._pruning: asyncio.Task[None] | None = None

    def _namespaces(self, namespace: str | None) -> Informer | NamespaceVisits:
        """What sees the master switch of the namespaces."""
        if namespace is not None:
            return NamespaceVisits(
                cluster=self._cluster, namespace=namespace, sink=self, clock=time.monotonic
            )
        return Informer(
            cluster=self._watching,
            kind="Namespace",
            namespace=None,
            selector="",
            sink=self,
            clock=time.monotonic,
        )

    @classmethod
    async def start(cls, settings: Settings) -> Self:
        """Connect, and begin to watch and to work."""
        controller = cls(
            settings=settings,
            cluster=await KubernetesCluster.connect(connections=settings.connections),
            watching=await KubernetesCluster.connect(connections=0),
        )
        for informer in controller.informers:
            name = f"informer for {informer.kind}s in {informer.namespace or 'all namespaces'}"
            controller.tasks.append(asyncio.create_task(informer.run(), name=name))
        for number in range(settings.connections):
            controller.tasks.append(asyncio.create_task(controller._work(), name=f"reconciler {number}"))
        return controller

    async def stop(self) -> None:
        """Stop acting and close the connections."""
        tasks = [*self.tasks, *filter(None, [self._pruning])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._cluster.close()
        await self._watching.close()

    @property
    def synced(self) -> bool:
        """Whether every first list is complete."""
        return all(informer.synced.is_set() for informer in self.informers)

    def scheduled_job_event(self, *, type_: str | None, body: Body) -> None:
        """Take in what kopf saw of a ScheduledJob; `type_` is None when it was listed."""
        metadata = body["metadata"]
        key = Key(metadata["namespace"], metadata["name"])
        if type_ == "DELETED":
            self.store.forget_scheduled_job(key, uid=metadata["uid"])
            self.queue.add(key)  # what is remembered of it elsewhere goes too
        else:
            if type_ is None and self.store.scheduled_job(key) is not None:
                self._prune_soon()
            if news := self.store.put_scheduled_job(body):
                self.queue.add(news)
        OBJECTS.set(len(self.store.scheduled_jobs))

    def changed(self, kind: str, body: Body) -> None:
        """An informer saw a child, a CronJob of somebody else, or a namespace."""
        if kind == "Namespace":
            if self.store.put_namespace(body):
                self._wake_namespace(body["metadata"]["name"])
            return
        if parent_of(kind, body) is None:
            return
        put = {"CronJob": self.store.put_cron_job, "Job": self.store.put_job, "Pod": self.store.put_pod}[kind]
        if key := put(body):
            self._wake(key)

    def deleted(self, kind: str, body: Body) -> None:
        """An informer saw a child go, or leave our labels behind."""
        if kind == "Namespace":
            self.store.drop_namespace(body["metadata"]["name"])
            return
        # One that lost our label is shown as it was before that, so its parent is always known.
        if key := parent_of(kind, body):
            self.changed(kind, body)
            self._drop(kind, key, body["metadata"]["name"], uid=body["metadata"]["uid"])

    def listed(self, kind: str, *, namespace: str | None, uids: set[str]) -> None:
        """An informer's list is complete: drop what is not in it."""
        if kind == "Namespace":
            return
        if kind == "Job":
            self._reconciler.lost_sight()
        for uid, (key, name) in self.store.uids(kind, namespace=namespace).items():
            if uid not in uids:
                self._drop(kind, key, name, uid=uid)

    def _drop(self, kind: str, key: Key, name: str, *, uid: str) -> None:
        if kind == "CronJob":
            woken = self.store.drop_cron_job(key, uid=uid)
        elif kind == "Job":
            woken = self.store.drop_job(key, name, uid=uid)
        else:
            woken = self.store.drop_pod(key, name, uid=uid)
        if woken:
            self._wake(woken)

    def _wake(self, key: Key) -> None:
        if key in self.store.scheduled_jobs:
            self.queue.add(key)

    def _wake_namespace(self, namespace: str) -> None:
        for key in [key for key in self.store.scheduled_jobs if key.namespace == namespace]:
            self.queue.add(key)

    async def _work(self) -> None:
        for informer in self.informers:
            await informer.synced.wait()
        while True:
            key = await self.queue.get()
            QUEUE_LENGTH.set(len(self.queue))
            started = time.monotonic()
            try:
                again = await self._reconciler.reconcile(key)
            except ApiError as error:
                RECONCILE_ERRORS.inc()
                logger.warning("%s could not be reconciled, trying again: %s", key, error)
                self.queue.add_after_failure(key)
            except Exception:
                # One object that we cannot handle must not stop the others.
                RECONCILE_ERRORS.inc()
                logger.exception("%s could not be reconciled, trying again", key)
                self.queue.add_after_failure(key)
            else:
                self.queue.forget_failures(key)
                if again is not None:
                    delay = (again - datetime.now(UTC)).total_seconds()
                    self.queue.add_at(key, time.monotonic() + max(delay, 0.0))
            finally:
                self.queue.done(key)
                RECONCILE_SECONDS.observe(time.monotonic() - started)

    def _prune_soon(self) -> None:
        if self._pruning is None or self._pruning.done():
            self._pruning = asyncio.create_task(self._prune(), name="prune")

    async def _prune(self) -> None:
        """Forget the ScheduledJobs that went while kopf was not watching: it does not report them."""
        await asyncio.sleep(PRUNE_DELAY)
        for namespace in self.namespaces:
            known = {
                key: seen.uid
                for key, seen in self.store.scheduled_jobs.items()
                if namespace is None or key.namespace == namespace
            }
            try:
                existing = await self._cluster.list_uids(names.KIND, namespace=namespace)
            except ApiError as error:
                logger.warning("looking for deleted ScheduledJobs failed: %s", error)
                continue
            for key, uid in known.items():
                if existing.get((key.namespace, key.name)) != uid:
                    self.store.forget_scheduled_job(key, uid=uid)
                    self.queue.add(key)
        OBJECTS.set(len(self.store.scheduled_jobs))
