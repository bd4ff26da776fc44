"""How fast new ScheduledJobs become Ready, against a Go controller that does the same writes.

Each measurement has a control plane of its own, and the two programs take turns, so that what else happens on
the machine meets both.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bench import builds, load
from tests.bench.audit import tally, writes
from tests.bench.figures import Figure, Figures
from tests.bench.program import Program, cpu_seconds, start_operator, start_peer
from tests.bench.rig import Rig
from tests.bench.waiting import not_ready, until_all_written

SAME = 0.9
"""How much of its throughput must be left with ten times the objects."""


@dataclass(frozen=True)
class Contest:
    """What is compared: the operator's package run by this Python, and the Go controller."""

    python: Path
    source: Path
    peer: Path

    async def start(self, name: str, rig: Rig, *, settings: Mapping[str, str] | None = None) -> Program:
        """`settings`: the operator's own."""
        if name == "operator":
            return start_operator(rig, python=self.python, source=self.source, settings=settings)
        return start_peer(rig, executable=self.peer, template=builds.template())


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One measurement."""

    name: str
    running: bool
    """Whether the program ran before the objects came."""
    size: int
    seconds: float
    """From the first write to the answer to the last one."""
    start_seconds: float
    """From the program's start to its first write."""
    requests: dict[str, int]
    written: int
    cpu: float
    """CPU seconds of the program."""
    server_cpu: float
    """CPU seconds of the API server."""
    memory: float
    """Resident MB at the end."""

    @property
    def rate(self) -> float:
        return self.size / self.seconds


async def measure(contest: Contest, name: str, *, size: int, running: bool) -> Sample:
    """Start a cluster; create the objects before or after the program starts; until all are Ready."""
    rig = await Rig.start()
    try:
        if not running:
            await load.create(rig.api, size)
            await asyncio.sleep(1)
        server = rig.pid("kube-apiserver")
        before, began = cpu_seconds(server), time.time()
        program = await contest.start(name, rig)
        if running:
            await _until_watching(program)
            before = cpu_seconds(server)
            await asyncio.gather(load.create(rig.api, size), until_all_written(program, size))
        else:
            await until_all_written(program, size)
        spent = cpu_seconds(server) - before
        sample = _sample(program, size=size, running=running, began=began, server_cpu=spent)
        if unready := await not_ready(rig.api):
            raise RuntimeError(f"{name}: {len(unready)} of {size} are not Ready, such as {unready[0]}")
        await program.stop()
        return sample
    finally:
        await rig.stop()


async def _until_watching(program: Program) -> None:
    """Return when the program watches all four kinds."""
    async with asyncio.timeout(60):
        while len({request.what for request in program.tail.read() if request.verb == "watch"}) < 4:
            program.check()
            await asyncio.sleep(0.1)


def _sample(program: Program, *, size: int, running: bool, began: float, server_cpu: float) -> Sample:
    requests = program.tail.read()
    written = writes(requests)
    first, last = min(request.began for request in written), max(request.ended for request in written)
    return Sample(
        name=program.name,
        running=running,
        size=size,
        seconds=last - first,
        start_seconds=first - began,
        requests=tally(requests),
        written=len(written),
        cpu=program.cpu,
        server_cpu=server_cpu,
        memory=program.memory.rss,
    )


async def compare(contest: Contest, figures: Figures, *, size: int, pairs: int, running: bool) -> float:
    """Measure both by turns; the operator's median rate."""
    samples: dict[str, list[Sample]] = {"operator": [], "peer": []}
    for turn in range(pairs):
        # Who is first alternates too.
        for name in ("operator", "peer") if turn % 2 == 0 else ("peer", "operator"):
            sample = await measure(contest, name, size=size, running=running)
            samples[name].append(sample)
            figures.detail(scenario="throughput", **asdict(sample), rate=sample.rate)
    how = "created while it runs" if running else "found at its start"
    rate = 0.0
    for name, label in (("peer", "Go controller"), ("operator", "operator")):
        rate = figures.median(
            size=size, what=f"{label}, {how}", samples=[one.rate for one in samples[name]], unit="objects/s"
        )
    turns = zip(samples["operator"], samples["peer"], strict=True)
    ratios = [ours.rate / peers.rate for ours, peers in turns]
    _ratio(figures, size=size, what=f"operator / Go controller, {how}", ratios=ratios, least=1.0)
    if not running:
        _costs(figures, size=size, samples=samples)
    return rate


def _ratio(figures: Figures, *, size: int, what: str, ratios: list[float], least: float) -> None:
    median = statistics.median(ratios)
    figures.add(
        Figure(
            size=size,
            what=what,
            value=round(median, 3),
            goal=f"at least {least:g}",
            met=median >= least,
            samples=tuple(ratios),
        )
    )


def _costs(figures: Figures, *, size: int, samples: dict[str, list[Sample]]) -> None:
    """What depends less than the rate does on who else uses the machine."""
    for name, label in (("peer", "Go controller"), ("operator", "operator")):
        ours = samples[name]
        for what, unit, values in (
            ("first write after", "s", [one.start_seconds for one in ours]),
            ("CPU per object, with its start", "ms", [1000 * one.cpu / size for one in ours]),
            ("API server's CPU per object", "ms", [1000 * one.server_cpu / size for one in ours]),
            ("resident memory", "MB", [one.memory for one in ours]),
        ):
            figures.median(size=size, what=f"{label}: {what}", samples=values, unit=unit)


def scaling(figures: Figures, *, rates: dict[int, float]) -> None:
    """The throughput with most objects as a share of that with fewest."""
    few, many = min(rates), max(rates)
    if few < many:
        _ratio(
            figures,
            size=many,
            what=f"throughput at {many:,} / at {few:,}",
            ratios=[rates[many] / rates[few]],
            least=SAME,
        )
