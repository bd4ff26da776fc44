"""Slots that Kubernetes fires too, once a minute: with the operator's punctual firing, and without it.

The runs may overlap and do not end. That is the best case for Kubernetes' controller, which would write down
every end as well. It has the limits that it has by default.
"""

from __future__ import annotations

import time

from tests.bench import load
from tests.bench.audit import Tail, tally
from tests.bench.figures import Figure, Figures
from tests.bench.program import Program
from tests.bench.rig import CRON_JOB_CONTROLLER, Rig
from tests.bench.slots import Outcome, Slot, judged, shots
from tests.bench.throughput import Contest
from tests.bench.waiting import until_all_written, until_moment

SIZES = (600, 3000)
MINUTE = 60
SETTLING = 20
"""Seconds that are at least between the last new ScheduledJob and the first slot that counts."""
GOALS = {50: 0.7, 99: 2.0}
"""Percentile -> seconds."""
GOAL_SIZE = 600


async def measure(contest: Contest, figures: Figures, *, short: bool) -> None:
    """Measure two slots of each size both ways; a short run has one slot of the smallest size."""
    for size in SIZES[:1] if short else SIZES:
        for punctual in (True, False):
            await _measure(contest, figures, size=size, minutes=1 if short else 2, punctual=punctual)


async def _measure(contest: Contest, figures: Figures, *, size: int, minutes: int, punctual: bool) -> None:
    places = load.places(size)
    rig = await Rig.start(raised_limits=False)
    try:
        kubernetes = Tail(rig.audit, user=CRON_JOB_CONTROLLER)
        bodies = (
            load.timed(place, number=number, schedule="* * * * *") for number, place in enumerate(places)
        )
        await load.create_all(rig.api, bodies)
        settings = {"PUNCTUAL_FIRING": str(punctual).lower()}
        program = await contest.start("operator", rig, settings=settings)
        await until_all_written(program, size)
        # The slot of a minute that has begun is not whole: not all of them were there.
        first = (int(time.time() + SETTLING) // MINUTE + 1) * MINUTE
        await until_moment(first + MINUTE * minutes)
        program.check()
        made = shots([*program.tail.read(), *kubernetes.read()])
        slots = [Slot(place, first + MINUTE * number) for place in places for number in range(minutes)]
        outcome = judged(made, expected=slots, within=MINUTE)
        _report(figures, size=size, outcome=outcome, punctual=punctual, slots=len(slots))
        _detail(figures, program, size=size, outcome=outcome, kubernetes=kubernetes, punctual=punctual)
        await program.stop()
    finally:
        await rig.stop()


def _report(figures: Figures, *, size: int, outcome: Outcome, punctual: bool, slots: int) -> None:
    how = "punctual firing" if punctual else "Kubernetes alone"
    for percent, name in ((50, "p50"), (99, "p99"), (100, "longest")):
        most = GOALS.get(percent) if punctual and size == GOAL_SIZE else None
        what = f"{how}: slot to Job, {name}"
        figures.time(size=size, what=what, seconds=outcome.percentile(percent), most=most)
    share = 100 * (slots - outcome.missing) / slots
    figures.add(
        Figure(
            size=size,
            what=f"{how}: slots with a Job within their minute",
            value=round(share, 1),
            unit="%",
            goal="100 %" if punctual else "",
            met=outcome.missing == 0 if punctual else None,
        )
    )
    what = f"{how}: slots with two Jobs"
    figures.floor(size=size, what=what, value=outcome.doubled, most=0, exactly=True)


def _detail(
    figures: Figures, program: Program, *, size: int, outcome: Outcome, kubernetes: Tail, punctual: bool
) -> None:
    figures.detail(
        scenario="punctual",
        size=size,
        punctual=punctual,
        requests=tally(program.tail.read()),
        jobs_by_kubernetes=len(shots(kubernetes.read())),
        delays=[round(outcome.percentile(percent), 3) for percent in range(0, 101, 5)],
    )
