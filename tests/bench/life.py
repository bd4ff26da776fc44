"""One cluster through a life: what creating, restarting, changing, labelling, running and deleting cost."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from tests.bench import attempts, latency, load
from tests.bench.audit import Tail, next_pages, tally, writes
from tests.bench.figures import Figure, Figures
from tests.bench.program import Program
from tests.bench.rig import OPERATOR, Rig, user
from tests.bench.runs import end_job, runs_of, start_job
from tests.bench.throughput import Contest
from tests.bench.waiting import not_ready, until_all_written, until_gone, until_quiet, until_reconciled

MEMORY_GOAL = 200.0
GOAL_SIZE = 10_000
JOBS_EACH = 3
REQUESTS_AT_RESTART = 20


@dataclass
class Life:
    """A cluster with so many ScheduledJobs, and the operator on it."""

    contest: Contest
    figures: Figures
    rig: Rig
    size: int
    latency_seconds: float
    program: Program

    async def restart(self, *, size_reached: int) -> tuple[float, float]:
        """Stop and start the operator; seconds until /readyz and until it has looked at every object."""
        await self.program.stop()
        began = time.monotonic()
        self.program = await self.contest.start("operator", self.rig)
        await self.program.until_ready()
        ready = time.monotonic() - began
        await until_reconciled(self.program, size_reached)
        return ready, time.monotonic() - began

    def tail(self) -> Tail:
        """What the operator asks for from now on."""
        return Tail(self.rig.audit, user=user(OPERATOR))

    def each(self, what: str, tail: Tail, *, goal: int) -> None:
        """The writes per ScheduledJob since a moment, which must be exactly so many."""
        requests = tail.read()
        written = len(writes(requests)) / self.size
        self.figures.floor(size=self.size, what=f"writes, {what}", value=written, most=goal, exactly=True)
        self.figures.detail(scenario=what, size=self.size, requests=tally(requests))


async def live(
    contest: Contest, figures: Figures, *, size: int, only: Collection[str], latency_seconds: float
) -> None:
    """Measure what is in `only`: floors, restart, memory, latency."""
    rig = await Rig.start()
    try:
        await load.create(rig.api, size)
        program = await contest.start("operator", rig)
        life = Life(contest, figures, rig, size, latency_seconds, program)
        await until_all_written(program, size)
        await until_quiet(program)
        if "floors" in only:
            await _created(life)
        if "restart" in only:
            await _restarted(life)
        if "floors" in only:
            await _changed(life)
        if "memory" in only:
            await _remembered(life)
        if "latency" in only:
            await latency.measure(life.program, figures, size=size, seconds=latency_seconds)
        if "floors" in only:
            await attempts.measure(life.program, figures, size=size)
            await _deleted(life)
        await life.program.stop()
    finally:
        await rig.stop()


async def _created(life: Life) -> None:
    life.each("new ScheduledJob", life.program.tail, goal=2)
    requests = [request for request in life.program.tail.read() if request.verb != "watch"]
    life.figures.add(
        Figure(size=life.size, what="requests, new ScheduledJob", value=round(len(requests) / life.size, 2))
    )
    if unready := await not_ready(life.rig.api):
        raise RuntimeError(f"{len(unready)} of {life.size} are not Ready, such as {unready[0]}")


async def _restarted(life: Life) -> None:
    ready, drained = await life.restart(size_reached=life.size)
    await until_quiet(life.program)
    _restart_figures(life, what="restart")
    for what, seconds in (("restart, until /readyz", ready), ("restart, until all are checked", drained)):
        life.figures.add(Figure(size=life.size, what=what, value=round(seconds, 2), unit="s"))
    _memory(life, what="memory after a restart", goal=None)


def _restart_figures(life: Life, *, what: str) -> None:
    requests = life.program.tail.read()
    pages = next_pages(requests)
    life.figures.floor(
        size=life.size, what=f"writes, {what}", value=len(writes(requests)), most=0, exactly=True
    )
    life.figures.floor(
        size=life.size,
        what=f"requests, {what}, beyond list pages",
        value=len(requests) - pages,
        most=REQUESTS_AT_RESTART,
    )
    life.figures.detail(scenario=what, size=life.size, requests=tally(requests), next_pages=pages)


def _memory(life: Life, *, what: str, goal: float | None) -> None:
    memory = life.program.memory
    life.figures.add(
        Figure(
            size=life.size,
            what=what,
            value=memory.rss,
            unit="MB",
            goal=f"at most {goal:g} MB" if goal else "",
            met=memory.rss <= goal if goal else None,
        )
    )
    life.figures.detail(scenario=what, size=life.size, **asdict(memory))


async def _changed(life: Life) -> None:
    for what, limit, goal in (
        ("first apply of the same spec", "10m", 0),
        ("changed spec", "11m", 2),
        ("no-op apply", "11m", 0),
    ):
        tail = life.tail()
        await load.apply(life.rig.api, life.size, limit=limit)
        await until_quiet(life.program)
        if goal:
            life.each(what, tail, goal=goal)
        elif what == "no-op apply":
            life.each(what, tail, goal=0)
    if unready := await not_ready(life.rig.api):
        raise RuntimeError(f"{len(unready)} of {life.size} did not follow the spec, such as {unready[0]}")
    tail = life.tail()
    await load.label(life.rig.api, life.size, value="yes")
    await until_quiet(life.program)
    life.each("changed label", tail, goal=0)


async def _remembered(life: Life) -> None:
    """Three finished Jobs for each, created while the operator is away; the memory when it knows them all."""
    await life.program.stop()
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    slots = [now - timedelta(days=days) for days in range(JOBS_EACH, 0, -1)]
    runs = await runs_of(life.rig.api, life.size, slots=slots)

    async def run_to_its_end(index: int) -> None:
        run = runs[index]
        await start_job(life.rig.api, run)
        await end_job(life.rig.api, run, ended=run.slot + timedelta(seconds=2))

    await life.rig.api.each(range(len(runs)), run_to_its_end)
    began = time.monotonic()
    life.program = await life.contest.start("operator", life.rig)
    await until_all_written(life.program, life.size)
    caught_up = time.monotonic() - began
    await until_quiet(life.program)
    life.figures.floor(
        size=life.size,
        what=f"writes per ScheduledJob, to catch up {JOBS_EACH} runs each",
        value=len(writes(life.program.tail.read())) / life.size,
        most=1,
        exactly=True,
    )
    life.figures.add(
        Figure(size=life.size, what=f"to catch up {len(runs):,} runs", value=round(caught_up, 1), unit="s")
    )
    _memory(life, what=f"memory with {len(runs):,} Jobs, after catching up", goal=None)
    await life.restart(size_reached=life.size)
    await until_quiet(life.program)
    _restart_figures(life, what=f"restart with {len(runs):,} Jobs")
    goal = MEMORY_GOAL if life.size == GOAL_SIZE else None
    _memory(life, what=f"memory with {len(runs):,} Jobs, after a restart", goal=goal)


async def _deleted(life: Life) -> None:
    """Delete all; the garbage collector takes the CronJobs and Jobs, the operator nothing."""
    await until_quiet(life.program)
    tail = life.tail()
    await load.delete(life.rig.api)
    for path in (load.ALL, f"{load.BATCH}/cronjobs", f"{load.BATCH}/jobs"):
        await until_gone(life.rig.api, path)
    await until_quiet(life.program)
    life.each("deleted ScheduledJob", tail, goal=0)
