"""A ScheduledJob that pauses after two failures in a row."""

from typing import Any

from scheduledjob_operator.job_names import probe_job
from tests.unit.bodies import NAME
from tests.unit.moments import after_noon
from tests.unit.world import World

PAUSE = {"pauseAfter": {"consecutiveFailures": 2, "coolDown": "30m"}}
PAUSED_AT = 610
"""When the second run has failed."""
PROBED_AT = PAUSED_AT + 1800


def world_with(**fields: Any) -> World:
    """One in sync, every five minutes, at 12:00:30."""
    world = World()
    world.create({"schedule": "*/5 * * * *", "handler": "sync", **fields})
    world.settle()
    return world


def fail(world: World, *slots: float) -> None:
    """The runs of these slots fail, ten seconds after each."""
    for seconds in slots:
        world.go_to(seconds)
        name = world.start_slot(seconds)
        world.go_to(seconds + 10)
        world.finish(name, 1)
        world.settle()


def paused(**fields: Any) -> World:
    world = world_with(**{**PAUSE, **fields})
    fail(world, 300, 600)
    return world


def probe_of(seconds: float) -> str:
    return probe_job(NAME, after_noon(seconds))


def pause_of(world: World) -> tuple[str, str]:
    """(status, reason) of the condition Paused."""
    condition = world.condition("Paused")
    return condition["status"], condition["reason"]
