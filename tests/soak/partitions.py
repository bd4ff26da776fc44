"""Two replicas with wrong clocks and bad ways to the API server: each slot is to have one run even so."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tests.cluster.progress import ClusterError
from tests.soak.leaders import PARTS
from tests.soak.link import FAIR, Weather
from tests.soak.replicas import Replicas
from tests.soak.rig import Rig
from tests.soak.skew import skewed
from tests.soak.trial import Cast, Trial

SKEWS = (5, -5)
"""Seconds by which the clocks on the wall are ahead."""
CUT = 25.0
"""Seconds for which a replica is cut off: long enough for another one to take over and to be at work."""
BETWEEN = (15.0, 35.0)
"""Seconds between two cuts."""
LEADERS = 0.7
"""How likely it is the leader who is cut off."""
BAD = Weather(held=0.015, dropped=0.01, lost=0.01, broken_watches=0.002, late_delivery=0.5)


async def play_partitions(rig: Rig, *, number: int, seconds: float, seed: int) -> Trial:
    """Cut one of them off now and then, for so long."""
    trial, began, dice = Trial(name="partitions"), time.monotonic(), random.Random(seed)
    replicas = Replicas(rig, seed=seed, env=_clocks(trial))
    cuts: Counter[str] = Counter()
    try:
        await replicas.start()
        cast = await Cast.enter(rig, PARTS, number=number)
        for replica in replicas.both:
            replica.link.weather = BAD
        while time.monotonic() - began < seconds:
            await asyncio.sleep(dice.uniform(*BETWEEN))
            leader = await replicas.leader()
            leads = dice.random() < LEADERS
            chosen = leader if leads else replicas.other(leader)
            cuts["leader" if leads else "standby"] += 1
            chosen.link.cut()
            await asyncio.sleep(CUT)
            chosen.link.mend()
        for replica in replicas.both:
            replica.link.weather = FAIR
        await asyncio.sleep(BAD.longest_hold)  # what is held is on its way yet
        await cast.leave(trial, writes=lambda: replicas.writes)
    finally:
        await replicas.stop()
        trial.evidence["writes"] = {replica.identity: replica.link.writes for replica in replicas.both}
    fates = sum((replica.link.fates for replica in replicas.both), Counter())
    trial.notes.append(f"cut off for {CUT:.0f} s: {_told(cuts.items())}; requests: {_told(fates.items())}")
    trial.seconds = time.monotonic() - began
    return trial


def _clocks(trial: Trial) -> Sequence[Mapping[str, str]]:
    """The replicas' wrong clocks; right ones where they cannot be made wrong."""
    try:
        clocks = [skewed(seconds) for seconds in SKEWS]
    except ClusterError as error:
        trial.notes.append(f"the clocks are right: {error}")
        return ({}, {})
    trial.notes.append(f"clocks ahead by {' and '.join(f'{seconds:+d} s' for seconds in SKEWS)}")
    return clocks


def _told(counts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts))
