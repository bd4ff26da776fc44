"""What the watches show wakes the right ScheduledJob, and nothing stops the work on the others."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from scheduledjob_operator import controller as module
from scheduledjob_operator.controller import Controller
from scheduledjob_operator.kubernetes_cluster import KubernetesCluster
from scheduledjob_operator.settings import Settings
from scheduledjob_operator.store import Key
from tests.unit import bodies, waiting
from tests.unit.bodies import NAME, NAMESPACE, UID, Body
from tests.unit.endings import JOB, pod
from tests.unit.fake_cluster import OVERLOADED, FakeCluster
from tests.unit.moments import NOON, text

KEY = Key(NAMESPACE, NAME)


def made(cluster: FakeCluster | None = None) -> Controller:
    fake = cast("KubernetesCluster", cluster or FakeCluster(clock=lambda: NOON))
    return Controller(settings=Settings(), cluster=fake, watching=fake)


def woken(found: Controller) -> list[Key]:
    """Keys in the queue, which is empty after that."""

    async def main() -> list[Key]:
        keys = [await found.queue.get() for _ in range(len(found.queue))]
        for key in keys:
            found.queue.done(key)
        return keys

    return asyncio.run(main())


def filled() -> Controller:
    found = made()
    found.scheduled_job_event(type_=None, body=bodies.scheduled_job())
    found.changed("CronJob", bodies.cron_job())
    found.changed("Job", bodies.job(JOB, slot=NOON))
    found.changed("Pod", pod(status=bodies.running(NOON)))
    woken(found)
    return found


CHILDREN = {"CronJob": bodies.cron_job(), "Job": bodies.job(JOB, slot=NOON), "Pod": pod()}


@pytest.mark.parametrize("kind", CHILDREN)
def test_a_child_wakes_its_parent(kind: str) -> None:
    found = made()
    found.scheduled_job_event(type_=None, body=bodies.scheduled_job())
    woken(found)
    found.changed(kind, CHILDREN[kind])
    assert woken(found) == [KEY]


@pytest.mark.parametrize("kind", CHILDREN)
def test_the_deletion_of_a_child_wakes_its_parent(kind: str) -> None:
    found = filled()
    found.deleted(kind, CHILDREN[kind])
    assert woken(found) == [KEY]


@pytest.mark.parametrize("kind", CHILDREN)
def test_a_child_that_is_missing_from_a_list_is_dropped(kind: str) -> None:
    found = filled()
    found.listed(kind, namespace=None, uids=set())
    assert woken(found) == [KEY]


@pytest.mark.parametrize("kind", CHILDREN)
def test_a_child_that_is_in_the_list_stays(kind: str) -> None:
    found = filled()
    found.listed(kind, namespace=None, uids={CHILDREN[kind]["metadata"]["uid"]})
    found.listed(kind, namespace="elsewhere", uids=set())
    assert woken(found) == []


def test_a_child_without_our_label_is_nobodys() -> None:
    found = made()
    stranger = bodies.job("stranger", labels={})
    found.changed("Job", stranger)
    found.deleted("Job", stranger)
    assert woken(found) == []


@pytest.mark.parametrize("type_", [None, "ADDED", "MODIFIED"])
def test_a_scheduled_job_wakes_itself_when_it_is_news(type_: str | None) -> None:
    found = made()
    found.scheduled_job_event(type_=type_, body=bodies.scheduled_job())
    assert woken(found) == [KEY]


def test_a_deleted_scheduled_job_is_forgotten() -> None:
    found = filled()
    found.scheduled_job_event(type_="DELETED", body=bodies.scheduled_job())
    assert found.store.scheduled_job(KEY) is None


def with_namespace_going() -> Controller:
    found = filled()
    metadata = {"name": NAMESPACE, "uid": "uid-of-the-namespace", "deletionTimestamp": text(NOON)}
    found.changed("Namespace", {"metadata": metadata})
    assert woken(found) == [KEY]
    assert found.store.namespaces.is_going(NAMESPACE)
    return found


def is_told_gone(found: Controller) -> None:
    found.deleted("Namespace", {"metadata": {"name": NAMESPACE}})


def is_not_in_the_list(found: Controller) -> None:
    found.listed("Namespace", namespace=None, uids={"uid-of-the-next-one"})


@pytest.mark.parametrize("tell", [is_told_gone, is_not_in_the_list])
def test_a_namespace_that_is_gone_wakes_what_is_in_the_next_one_of_its_name(
    tell: Callable[[Controller], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NAMESPACE_DELAY", 0.0)
    found = with_namespace_going()
    tell(found)
    assert not found.store.namespaces.is_going(NAMESPACE)

    async def next_key() -> Key:
        async with asyncio.timeout(10):
            return await found.queue.get()

    assert asyncio.run(next_key()) == KEY


@pytest.mark.parametrize("tell", [is_told_gone, is_not_in_the_list])
def test_it_wakes_nothing_at_once_for_what_was_in_it_is_about_to_be_forgotten(
    tell: Callable[[Controller], None],
) -> None:
    found = with_namespace_going()
    tell(found)
    assert woken(found) == []


def test_a_namespace_that_is_in_the_list_stays() -> None:
    found = with_namespace_going()
    found.listed("Namespace", namespace=None, uids={"uid-of-the-namespace"})
    assert woken(found) == []
    assert found.store.namespaces.is_going(NAMESPACE)


def test_everything_is_synced_when_all_lists_are() -> None:
    found = made()
    assert not found.synced
    for informer in found.informers:
        informer.synced.set()
    assert found.synced


def test_each_kind_is_followed_in_each_namespace() -> None:
    fake = cast("KubernetesCluster", FakeCluster(clock=lambda: NOON))
    found = Controller(settings=Settings(watch_namespaces=("a", "b")), cluster=fake, watching=fake)
    followed = sorted((informer.namespace or "", informer.kind) for informer in found.informers)
    kinds = ("CronJob", "Job", "Namespace", "Pod")
    assert followed == [(namespace, kind) for namespace in "ab" for kind in kinds]


# What kopf does not report


def test_a_scheduled_job_that_went_while_kopf_was_away_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an interruption kopf lists anew and says nothing of what is not there any more."""
    monkeypatch.setattr(module, "PRUNE_DELAY", 0.0)
    cluster = FakeCluster(clock=lambda: NOON)

    async def main() -> None:
        found = made(cluster)
        for name in ("stays", "goes", "is-replaced"):
            found.scheduled_job_event(type_=None, body=bodies.scheduled_job(name=name, uid=f"uid-of-{name}"))
        cluster.put("ScheduledJob", bodies.scheduled_job(name="stays", uid="uid-of-stays"))
        cluster.put("ScheduledJob", bodies.scheduled_job(name="is-replaced", uid="successor"))
        cluster.outcomes.append(None)
        found.scheduled_job_event(type_=None, body=bodies.scheduled_job(name="stays", uid="uid-of-stays"))
        assert found._pruning is not None
        await found._pruning
        assert [key.name for key in found.store.scheduled_jobs] == ["stays"]

    asyncio.run(main())


