"""A write of a deposed leader arrives when the next leader has long done the same, and much more.

After an outage of both replicas many slots are to be caught up. The first of their Jobs is on its way when
the leader is cut off; the other one makes that Job and all the others, and Kubernetes deletes finished ones.
So the name of the first may be free again, and the admission policy of the chart has to refuse the write.
"""

from __future__ import annotations

import asyncio
import time

from tests.soak.leaders import PARTS
from tests.soak.replicas import PATIENCE, Replicas
from tests.soak.rig import Rig
from tests.soak.trial import Cast, Trial

OUTAGE = 60.0
"""Seconds without a leader, and as many slots to catch up."""
LATE = 30.0
"""Seconds for which the write is held: it is sent soon after the Lease was renewed, which counts 15."""
REFUSED = 403


async def play_late(rig: Rig, *, number: int, seconds: float, seed: int) -> Trial:
    """Hold one creation of a Job for so long."""
    trial, began = Trial(name="late"), time.monotonic()
    replicas = Replicas(rig, seed=seed)
    one, two = replicas.both
    try:
        await replicas.start()
        cast = await Cast.enter(rig, {"every-second": PARTS["every-second"]}, number=number)
        for replica in replicas.both:
            await replica.operator.end()
        await asyncio.sleep(OUTAGE)
        one.link.hold("create Job: CatchUp")
        one.operator.start()
        async with asyncio.timeout(PATIENCE):
            while one.link.held is None:  # noqa: ASYNC110  # the link tells nobody
                await asyncio.sleep(0.05)
        held = one.link.held
        two.operator.start()
        await asyncio.sleep(held.began + seconds - time.monotonic())
        one.link.release()
        one.link.mend()
        await cast.leave(trial, writes=lambda: replicas.writes)
    finally:
        await replicas.stop()
    told = f"the creation of {held.name} was answered with {held.status}, {seconds:.0f} s late"
    trial.notes.append(told)
    if held.status != REFUSED:
        trial.problems.append(f"admitted: {told}, and not with {REFUSED}")
    trial.seconds = time.monotonic() - began
    return trial
