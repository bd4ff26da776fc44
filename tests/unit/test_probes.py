"""The HTTP port tells the truth: a dead task is named, a missing watch too."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp
import pytest
from kopf._cogs.structs import references
from kopf._core.reactor import orchestration

from scheduledjob_operator.controller import Controller
from scheduledjob_operator.kubernetes_cluster import KubernetesCluster
from scheduledjob_operator.models import ScheduledJobStatus
from scheduledjob_operator.probes import START_UP_SECONDS, ProbeServer, troubles, unwatched
from scheduledjob_operator.settings import Settings
from scheduledjob_operator.store import Key
from scheduledjob_operator.workers import utc_now
from tests.unit import bodies
from tests.unit.bodies import NAMESPACE
from tests.unit.fake_cluster import FakeCluster
from tests.unit.moments import NOON


async def forever() -> None:
    await asyncio.Event().wait()


async def ends() -> None:
    return


async def breaks() -> None:
    raise ValueError("boom")


def controller(*namespaces: str) -> Controller:
    """One that has begun nothing yet."""
    nobody = cast("KubernetesCluster", FakeCluster(clock=lambda: NOON))
    return Controller(settings=Settings(watch_namespaces=namespaces), cluster=nobody, watching=nobody)


def begin(found: Controller, name: str, work: Callable[[], Coroutine[Any, Any, None]] = forever) -> None:
    found.tasks.append(asyncio.create_task(work(), name=name))


def watch(namespace: str | None = None) -> asyncio.Task[None]:
    """kopf's watcher of ScheduledJobs, by the name that kopf gives it."""
    return asyncio.create_task(
        forever(), name=f"watcher for scheduledjobs.v1alpha1.scheduledjob.dev@{namespace}"
    )


def play(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario())


def test_nothing_is_wrong_with_an_operator_that_works() -> None:
    async def scenario() -> None:
        found = controller()
        begin(found, "reconciler 0")
        watching = watch()
        assert troubles(found, age=1e6) == []
        watching.cancel()

    play(scenario)


@pytest.mark.parametrize("work", [ends, breaks], ids=["ended", "broke"])
def test_a_task_that_is_dead_is_named(work: Any) -> None:
    async def scenario() -> None:
        found = controller()
        begin(found, "reconciler 0")
        begin(found, "informer for Jobs in all namespaces", work)
        await asyncio.gather(found.tasks[1], return_exceptions=True)
        assert troubles(found, age=0) == ["the task 'informer for Jobs in all namespaces' has ended"]

    play(scenario)


def test_a_watch_that_is_missing_is_told_once_it_should_be_there() -> None:
    async def scenario() -> None:
        found = controller()
        assert troubles(found, age=START_UP_SECONDS) == []
        (sentence,) = troubles(found, age=START_UP_SECONDS + 1)
        assert "nothing watches scheduledjobs.scheduledjob.dev in all namespaces" in sentence
        assert "is the CustomResourceDefinition installed?" in sentence

    play(scenario)


def test_each_namespace_needs_its_watch() -> None:
    async def scenario() -> None:
        found = controller("a", "b")
        first = watch("a")
        (sentence,) = troubles(found, age=1e6)
        assert "in b" in sentence
        second = watch("b")
        assert troubles(found, age=1e6) == []
        for task in (first, second):
            task.cancel()

    play(scenario)


def test_a_watch_that_is_over_does_not_count() -> None:
    async def scenario() -> None:
        watching = watch()
        assert unwatched(controller()) == []
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        assert unwatched(controller()) == [None]

    play(scenario)


def test_kopf_still_names_its_watchers_as_they_are_looked_for() -> None:
    resource = references.Resource(
        group="scheduledjob.dev", version="v1alpha1", plural="scheduledjobs", namespaced=True
    )
    source = inspect.getsource(orchestration)
    assert 'what = f"{resource}@{namespace}"' in source
    assert 'name=f"watcher for {what}"' in source
    assert f"watcher for {resource}@None" == "watcher for scheduledjobs.v1alpha1.scheduledjob.dev@None"


# Over HTTP


