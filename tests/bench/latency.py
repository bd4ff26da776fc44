"""How long after a Job's end its run stands in the ScheduledJob's status, at an even rate of runs."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta

from tests.bench.api import Api
from tests.bench.audit import Tail, tally, writes
from tests.bench.figures import Figure, Figures
from tests.bench.load import ALL
from tests.bench.program import Program
from tests.bench.rig import OPERATOR, user
from tests.bench.runs import Run, end_job, end_pod, runs_of, start_job, start_pod
from tests.bench.waiting import until, until_quiet

RATES = (20.0, 50.0)
"""Runs that end each second: one that leaves room on a small machine, and the one the goals are for."""
GOAL_RATE = 50.0
LENGTH = 2.0
"""Seconds from a Job's creation to its end."""
GOALS = {50: 100.0, 99: 1000.0}
"""Percentile -> milliseconds."""


class Ledger:
    """Sees runs appear in status.recentRuns, by a watch."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.seen: dict[str, float] = {}
        """Run id -> when a watch event first showed it, by the monotonic clock."""
        self.begun = asyncio.Event()
        """What happens from here on is seen."""

    async def follow(self) -> None:
        """Watch until cancelled."""
        listed = await self._api.send("GET", f"{ALL}?limit=1")
        version = listed["metadata"]["resourceVersion"]
        self.begun.set()
        async for event in self._api.watch(ALL, resource_version=version):
            now = time.monotonic()
            for run in event["object"].get("status", {}).get("recentRuns", ()):
                self.seen.setdefault(run["id"], now)


async def measure(program: Program, figures: Figures, *, size: int, seconds: float) -> None:
    """Let runs start and end at each rate, for so many seconds."""
    first = datetime.now(UTC).replace(second=0, microsecond=0)
    for rate in RATES:
        first = await _measure(program, figures, size=size, count=int(rate * seconds), rate=rate, first=first)


async def _measure(
    program: Program, figures: Figures, *, size: int, count: int, rate: float, first: datetime
) -> datetime:
    """Let `count` runs start and end; `first` is the slot of the first ones, the answer that of the next."""
    api = program.rig.api
    slots = [first + timedelta(minutes=number) for number in range(count // size + 1)]
    runs = (await runs_of(api, size, slots=slots))[:count]
    ledger = Ledger(api)
    following = asyncio.create_task(ledger.follow())
    await ledger.begun.wait()
    tail = Tail(program.rig.audit, user=user(OPERATOR))
    ended: dict[str, float] = {}

    async def live(run: Run) -> None:
        began = time.monotonic()
        uid = await start_job(api, run)
        await start_pod(api, run, job_uid=uid)
        await asyncio.sleep(max(LENGTH - (time.monotonic() - began), 0))
        await end_pod(api, run)
        await end_job(api, run, ended=datetime.now(UTC))
        ended[run.name] = time.monotonic()

    try:
        took = await _evenly(runs, live, rate=rate)
        with contextlib.suppress(TimeoutError):
            await until(lambda: ended.keys() <= ledger.seen.keys(), seconds=60)
        await until_quiet(program)
    finally:
        following.cancel()
    seen = ledger.seen
    delays = sorted(1000 * max(seen[name] - at, 0.0) for name, at in ended.items() if name in seen)
    _report(figures, size=size, delays=delays, missing=count - len(delays), rate=rate, real=count / took)
    requests = tail.read()
    patches = [request for request in writes(requests) if request.resource == "scheduledjobs/status"]
    what = f"status writes per run, at {rate:.0f} runs/s"
    figures.floor(size=size, what=what, value=round(len(patches) / count, 3), most=2)
    figures.detail(
        scenario="latency", size=size, rate=rate, requests=tally(requests), runs=count, seconds=took
    )
    return slots[-1] + timedelta(minutes=1)


async def _evenly(
    runs: Sequence[Run], live: Callable[[Run], Coroutine[None, None, None]], *, rate: float
) -> float:
    """Start one after the other at an even rate; seconds from the first start to the last."""
    began = time.monotonic()
    took = 0.0
    async with asyncio.TaskGroup() as group:
        for number, run in enumerate(runs):
            await asyncio.sleep(max(began + number / rate - time.monotonic(), 0))
            group.create_task(live(run))
            took = time.monotonic() - began
    return took


def _report(
    figures: Figures, *, size: int, delays: Sequence[float], missing: int, rate: float, real: float
) -> None:
    """`rate`: as it was meant; `real`: as it came to be."""
    what = f"runs missing in status, at {rate:.0f} runs/s"
    figures.floor(size=size, what=what, value=missing, most=0, exactly=True)
    for percentile in (50, 90, 99):
        value = delays[min(int(len(delays) * percentile / 100), len(delays) - 1)] if delays else 0.0
        goal = GOALS.get(percentile) if rate == GOAL_RATE else None
        figures.add(
            Figure(
                size=size,
                what=f"Job ended to status seen, p{percentile}, at {real:.0f} runs/s",
                value=round(value, 1),
                unit="ms",
                goal=f"at most {goal:g} ms" if goal else "",
                met=value <= goal if goal else None,
            )
        )
