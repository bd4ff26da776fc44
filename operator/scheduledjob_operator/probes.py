"""The operator's HTTP port: /livez, /readyz, /health and /metrics.

kopf's own probe stays green when a watcher has died; this one looks for the tasks themselves.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from aiohttp import web
from prometheus_client import generate_latest

from scheduledjob_operator import names
from scheduledjob_operator.controller import Controller
from scheduledjob_operator.workers import utc_now

START_UP_SECONDS = 60.0
"""How long after the start the watch of ScheduledJobs may still be missing."""


def troubles(controller: Controller, *, age: float) -> list[str]:
    """What is wrong with the running operator, in sentences. `age`: seconds since its start."""
    found = [f"the task '{task.get_name()}' has ended" for task in controller.tasks if task.done()]
    if age > START_UP_SECONDS:
        found += [
            f"nothing watches {names.PLURAL}.{names.GROUP} in {namespace or 'all namespaces'}: "
            "is the CustomResourceDefinition installed?"
            for namespace in unwatched(controller)
        ]
    return found


def unwatched(controller: Controller) -> list[str | None]:
    """Namespaces in which none of kopf's watchers of ScheduledJobs lives; None stands for all of them."""
    living = {task.get_name() for task in asyncio.all_tasks() if not task.done()}
    name = f"watcher for {names.PLURAL}.{names.VERSION}.{names.GROUP}@"
    return [namespace for namespace in controller.namespaces if f"{name}{namespace}" not in living]


def health(controller: Controller, *, now: datetime) -> dict[str, Any]:
    """How the ScheduledJobs do; only the replica that acts knows. `notSeen`: it has yet to look at them."""
    if not controller.leads:
        return {"status": "standby"}
    not_seen = max(len(controller.store.scheduled_jobs) - len(controller.pulses), 0)
    return {**controller.pulses.overall(now=now).model_dump(by_alias=True), "notSeen": not_seen}


class ProbeServer:
    """Answers the kubelet and Prometheus."""

    def __init__(self, *, controller: Controller, clock: Callable[[], float]) -> None:
        self._controller = controller
        self._clock = clock
        self._started = clock()
        self._runner: web.AppRunner | None = None

    async def start(self, *, port: int) -> None:
        app = web.Application()
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/health", self._health)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, port=port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _livez(self, _request: web.Request) -> web.Response:
        return _answer(troubles(self._controller, age=self._clock() - self._started))

    async def _readyz(self, _request: web.Request) -> web.Response:
        waiting = [
            f"the first list of {informer.kind}s is not complete"
            for informer in self._controller.informers
            if not informer.synced.is_set()
        ]
        waiting += [
            f"the watch of {names.PLURAL} in {namespace or 'all namespaces'} has not begun"
            for namespace in unwatched(self._controller)
        ]
        return _answer(waiting)

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response(health(self._controller, now=utc_now()))

    async def _metrics(self, _request: web.Request) -> web.Response:
        # With thousands of ScheduledJobs it takes long enough to make slots late.
        page = await asyncio.to_thread(generate_latest)
        return web.Response(body=page, content_type="text/plain", charset="utf-8")


def _answer(found: list[str]) -> web.Response:
    return web.json_response({"ok": not found, "troubles": found}, status=503 if found else 200)
