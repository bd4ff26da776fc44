"""The operator, Kubernetes' controllers, then both are away for minutes, with a slot every minute.

Each slot must have one verdict in the end, no slot two Jobs, and what says that nothing ran must be true.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from tests.soak import slots, verdicts
from tests.soak.rig import Rig
from tests.soak.scenario import Outcome, evidence_of, until_settled
from tests.soak.stage import Actor

MINUTES = 2
"""How long each is away: some slots are then older than startingDeadline, and some Jobs are collected."""
BACK = 30.0
"""Seconds between two absences."""

_EVERY_MINUTE: dict[str, Any] = {
    "schedule": "* * * * *",
    "startingDeadline": "30s",
    "concurrencyPolicy": "Allow",
}
_FEW = {"succeededJobs": 1, "failedJobs": 1, "runs": 100}
_MANY = {"succeededJobs": 50, "failedJobs": 50, "runs": 100}
SPECS: dict[str, dict[str, Any]] = {
    "few-jobs-kept": {"history": _FEW},
    "few-jobs-kept-caught-up": {"history": _FEW, "catchUp": {"policy": "All"}},
    "all-jobs-kept": {"history": _MANY},
    "all-jobs-kept-caught-up": {"history": _MANY, "catchUp": {"policy": "All"}},
    "two-attempts": {"history": _MANY, "retry": {"limit": 1, "backoff": {"initial": "2s"}}},
}
PLANS = {"two-attempts": {"FAILING": "*", "FAILING_ATTEMPTS": "1"}}


async def play_away(rig: Rig, *, number: int) -> Outcome:
    """The round of absences; it takes 9 minutes."""
    began = time.monotonic()
    outcome = Outcome(round=number, seconds=0.0)
    actors = [Actor(rig=rig, story=name, round=number, base=datetime.now(UTC)) for name in SPECS]
    await asyncio.gather(
        *(
            actor.create(plan=PLANS.get(actor.story), **_EVERY_MINUTE, **SPECS[actor.story])
            for actor in actors
        )
    )
    await asyncio.sleep(BACK)
    await rig.operator.stay_away(MINUTES * 60)
    await asyncio.sleep(BACK)
    async with _controllers_away(rig):
        await asyncio.sleep(MINUTES * 60)
    await asyncio.sleep(BACK)
    async with _controllers_away(rig):
        await rig.operator.stay_away(MINUTES * 60)
    await asyncio.sleep(BACK)
    await asyncio.sleep(40 - datetime.now(UTC).second % 40)  # not at a slot
    for actor in actors:
        await actor.change(enabled=False)
    await until_settled(rig, actors)
    for actor in actors:
        seen = await evidence_of(rig, actor)
        outcome.jobs += len(seen.jobs)
        outcome.note(actor.story, *verdicts.doubled(seen), *verdicts.unfinished(seen), *slots.untold(seen))
        outcome.states[actor.story] = verdicts.final_state(seen)
        if actor.story in outcome.problems:
            outcome.evidence[actor.story] = {"scheduledJob": seen.scheduled_job}
        await actor.delete()
    outcome.seconds = time.monotonic() - began
    return outcome


@asynccontextmanager
async def _controllers_away(rig: Rig) -> AsyncIterator[None]:
    rig.freeze_controllers()
    try:
        yield
    finally:
        rig.thaw_controllers()
