"""Keeps the reconciler going: what the watches show wakes a key, and the leader's workers take the keys."""

import asyncio
import logging
import os
import time
from datetime import timedelta
from typing import Self

from scheduledjob_operator import names
from scheduledjob_operator.clockwork import Clockwork
from scheduledjob_operator.cluster import ApiError, Body
from scheduledjob_operator.election import Election
from scheduledjob_operator.informer import Informer, NamespaceVisits
from scheduledjob_operator.kubernetes_cluster import KubernetesCluster
from scheduledjob_operator.leases import KubernetesLeases
from scheduledjob_operator.metrics import LEADER, OBJECTS, forget_all
from scheduledjob_operator.pulse import Pulses
from scheduledjob_operator.reconcile import Reconciler
from scheduledjob_operator.settings import Settings
from scheduledjob_operator.store import Key, Store, parent_of
from scheduledjob_operator.work_queue import WorkQueue
from scheduledjob_operator.workers import Workers, utc_now

logger = logging.getLogger(__name__)

CHILD_KINDS = ("CronJob", "Job", "Pod")
START_PATIENCE = timedelta(seconds=3)
"""How long a run may last before its beginning is written: one that is shorter costs one write, not two."""
PRUNE_DELAY = 5.0
"""Seconds between a list that was repeated and the look for what is missing from it."""
NAMESPACE_DELAY = 5.0
"""Seconds from the end of a namespace to the look at what was in it: kopf is about to tell that it went."""


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
        self.clockwork = Clockwork(clock=utc_now)
        self.pulses = Pulses()
        self._reconciler = Reconciler(
            cluster=cluster,
            store=self.store,
            defaults=settings.runner_defaults,
            clock=utc_now,
            switch=settings.switch,
            start_patience=START_PATIENCE,
            environment=settings.environment,
            clockwork=self.clockwork,
            pulses=self.pulses,
            punctual=settings.punctual_firing,
        )
        self._workers = Workers(reconciler=self._reconciler, queue=self.queue, clockwork=self.clockwork)
        self._connections = settings.connections
        self.leads = False
        """Whether this replica acts; the others watch."""
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
        """Connect, and begin to watch; and to work, once there is no other replica that does."""
        watching = await KubernetesCluster.connect(connections=0)
        election = _election(settings, cluster=watching)
        controller = cls(
            settings=settings,
            cluster=await KubernetesCluster.connect(connections=2 * settings.connections, turn=election),
            watching=watching,
        )
        for informer in controller.informers:
            name = f"informer for {informer.kind}s in {informer.namespace or 'all namespaces'}"
            controller.tasks.append(asyncio.create_task(informer.run(), name=name))
        work = election.run(lead=controller.lead) if election else controller.lead()
        controller.tasks.append(asyncio.create_task(work, name="leader"))
        return controller

    async def lead(self) -> None:
        """Act until cancelled: everything is looked at anew, for another replica may have acted before."""
        for informer in self.informers:
            await informer.synced.wait()
        self._reconciler.lost_sight()
        self.clockwork.clear()
        for key in self.store.scheduled_jobs:
            self.queue.add(key)
        self.queue.put_first(self._is_ours_to_fire)
        self.leads = True
        LEADER.set(1)
        try:
            await self._workers.run(count=self._connections)
        finally:
            self.leads = False
            LEADER.set(0)
            self.clockwork.clear()
            self.pulses.forget_all()
            forget_all()

    def _is_ours_to_fire(self, key: Key) -> bool:
        """Whether nothing starts its slots for as long as nobody has looked at it."""
        cron_job = self.store.cron_job(key)
        return cron_job is not None and cron_job.fired_by_operator

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
            self._settle_as_recorded(key)
        OBJECTS.set(len(self.store.scheduled_jobs))

    def changed(self, kind: str, body: Body) -> None:
        """An informer saw a child, a CronJob of somebody else, or a namespace."""
        if kind == "Namespace":
            if self.store.namespaces.put(body):
                for inhabitant in self._keys_in(body["metadata"]["name"]):
                    self.queue.add(inhabitant)
            return
        if parent_of(kind, body) is None:
            return
        put = {"CronJob": self.store.put_cron_job, "Job": self.store.put_job, "Pod": self.store.put_pod}[kind]
        if key := put(body):
            self._wake(key)

    def deleted(self, kind: str, body: Body) -> None:
        """An informer saw a child go, or leave our labels behind."""
        if kind == "Namespace":
            self._drop_namespace(body["metadata"]["name"])
            return
        # One that lost our label is shown as it was before that, so its parent is always known.
        if key := parent_of(kind, body):
            self.changed(kind, body)
            self._drop(kind, key, body["metadata"]["name"], uid=body["metadata"]["uid"])

    def listed(self, kind: str, *, namespace: str | None, uids: set[str]) -> None:
        """An informer's list is complete: drop what is not in it."""
        if kind == "Namespace":
            for name in self.store.namespaces.missing(uids):
                self._drop_namespace(name)
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
            self._settle_as_recorded(woken)

    def _drop_namespace(self, name: str) -> None:
        """It is gone: what is in one of its name is another's."""
        if self.store.namespaces.drop(name):
            due = time.monotonic() + NAMESPACE_DELAY
            for key in self._keys_in(name):
                self.queue.add_at(key, due)

    def _settle_as_recorded(self, key: Key) -> None:
        """Let go of what the leader has put into the ledger; the leader itself does so as it writes it."""
        seen = self.store.scheduled_job(key)
        if self.leads or seen is None:
            return
        known = set()
        for run in seen.status.get("recentRuns") or ():
            attempts = (attempt.get("jobName", "") for attempt in run.get("attempts") or ())
            known |= {run["id"], run["jobName"], *attempts}
        self.store.settle(key, run_ids=known)

    def _wake(self, key: Key) -> None:
        if key in self.store.scheduled_jobs:
            self.queue.add(key)

    def _keys_in(self, namespace: str) -> list[Key]:
        return [key for key in self.store.scheduled_jobs if key.namespace == namespace]

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


def _election(settings: Settings, *, cluster: KubernetesCluster) -> Election | None:
    """How the replicas agree on one that acts; None when there is but one."""
    if not settings.lease_namespace:
        return None
    return Election(
        leases=KubernetesLeases(cluster, namespace=settings.lease_namespace, name=settings.lease_name),
        identity=settings.identity or os.environ.get("HOSTNAME", "local"),
        clock=_seconds,
        now=utc_now,
        on_change=lambda leading: logger.info("this replica %s", "leads" if leading else "stands by"),
    )


def _seconds() -> float:
    """A clock that goes on while the machine sleeps, where there is one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
