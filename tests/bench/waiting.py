"""Waiting for what the API server's audit log and the operator's own metrics show."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from tests.bench.api import Api
from tests.bench.load import ALL
from tests.bench.program import Program

RECONCILED = "scheduledjob_operator_reconcile_duration_seconds_count"
QUEUED = "scheduledjob_operator_queue_length"
QUIET_SECONDS = 2.0


async def until_all_written(program: Program, count: int, *, seconds: float = 1800.0) -> None:
    """Return when the program has written the status of so many ScheduledJobs since its start."""
    written: set[tuple[str, str]] = set()
    taken = 0
    async with asyncio.timeout(seconds):
        while len(written) < count:
            await asyncio.sleep(0.2)
            program.check()
            requests = program.tail.read()
            for request in requests[taken:]:
                if request.what == "patch scheduledjobs/status" and request.code == 200:
                    written.add((request.namespace, request.name))
            taken = len(requests)


async def until_quiet(program: Program, *, seconds: float = 1800.0) -> None:
    """Return when the program has done nothing for a while and has nothing queued."""
    asked, looked = -1, -1.0
    since = time.monotonic()
    async with asyncio.timeout(seconds):
        while True:
            await asyncio.sleep(0.2)
            program.check()
            if (now := len(program.tail.read())) != asked:
                asked, since = now, time.monotonic()
            elif time.monotonic() - since >= QUIET_SECONDS:
                # Only now: the page has lines for every ScheduledJob, and making it keeps the program busy.
                reconciled, queued = await program.metrics(RECONCILED, QUEUED)
                if reconciled == looked and not queued:
                    return
                looked, since = reconciled, time.monotonic()


async def until_reconciled(program: Program, count: int, *, seconds: float = 900.0) -> None:
    """Return when a program that has just started has reconciled so often and has nothing queued."""
    async with asyncio.timeout(seconds):
        while True:
            program.check()
            began = time.monotonic()
            reconciled, queued = await program.metrics(RECONCILED, QUEUED)
            if reconciled >= count and not queued:
                return
            # The page has lines for every ScheduledJob: asked for all the time, it would be what is measured.
            await asyncio.sleep(max(0.1, 5 * (time.monotonic() - began)))


async def until_gone(api: Api, path: str, *, seconds: float = 1800.0) -> None:
    """Return when a list is empty."""

    async with asyncio.timeout(seconds):
        while (await api.send("GET", f"{path}?limit=1"))["items"]:  # noqa: ASYNC110  # in another process
            await asyncio.sleep(0.5)


async def until(condition: Callable[[], bool], *, seconds: float) -> None:
    """Return when something is so. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what is waited for happens in another process
            await asyncio.sleep(0.1)


async def until_moment(moment: float) -> None:
    """Return when the clock on the wall shows so many seconds since the epoch."""
    while (left := moment - time.time()) > 0:  # noqa: ASYNC110  # somebody may set the clock meanwhile
        await asyncio.sleep(left)


async def not_ready(api: Api) -> list[str]:
    """Names of the ScheduledJobs whose Ready condition is not True for the spec that they have now."""
    found = []
    for body in await api.items(ALL):
        conditions = {entry["type"]: entry for entry in body["status"].get("conditions", ())}
        ready = conditions.get("Ready", {})
        current = body["status"].get("observedGeneration") == body["metadata"]["generation"]
        if ready.get("status") != "True" or not current:
            found.append(body["metadata"]["name"])
    return found
