"""The leader of two replicas is killed, again and again, and each slot is to have one run all the same."""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
import time
from collections.abc import Iterable, Mapping

from tests.soak.replicas import Replica, Replicas
from tests.soak.rig import Rig
from tests.soak.trial import Cast, Part, Takeover, Trial

BETWEEN = (5.0, 15.0)
"""Seconds from a takeover to the next kill."""
KILLED = "kill -9"
RETURNED = "kill -9, the same one started again at once"
ASKED = "SIGTERM"
LIMITS = {KILLED: 20.0, RETURNED: 20.0, ASKED: 5.0}
"""Seconds in which the next leader has to be at work."""
_ALWAYS = {"catchUp": {"policy": "All", "limit": 100, "window": "1h"}, "concurrencyPolicy": "Allow"}
PARTS = {
    "every-second": Part(period=1, spec={"schedule": None, "every": "1s", **_ALWAYS}),
    "every-7-seconds": Part(period=7, spec={"schedule": None, "every": "7s", **_ALWAYS}),
    "every-3rd-second": Part(period=3, spec={"schedule": "*/3 * * * * *", **_ALWAYS}),
}


async def play_leaders(
    rig: Rig,
    *,
    number: int,
    seconds: float,
    seed: int,
    ways: Iterable[str] | None = None,
    parts: Mapping[str, Part] = PARTS,
    between: tuple[float, float] = BETWEEN,
) -> Trial:
    """End the leader for so long, in each of these ways (all of them, again and again, by default).

    It comes back as the next standby, or at once with its old identity.
    """
    trial, began, dice = Trial(name="leaders"), time.monotonic(), random.Random(seed)
    replicas = Replicas(rig, seed=seed)
    try:
        await replicas.start()
        cast = await Cast.enter(rig, parts, number=number)
        for way in ways or itertools.cycle(LIMITS):
            await asyncio.sleep(dice.uniform(*between))
            if time.monotonic() - began > seconds:
                break
            trial.takeovers.append(await _replace(replicas, way))
        await cast.leave(trial, writes=lambda: replicas.writes)
    finally:
        await replicas.stop()
    trial.seconds = time.monotonic() - began
    return trial


async def _replace(replicas: Replicas, way: str) -> Takeover:
    """End the leader, and how long it took until there was another one."""
    leader = await replicas.leader()
    ended = time.monotonic()
    since = {replicas.other(leader).identity: ended}
    ending = asyncio.create_task(_end(leader, way))
    if way == RETURNED:
        await ending
        since[leader.identity] = time.monotonic()
        leader.operator.start()
    at_work = await replicas.until_at_work(since)
    await ending
    if way != RETURNED:
        leader.operator.start()
    await replicas.until_ready()
    return Takeover(after=way, seconds=at_work - ended, limit=LIMITS[way])


async def _end(leader: Replica, way: str) -> None:
    async with asyncio.timeout(30):
        await leader.operator.end(signal.SIGTERM if way == ASKED else signal.SIGKILL)