@asynccontextmanager
async def served(found: Controller, *, age: float = 0.0) -> AsyncIterator[Callable[[str], Any]]:
    """How to ask the server for a path: (status, JSON or text)."""
    times = iter([0.0])
    server = ProbeServer(controller=found, clock=lambda: next(times, age))
    await server.start(port=0)
    assert server._runner is not None
    # One socket for each version of IP, each with a port of its own.
    port = next(address[1] for address in server._runner.addresses if address[0] == "0.0.0.0")

    async def ask(path: str) -> tuple[int, Any]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}{path}") as response,
        ):
            is_json = response.content_type == "application/json"
            return response.status, await (response.json() if is_json else response.text())

    try:
        yield ask
    finally:
        await server.stop()


def test_it_lives_until_a_task_has_ended() -> None:
    async def scenario() -> None:
        found = controller()
        async with served(found) as ask:
            assert await ask("/livez") == (200, {"ok": True, "troubles": []})
            begin(found, "reconciler 0", breaks)
            await asyncio.gather(*found.tasks, return_exceptions=True)
            status, answer = await ask("/livez")
        assert status == 503
        assert answer == {"ok": False, "troubles": ["the task 'reconciler 0' has ended"]}

    play(scenario)


def test_it_does_not_live_without_its_watch_for_longer_than_the_start_takes() -> None:
    async def scenario() -> None:
        async with served(controller(), age=START_UP_SECONDS + 1) as ask:
            assert (await ask("/livez"))[0] == 503

    play(scenario)


def test_it_is_ready_when_every_list_is_complete_and_the_watch_has_begun() -> None:
    async def scenario() -> None:
        found = controller()
        async with served(found) as ask:
            status, answer = await ask("/readyz")
            assert status == 503
            assert len(answer["troubles"]) == len(found.informers) + 1
            for informer in found.informers:
                informer.synced.set()
            status, answer = await ask("/readyz")
            assert (status, len(answer["troubles"])) == (503, 1)
            watching = watch()
            assert await ask("/readyz") == (200, {"ok": True, "troubles": []})
            watching.cancel()

    play(scenario)


def test_a_standby_says_that_it_is_one() -> None:
    async def scenario() -> None:
        async with served(controller()) as ask:
            assert await ask("/health") == (200, {"status": "standby"})

    play(scenario)


def test_the_health_of_the_scheduled_jobs_is_served_in_numbers() -> None:
    async def scenario() -> None:
        found = controller()
        found.leads = True
        for name in ("one", "other"):
            found.scheduled_job_event(type_=None, body=bodies.scheduled_job(name=name))
        failed = ScheduledJobStatus(active_count=2, last_failure_time=utc_now())
        found.pulses.show(Key(NAMESPACE, "one"), status=failed, runs_kept=20, now=utc_now())
        async with served(found) as ask:
            status, answer = await ask("/health")
        assert status == 200
        assert {key: answer[key] for key in ("status", "running", "failuresLast24h", "notSeen")} == {
            "status": "ok",
            "running": 2,
            "failuresLast24h": 1,
            "notSeen": 1,
        }
        assert all(isinstance(value, int) for key, value in answer.items() if key != "status")

    play(scenario)


def test_six_failures_are_degraded_and_still_answered() -> None:
    async def scenario() -> None:
        found = controller()
        found.leads = True
        for number in range(6):
            failed = ScheduledJobStatus(last_failure_time=utc_now())
            found.pulses.show((NAMESPACE, f"job-{number}"), status=failed, runs_kept=20, now=utc_now())
        async with served(found) as ask:
            status, answer = await ask("/health")
        assert (status, answer["status"], answer["degradedAbove"]) == (200, "degraded", 5)

    play(scenario)


def test_metrics_are_served() -> None:
    async def scenario() -> None:
        async with served(controller()) as ask:
            status, text = await ask("/metrics")
        assert status == 200
        for name in ("scheduledjob_operator_api_requests_total", "scheduledjob_operator_queue_length"):
            assert name in text

    play(scenario)


def test_the_port_is_free_again_after_the_stop() -> None:
    async def scenario() -> None:
        server = ProbeServer(controller=controller(), clock=lambda: 0.0)
        await server.stop()
        await server.start(port=0)
        await server.stop()

    play(scenario)
