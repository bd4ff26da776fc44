"""Slots that only the operator fires: many each second, and ten thousand of one namespace in the same one."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from tests.bench import load
from tests.bench.api import MERGE_PATCH, Api, Body
from tests.bench.audit import tally
from tests.bench.figures import Figure, Figures
from tests.bench.load import BATCH, Place
from tests.bench.program import Program, cpu_seconds
from tests.bench.rig import NAMESPACES, Rig
from tests.bench.runs import status_of_end, text
from tests.bench.slots import Outcome, Shot, Slot, judged, shots
from tests.bench.throughput import Contest
from tests.bench.waiting import until, until_all_written, until_moment, until_quiet

RATE = 100
EVERY = 10
"""Seconds from one slot of a ScheduledJob to the next: so many times the rate are needed."""
SETTLING = 10
"""Seconds between the last new ScheduledJob and the first slot that counts."""
P99_GOAL = 1.0

CROWD_SIZE = 10_000
CROWD_GOAL = 60.0
NEIGHBOUR_GOAL = 1.0
COMPONENTS = ("kube-apiserver", "etcd", "kube-controller-manager")
CROWD, NEIGHBOUR = NAMESPACES[:2]
PATIENCE = 300.0
"""Seconds after the last slot for which a Job is waited for."""
PACES = (50, 25, 12)
"""How many new ScheduledJobs a second must be taken in, so that all are before their slot comes."""


async def measure(contest: Contest, figures: Figures, *, short: bool) -> None:
    """Measure both; a short run has a tenth of the crowd and a third of the time."""
    await _steady(contest, figures, seconds=EVERY if short else 3 * EVERY)
    await _crowd(contest, figures, size=CROWD_SIZE // 10 if short else CROWD_SIZE)


async def _steady(contest: Contest, figures: Figures, *, seconds: int) -> None:
    """Fire slots at an even rate; their Jobs end at once."""
    size = RATE * EVERY
    places = load.places(size)
    # Begun long ago: before its beginning a schedule is suspended, and resuming it is another matter.
    first = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    starts = [first + timedelta(seconds=number % EVERY) for number in range(size)]
    rig = await Rig.start()
    try:
        bodies = (
            load.timed(place, number=number, every=f"{EVERY}s", startsAt=text(starts[number]))
            for number, place in enumerate(places)
        )
        await load.create_all(rig.api, bodies)
        program = await contest.start("operator", rig)
        async with ending(program):
            await until_all_written(program, size)
            counted = int(time.time()) + SETTLING
            await until_moment(counted)
            cpu = Cpu(program)
            await until_moment(counted + seconds)
            spent = cpu.spent()
            expected = [
                Slot(place, moment)
                for place, start in zip(places, starts, strict=True)
                for moment in range(counted, counted + seconds)
                if (moment - int(start.timestamp())) % EVERY == 0
            ]
            outcome = await _outcome(program, expected=expected, seconds=EVERY)
        _report_steady(figures, size=size, outcome=outcome)
        _costs(figures, program, size=size, what=f"at {RATE} slots/s", spent=spent, slots=len(outcome.delays))
        await program.stop()
    finally:
        await rig.stop()


def _report_steady(figures: Figures, *, size: int, outcome: Outcome) -> None:
    for percent, most in ((50, None), (99, P99_GOAL), (100, None)):
        what = f"slot to Job, {_name(percent)}, at {RATE} slots/s"
        figures.time(size=size, what=what, seconds=outcome.percentile(percent), most=most)
    figures.add(
        Figure(
            size=size,
            what=f"slots without a Job, at {RATE} slots/s",
            value=outcome.missing,
            goal="0",
            met=outcome.missing == 0,
        )
    )
    what = f"slots with two Jobs, at {RATE} slots/s"
    figures.floor(size=size, what=what, value=outcome.doubled, most=0, exactly=True)


async def _crowd(contest: Contest, figures: Figures, *, size: int) -> None:
    """Fire one slot of each in the same second, and one of another namespace in the next."""
    for pace in PACES:
        rig = await Rig.start()
        try:
            due = int(time.time() + 30 + size / pace)
            if await _crowd_before(due, contest=contest, figures=figures, rig=rig, size=size):
                return
        finally:
            await rig.stop()
        print("  the slot came before all was ready for it; once more, with more time", flush=True)
    raise RuntimeError("this machine is too slow or too busy: the slot came before all was ready for it")


async def _crowd_before(due: int, *, contest: Contest, figures: Figures, rig: Rig, size: int) -> bool:
    """Measure the slots of a moment to come; False when it came too soon."""
    crowd = [Slot(Place(CROWD, f"report-{number:05d}"), due) for number in range(size)]
    neighbour = Slot(Place(NEIGHBOUR, "neighbour"), due + 1)
    bodies: list[Body] = [
        load.timed(slot.place, number=number, at=text(datetime.fromtimestamp(slot.due, UTC)))
        for number, slot in enumerate([*crowd, neighbour])
    ]
    await load.create_all(rig.api, bodies)
    program = await contest.start("operator", rig)
    try:
        async with asyncio.timeout(due - 1 - time.time()):
            await until_all_written(program, size + 1)
            await until_quiet(program)
    except TimeoutError:
        return False
    await until_moment(due)
    cpu = Cpu(program)
    outcome = await _outcome(program, expected=crowd, seconds=PATIENCE)
    spent = cpu.spent()
    other = await _outcome(program, expected=[neighbour], seconds=PATIENCE)
    _report_crowd(figures, size=size, outcome=outcome, other=other)
    _costs(figures, program, size=size, what="slots of one second", spent=spent, slots=len(outcome.delays))
    await program.stop()
    return True


def _report_crowd(figures: Figures, *, size: int, outcome: Outcome, other: Outcome) -> None:
    what = "slots of one second in one namespace"
    for percent, most in ((50, None), (100, CROWD_GOAL)):
        name = f"{what}: to the Job, {_name(percent)}"
        figures.time(size=size, what=name, seconds=outcome.percentile(percent), most=most)
    for delay in other.delays:
        name = f"{what}: to the Job of another namespace, due a second later"
        figures.time(size=size, what=name, seconds=delay, most=NEIGHBOUR_GOAL)
    for name, value in (
        ("with two Jobs", outcome.doubled + other.doubled),
        ("without a Job", outcome.missing + other.missing),
    ):
        figures.floor(size=size, what=f"{what}: {name}", value=value, most=0, exactly=True)


class Cpu:
    """What CPU time is spent from now on by everything that has a part in a slot."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._before = self._seconds()

    def spent(self) -> dict[str, float]:
        """Seconds by the name of the process."""
        return {name: seconds - self._before[name] for name, seconds in self._seconds().items()}

    def _seconds(self) -> dict[str, float]:
        pids = {name: self._program.rig.pid(name) for name in COMPONENTS}
        return {
            "operator": self._program.cpu,
            "this benchmark": time.process_time(),
            **{name: cpu_seconds(pid) for name, pid in pids.items()},
        }