def test_a_look_for_them_that_fails_forgets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PRUNE_DELAY", 0.0)
    cluster = FakeCluster(clock=lambda: NOON)
    cluster.outcomes.append(OVERLOADED)

    async def main() -> None:
        found = made(cluster)
        for _ in range(2):
            found.scheduled_job_event(type_=None, body=bodies.scheduled_job())
        assert found._pruning is not None
        await found._pruning
        assert found.store.scheduled_job(KEY) is not None

    asyncio.run(main())


# Workers


def work(cluster: FakeCluster, *scheduled_jobs: Body, until: Callable[[], bool]) -> None:
    """Let one worker work until something is the case."""

    async def main() -> None:
        found = made(cluster)
        for informer in found.informers:
            informer.synced.set()
        for body in scheduled_jobs:
            found.scheduled_job_event(type_="ADDED", body=cluster.put("ScheduledJob", body))
        working = asyncio.create_task(found.lead())
        await waiting.until(lambda: until() or working.done())
        assert not working.done()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    asyncio.run(main())


def ready(cluster: FakeCluster, name: str = NAME) -> Callable[[], bool]:
    def check() -> bool:
        status: dict[str, Any] = cluster.objects["ScheduledJob", NAMESPACE, name]["status"]
        return "conditions" in status

    return check


def test_a_worker_waits_for_the_first_lists() -> None:
    cluster = FakeCluster(clock=lambda: NOON)

    async def main() -> None:
        found = made(cluster)
        found.scheduled_job_event(type_=None, body=cluster.put("ScheduledJob", bodies.scheduled_job()))
        working = asyncio.create_task(found.lead())
        for _ in range(20):
            await asyncio.sleep(0)
        assert cluster.requests == []
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    asyncio.run(main())


def test_a_failed_call_is_tried_again() -> None:
    cluster = FakeCluster(clock=lambda: NOON)
    cluster.outcomes.extend([OVERLOADED, OVERLOADED])
    work(cluster, bodies.scheduled_job(), until=ready(cluster))


def test_one_that_cannot_be_handled_does_not_stop_the_others() -> None:
    cluster = FakeCluster(clock=lambda: NOON)
    broken = bodies.scheduled_job(name="broken", uid="broken", status={"conditions": "none of yours"})
    work(cluster, broken, bodies.scheduled_job(uid=UID), until=ready(cluster))


@pytest.mark.parametrize("kind", CHILDREN)
def test_what_belongs_to_no_scheduled_job_wakes_nobody(kind: str) -> None:
    found = made()
    found.changed(kind, CHILDREN[kind])
    assert woken(found) == []


def test_one_that_leads_no_more_forgets_how_the_scheduled_jobs_do() -> None:
    cluster = FakeCluster(clock=lambda: NOON)

    async def main() -> None:
        found = made(cluster)
        for informer in found.informers:
            informer.synced.set()
        found.scheduled_job_event(type_="ADDED", body=cluster.put("ScheduledJob", bodies.scheduled_job()))
        working = asyncio.create_task(found.lead())
        await waiting.until(lambda: len(found.pulses) == 1)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        assert len(found.pulses) == 0

    asyncio.run(main())
