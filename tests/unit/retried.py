"""A run that failed once and is to be tried again by the operator."""

from typing import Any

from scheduledjob_operator.job_names import slot_job
from tests.unit.bodies import NAME
from tests.unit.moments import after_noon
from tests.unit.world import World

RETRY: dict[str, Any] = {"limit": 2, "backoff": {"initial": "30s"}}
"""Attempts half a minute and then a minute after the end of the one before."""
RUN = slot_job(NAME, after_noon(300))
"""The run of the slot five minutes after noon."""
SECOND, THIRD = f"{RUN}-r2", f"{RUN}-r3"


def world_with(**fields: Any) -> World:
    """One in sync, every five minutes."""
    world = World()
    world.create({"schedule": "*/5 * * * *", "handler": "sync", **fields})
    world.settle()
    return world


def failed_once(*, exit_code: int = 1, **fields: Any) -> World:
    """The run of the first slot fails ten seconds after it."""
    world = world_with(**{"retry": RETRY, **fields})
    world.go_to(300)
    assert world.start_slot(300) == RUN
    world.settle()
    world.go_to(310)
    world.finish(RUN, exit_code)
    world.settle()
    return world