def _costs(
    figures: Figures, program: Program, *, size: int, what: str, spent: Mapping[str, float], slots: int
) -> None:
    """CPU per slot, which depends less than the delays do on who else uses the machine."""
    each = {name: round(1000 * seconds / max(slots, 1), 2) for name, seconds in spent.items()}
    for name, whose in (("operator", "operator's"), ("kube-apiserver", "API server's")):
        figures.add(Figure(size=size, what=f"{whose} CPU per slot, {what}", value=each[name], unit="ms"))
    requests = tally(program.tail.read())
    figures.detail(scenario=f"firing, {what}", size=size, requests=requests, milliseconds=each)


def _name(percent: int) -> str:
    return "longest" if percent == 100 else f"p{percent}"


async def _outcome(program: Program, *, expected: Collection[Slot], seconds: float) -> Outcome:
    """What became of these slots, once each has its Job or after so many seconds."""
    waited_for, made, taken = set(expected), list[Shot](), 0

    def done() -> bool:
        nonlocal taken
        program.check()
        requests = program.tail.read()
        new = shots(requests[taken:])
        taken = len(requests)
        made.extend(new)
        waited_for.difference_update(shot.slot for shot in new)
        return not waited_for

    with contextlib.suppress(TimeoutError):
        await until(done, seconds=seconds)
    return judged(made, expected=expected)


@asynccontextmanager
async def ending(program: Program) -> AsyncIterator[None]:
    """Meanwhile every Job ends well as soon as the operator has made it."""
    task = asyncio.create_task(_end_all(program))
    try:
        yield
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _end_all(program: Program) -> None:
    taken = 0
    while True:
        requests = program.tail.read()
        made = shots(requests[taken:])
        taken = len(requests)
        await program.rig.api.each(made, partial(_end, program.rig.api))
        await asyncio.sleep(0.05)


async def _end(api: Api, shot: Shot) -> None:
    status = status_of_end(well=True, ended=datetime.now(UTC))
    path = f"{BATCH}/namespaces/{shot.slot.place.namespace}/jobs/{shot.job}/status"
    await api.send("PATCH", path, {"status": status}, content_type=MERGE_PATCH)
