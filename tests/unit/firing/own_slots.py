"""One ScheduledJob whose slots the operator itself starts."""

from typing import Any

from scheduledjob_operator.job_names import slot_job
from tests.unit.bodies import NAME
from tests.unit.moments import after_noon
from tests.unit.world import World


def world_with(*, punctual: bool = False, environment: str = "", **fields: Any) -> World:
    """One in sync, every ninety seconds unless given otherwise, at 12:00:30."""
    world = World()
    world.punctual, world.environment = punctual, environment
    world.restart()
    timing = {} if fields.keys() & {"schedule", "at", "every"} else {"every": "90s"}
    world.create({**timing, "handler": "sync", **fields})
    world.settle()
    return world


def job_of(seconds: float) -> str:
    """Name of the Job of the slot so many seconds after noon."""
    return slot_job(NAME, after_noon(seconds), by_operator=True)


def run(world: World, seconds: float, *, exit_code: int = 0) -> None:
    """The slot is started when it comes, and its run ends two seconds later."""
    world.go_to(seconds)
    assert job_of(seconds) in world.job_names()
    world.go_to(seconds + 2)
    world.finish(job_of(seconds), exit_code)
    world.settle()


def away(world: World, *, until: float) -> None:
    """There is no operator until so many seconds after noon."""
    world.now = after_noon(until)
    world.restart()
    world.settle()
