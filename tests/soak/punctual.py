"""The operator comes and goes beside Kubernetes' own controller: each slot is to have one Job, of either."""

from __future__ import annotations

import asyncio
import random
import signal
import time

from tests.soak.rig import Rig
from tests.soak.trial import Cast, Part, Trial

NUMBER = 100
THERE = (1.0, 90.0)
AWAY = (1.0, 90.0)
"""Seconds for which the operator is there, and away."""
SIGNALS = (signal.SIGKILL, signal.SIGTERM)


def _parts(number: int) -> dict[str, Part]:
    """Every minute, half of them without overlaps."""
    policies = ("Allow", "Forbid")
    return {
        f"minute-{each:03d}": Part(
            period=60, spec={"schedule": "* * * * *", "concurrencyPolicy": policies[each % 2]}
        )
        for each in range(number)
    }


async def play_punctual(rig: Rig, *, number: int, seconds: float, seed: int) -> Trial:
    """Stop and start the rig's own operator for so long."""
    trial, began, dice = Trial(name="punctual"), time.monotonic(), random.Random(seed)
    operator = rig.operator
    if not operator.runs:
        operator.start()
    await operator.until_ready()
    cast = await Cast.enter(rig, _parts(NUMBER), number=number)
    absences, away = 0, 0.0
    while time.monotonic() - began < seconds:
        await asyncio.sleep(dice.uniform(*THERE))
        pause = dice.uniform(*AWAY)
        async with asyncio.timeout(30):
            await operator.end(dice.choice(SIGNALS))
        await asyncio.sleep(pause)
        operator.start()
        await operator.until_ready()
        absences, away = absences + 1, away + pause
    await cast.leave(trial, writes=lambda: rig.proxy.writes)
    by_kubernetes = sum(found.by_kubernetes for found in trial.tallies)
    by_operator = sum(found.jobs for found in trial.tallies) - by_kubernetes
    trial.notes.append(f"away {absences} times, for {away:.0f} s in all")
    trial.notes.append(f"{by_operator} Jobs made by the operator, {by_kubernetes} by Kubernetes' controller")
    trial.seconds = time.monotonic() - began
    return trial
